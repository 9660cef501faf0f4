"""What msgspec cannot check: ids, texts, times; and that the schemas say the same."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.clock import FixedClock
from domain.errors import BadField
from domain.ids import is_valid_id
from service.shapes import (
    ID_PATTERN,
    OPTIONAL_ID_PATTERN,
    check_at,
    check_attributes,
    check_id,
    check_text,
)

CLOCK = FixedClock(5)


def fits(pattern: str, text: str) -> bool:
    """Match a pattern with \\p{C} and \\p{Z}, which Python's re lacks."""
    letters = {letter: unicodedata.category(letter)[0] for letter in text}
    plain = "".join("x" if letters[c] not in "CZ" else c if c == " " else "\x00" for c in text)
    return re.fullmatch(pattern.replace(r"[^\p{C}\p{Z}]", "x").strip("^$"), plain) is not None


@given(st.text(max_size=30))
def test_the_id_pattern_says_what_is_checked(text: str) -> None:
    assert fits(ID_PATTERN, text) == is_valid_id(text)
    assert fits(OPTIONAL_ID_PATTERN, text) == (text == "" or is_valid_id(text))


def test_ids() -> None:
    assert check_id("a b", "user") == "a b"
    with pytest.raises(BadField) as caught:
        check_id("", "user")
    assert caught.value.field == "user"


def test_texts() -> None:
    fine = "a\tb\nc \N{BIRD}\N{ZERO WIDTH JOINER}\N{NO-BREAK SPACE}"
    assert check_text(fine, "title") == fine
    for bad in ("\x00", "\r", "\x1b[31m", "\x7f"):
        with pytest.raises(BadField):
            check_text("a" + bad, "title")


def test_times() -> None:
    assert check_at(None, "at", CLOCK) is None
    assert check_at("1970-01-01T00:00:01Z", "at", CLOCK) == 1_000
    for bad in ("never", -1, 10**400, float("inf")):
        with pytest.raises(BadField) as caught:
            check_at(bad, "until", CLOCK)
        assert caught.value.field == "until"


def test_attributes() -> None:
    check_attributes({"a": "x", "b": ["y"], "c": 1, "d": None}, "attributes")
    for bad in ({" a": 1}, {"a": "\x00"}, {"a": ["\x00"]}):
        with pytest.raises(BadField):
            check_attributes(bad, "attributes")
