"""Memos come back as they went out; what cannot be read, or cannot be true, is none."""

import math
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.bidding.landscape import FIELDS, places_of
from models.bidding.memo import FARTHEST, FEATURES, PLACES, Memo, pack_memo, places_fit, read_memo

CONTEXT = {"exchange": "north", "site": "news.example", "hour": "7"}
FULL = Memo(
    tuple(places_of(CONTEXT, 16).tolist()), 1_500_000, 0.015625, 0.125, (0.5, -1.0, 0.25), False, 16
)


def test_a_memo_comes_back():
    held = pack_memo(FULL)
    assert len(held) == 48
    assert read_memo(held) == FULL
    assert read_memo(pack_memo(Memo())) == Memo()
    assert read_memo(pack_memo(FULL._replace(places=()))) == FULL._replace(places=())


@given(
    st.integers(0, 1 << 60),
    st.floats(0, 1, width=32),
    st.floats(0, 1, width=32),
    st.lists(st.floats(-FARTHEST, FARTHEST, width=32), min_size=FEATURES, max_size=FEATURES),
    st.booleans(),
)
def test_every_sane_memo_comes_back(value, click, conversion, features, greedy):
    memo = Memo(FULL.places, value, click, conversion, tuple(features), greedy, 16)
    assert read_memo(pack_memo(memo)) == memo


@given(st.binary(max_size=64))
def test_bytes_of_anybody_are_a_sane_memo_or_none(held):
    memo = read_memo(held)
    if memo is not None:
        assert 0 <= memo.click <= 1
        assert 0 <= memo.conversion <= 1
        assert all(abs(one) <= FARTHEST for one in memo.features)
        assert len(memo.places) in (0, PLACES)


def test_places_may_come_as_the_landscape_gives_them():
    made = FULL._replace(places=tuple(places_of(CONTEXT, 16)))
    assert pack_memo(made) == pack_memo(FULL)
    assert isinstance(made.places[0], np.int32)


@pytest.mark.parametrize(
    "wrong",
    [
        FULL._replace(value=-1),
        FULL._replace(value=1 << 64),
        FULL._replace(places=(0, 1)),
        FULL._replace(places=(0,) * 7 + (1 << 16,)),
        FULL._replace(features=(1.0,)),
        FULL._replace(click=1e300),
        FULL._replace(buckets=-1),
    ],
)
def test_what_does_not_fit_is_refused(wrong):
    with pytest.raises(ValueError, match="do not fit"):
        pack_memo(wrong)


@pytest.mark.parametrize("number", [math.nan, math.inf, -0.5, 1.5])
def test_a_chance_that_is_none_makes_no_memo(number):
    assert read_memo(pack_memo(FULL._replace(click=number))) is None
    assert read_memo(pack_memo(FULL._replace(conversion=number))) is None


@pytest.mark.parametrize("number", [math.nan, math.inf, 11.0, -11.0])
def test_a_feature_far_out_makes_no_memo(number):
    assert read_memo(pack_memo(FULL._replace(features=(0.0, number, 0.0)))) is None


def test_other_lengths_and_formats_are_none():
    held = pack_memo(FULL)
    for wrong in (b"", held[:-1], held + b"\0", b"\x09" + held[1:]):
        assert read_memo(wrong) is None
    assert read_memo(held[:4] + struct.pack("<Q", (1 << 60) + 1) + held[12:]) is None


@given(st.dictionaries(st.sampled_from(FIELDS), st.text(max_size=5)), st.integers(1, 300))
def test_places_fit_the_landscape_they_are_of(context, buckets):
    memo = Memo(tuple(places_of(context, buckets).tolist()), buckets=buckets)
    assert places_fit(memo, buckets)
    assert not places_fit(memo, buckets + 1)
    assert places_fit(memo._replace(buckets=0), buckets), "it need not be said"


def test_places_of_another_width_show_themselves():
    untold = FULL._replace(buckets=0)
    for buckets in (1, 2, 4, 8, 32, 64, 128, 256):
        assert not places_fit(untold, buckets)
    assert not places_fit(FULL._replace(places=()), 16)
    assert not places_fit(FULL._replace(places=(1, *FULL.places[1:])), 16)
