"""The Global Privacy Platform: the specification's own examples, and opt-outs where they stand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.gpp import OPT_OUTS, US_PRIVACY, opted_out, sections_of
from domain.tcf import Unreadable
from tests.domain.consents import field, text_of

FIBONACCI = (1, 2, 3, 5, 8, 13, 21, 34, 55)
NOTICES = {7: 6, 8: 3, 11: 4, 18: 4}
"""Section -> two-bit notices before its opt-outs; three, where it is not said."""


def coded(number: int) -> str:
    """Answer a number in Fibonacci coding (the specification's own procedure)."""
    bits: list[str] = []
    for step in reversed([one for one in FIBONACCI if one <= number]):
        bits.append("1" if step <= number else "0")
        number -= step * (step <= number)
    return "".join(reversed(bits)) + "1"


def header(ids: list[int]) -> str:
    bits, last = field(3, 6) + field(1, 6) + field(len(ids), 12), 0
    for one in ids:
        bits, last = bits + "0" + coded(one - last), one
    return text_of(bits)


def section(number: int, opt_outs: tuple[int, ...], rest: str = "0" * 40) -> str:
    """Answer a section with its opt-outs (1 opted out, 2 not, 0 does not apply)."""
    if number >= 24:
        before = field(number, 6) + field(1, 6) + field(1, 6) + field(1, 2) * 2 + field(1, 2) * 3
    else:
        before = field(1, 6) + field(1, 2) * NOTICES.get(number, 3)
    return text_of(before + "".join(field(one, 2) for one in opt_outs) + rest)


def test_the_specifications_examples() -> None:
    assert list(sections_of("DBABM~tc")) == [2]
    assert sections_of("DBACNY~tc~1NYN") == {2: "tc", 6: "1NYN"}
    assert sections_of("DBABjw~ca~1YNN") == {5: "ca", 6: "1YNN"}


@given(st.lists(st.integers(1, 40), min_size=1, max_size=8, unique=True).map(sorted))
def test_headers_that_were_written_are_read(ids: list[int]) -> None:
    text = "~".join([header(ids), *(f"s{one}" for one in ids)])
    assert sections_of(text) == {one: f"s{one}" for one in ids}


@pytest.mark.parametrize(
    "text",
    [
        "", "junk", "DBABM", "DBABM~a~b", "CPXxRfAPXxRfAAfKABENB", "DCABM~tc", "DBAB", "D",
        text_of(field(3, 6) + field(1, 6) + field(1, 12) + "1" + coded(1) + coded(80) * 2) + "~a",
        text_of(field(3, 6) + field(1, 6) + field(1, 12) + "0" + "10" * 40) + "~a",
    ],
)  # fmt: skip
def test_what_is_none_is_refused(text: str) -> None:
    with pytest.raises(Unreadable):
        sections_of(text)


@pytest.mark.parametrize("number", sorted(OPT_OUTS))
def test_each_opt_out_of_each_section_counts(number: int) -> None:
    count = len(OPT_OUTS[number])
    assert count == (3 if number == 7 else 2)
    assert not opted_out(number, section(number, (2,) * count))
    assert not opted_out(number, section(number, (0,) * count))
    for place in range(count):
        told = tuple(1 if one == place else 2 for one in range(count))
        assert opted_out(number, section(number, told))


def test_the_browsers_own_signal_is_an_opt_out() -> None:
    plain = section(8, (2, 2))
    assert not opted_out(8, plain + "." + text_of("01" + "0"))
    assert opted_out(8, plain + "." + text_of("01" + "1"))
    assert not opted_out(8, plain + "." + text_of("10" + "1"))


def test_the_old_string_within_the_new() -> None:
    assert opted_out(US_PRIVACY, "1YYN")
    assert not opted_out(US_PRIVACY, "1YNN")
    with pytest.raises(Unreadable):
        opted_out(US_PRIVACY, "junk")


def test_what_cannot_be_read_is_refused() -> None:
    for number, text in ((7, "B"), (8, "é"), (99, "BAAA"), (2, "CPXx"), (5, "x"), (7, "")):
        with pytest.raises(Unreadable):
            opted_out(number, text)
