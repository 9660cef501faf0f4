"""Consent strings: what was written is read, whatever the encoding, and nothing else is."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.tcf import Bits, Consent, Restriction, Unreadable, decode
from tests.domain.consents import core, vendors_by_bits, vendors_by_spans

PUBLIC = "CPXxRfAPXxRfAAfKABENB-CgAAAAAAAAAAYgAAAAAAAA"
"""A string of the wild: made at 2022-04-20 22:00 UTC, consents to nothing."""

OURS = 755
GOLDEN = Path(__file__).parents[1] / "golden" / "consents" / "iab-tcf.json"
"""What another reader, iab-tcf, finds in strings of the wild and in drawn ones."""


def test_a_string_of_the_wild() -> None:
    consent = decode(PUBLIC)
    assert consent.created == consent.updated == 1_650_492_000_000
    assert (consent.policy, consent.purposes, consent.interests) == (2, 0, 0)
    assert not consent.trusts(1)
    assert consent.restrictions == ()
    assert not consent.grants(OURS, (2, 4))


@given(
    purposes=st.sets(st.integers(1, 24)),
    interests=st.sets(st.integers(1, 24)),
    ids=st.sets(st.integers(1, 900), max_size=40),
)
def test_bits_and_spans_say_the_same(
    purposes: set[int], interests: set[int], ids: set[int]
) -> None:
    single = [(one, one) for one in sorted(ids)]
    bits = decode(core(purposes=purposes, interests=interests, vendors=vendors_by_bits(ids)))
    ranges = decode(core(purposes=purposes, interests=interests, vendors=vendors_by_spans(single)))
    for number in range(1, 25):
        assert bits.consents(number) == ranges.consents(number) == (number in purposes)
        assert bool(bits.interests >> (number - 1) & 1) == (number in interests)
    for vendor in range(1, 902):
        assert bits.trusts(vendor) == ranges.trusts(vendor) == (vendor in ids)


def test_ranges_include_both_ends() -> None:
    consent = decode(core(vendors=vendors_by_spans([(10, 20), (700, 700)])))
    assert [one for one in range(1, 800) if consent.trusts(one)] == [*range(10, 21), 700]


def consent_to(*restrictions: tuple[int, int, list[tuple[int, int]]]) -> Consent:
    return decode(
        core(
            purposes=(2, 4), vendors=vendors_by_bits([OURS]), restrictions=restrictions,
            interested=vendors_by_spans([(1, 9)]),
        )
    )  # fmt: skip


@pytest.mark.parametrize("told", json.loads(GOLDEN.read_text())["strings"])
def test_another_reader_finds_the_same(told: dict[str, Any]) -> None:
    consent = decode(told["text"])
    assert consent.policy == told["policy"]
    for number in range(1, 25):
        assert consent.consents(number) == (number in told["purposes"])
        assert bool(consent.interests >> (number - 1) & 1) == (number in told["interests"])
    interested = {
        one for first, last in consent.interested for one in range(first, last + 1) if one <= 1_000
    }
    assert interested == set(told["interested"])
    assert [one for one in range(1, 1_001) if consent.trusts(one)] == told["vendors"]
    assert len(consent.restrictions) == told["restrictions"]


def test_all_purposes_and_the_vendor_are_needed() -> None:
    assert consent_to().grants(OURS, (2, 4))
    assert not consent_to().grants(OURS, (2, 3))
    assert not consent_to().grants(OURS - 1, (2, 4))
    assert not consent_to().grants(0, (2, 4))
    assert consent_to().interested == ((1, 9),)


def test_a_publisher_may_take_consent_away() -> None:
    everybody = [(1, 2_000)]
    assert not consent_to((2, 0, everybody)).grants(OURS, (2, 4))
    assert not consent_to((4, 2, everybody)).grants(OURS, (2, 4))
    assert consent_to((2, 1, everybody)).grants(OURS, (2, 4))
    assert consent_to((7, 0, everybody)).grants(OURS, (2, 4))
    assert consent_to((2, 0, [(1, 754), (756, 900)])).grants(OURS, (2, 4))
    assert consent_to((2, 0, [(5, 5)])).restrictions == (Restriction(2, 0, ((5, 5),)),)


def test_later_segments_and_padding_change_nothing() -> None:
    text = core(purposes=(2, 4), vendors=vendors_by_bits([OURS]))
    plain = decode(text)
    assert decode(text + ".YAAAAAAAAAAA") == plain
    assert decode(text + "=" * (-len(text) % 4)) == plain


@pytest.mark.parametrize(
    "text",
    [
        "", "some-consent-string", "gdprConsentString", "é", "C", "CPXx", PUBLIC[:-8], " " + PUBLIC,
        "BOEFEAyOEFEAyAHABDENAI4AAAB9vABAASA", core(version=1), core(version=3), "C" * 20_000,
    ],
)  # fmt: skip
def test_what_is_none_is_refused(text: str) -> None:
    with pytest.raises(Unreadable):
        decode(text)


def test_a_range_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(Unreadable, match="before it starts"):
        decode(core(vendors=vendors_by_spans([(20, 10)])))


@given(st.text(max_size=80) | st.text("ABCDEFabcdef-_019.", max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        decode(text)
    except Unreadable:
        return


@given(cut=st.integers(2, 60))
def test_a_string_cut_short_is_refused(cut: int) -> None:
    with pytest.raises(Unreadable):
        decode(core(purposes=(2, 4), vendors=vendors_by_bits([OURS]))[:-cut])


def test_bits_are_taken_from_the_left() -> None:
    bits = Bits("DBABM")
    assert [bits.take(6), bits.take(6), bits.take(12), bits.take(1)] == [3, 1, 1, 0]
    assert bits.take(0) == 0
    assert bits.cut(3) == "011"
    with pytest.raises(Unreadable):
        bits.skip(99)
