"""Ordering against Python's own sort and dict."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feature_store.ordering import Columns, first_of_each, gather, grouped, sort_groups
from feature_store.records import RECORD
from tests.feature_store.making import events_of, state_of

PAIRS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 6)), max_size=60)


@given(PAIRS)
def test_the_first_of_each_pair_is_kept(pairs: list[tuple[int, int]]) -> None:
    codes = np.array([code for code, _ in pairs], np.int64)
    events = np.array([event for _, event in pairs], np.uint64)
    expected = list({pair: row for row, pair in reversed(list(enumerate(pairs)))}.values())
    assert first_of_each(codes, events).tolist() == sorted(expected)


def test_events_that_share_low_bits_are_told_apart() -> None:
    events = np.arange(500, dtype=np.uint64) << np.uint64(40)
    codes = np.zeros(500, np.int64)
    assert len(first_of_each(np.tile(codes, 2), np.tile(events, 2))) == 500


@given(PAIRS)
def test_groups_keep_the_order_of_arrival(pairs: list[tuple[int, int]]) -> None:
    codes = np.array([code for code, _ in pairs], np.int64)
    order, offsets = grouped(codes, np.arange(len(codes)), 5)
    assert order.tolist() == sorted(range(len(codes)), key=lambda row: codes[row])
    assert np.diff(offsets).tolist() == [int((codes == group).sum()) for group in range(5)]


@pytest.mark.parametrize("shape", ["random", "sorted", "reversed", "ties", "nearly"])
@pytest.mark.parametrize("size", [0, 1, 23, 24, 25, 49, 1_000])
def test_groups_are_sorted_by_time_then_event(shape: str, size: int) -> None:
    chance = np.random.default_rng(size)
    ats = chance.integers(0, 10 * size + 1, size)
    if shape == "ties":
        ats[:] = 7
    if shape in ("sorted", "reversed", "nearly"):
        ats.sort()
    if shape == "reversed":
        ats = ats[::-1].copy()
    if shape == "nearly" and size:
        ats[size // 2] = 0
    events = chance.integers(0, 2**64, size, dtype=np.uint64)
    expected = np.lexsort((events, ats))
    order, held_ats, held_events = np.arange(size), ats.copy(), events.copy()
    # Two groups, so that no group is sorted into its neighbour.
    half = size // 2
    sort_groups(order, np.array([0, half, size]), held_ats, held_events)
    low, high = (np.lexsort((events[part], ats[part])) for part in (slice(half), slice(half, None)))
    assert order.tolist() == [*low, *(high + half)]
    assert np.array_equal(held_ats, ats[order])
    order, held_ats, held_events = np.arange(size), ats.copy(), events.copy()
    sort_groups(order, np.array([0, size]), held_ats, held_events)
    assert order.tolist() == expected.tolist()


@given(events_of(["uada"]))
def test_gathering_moves_every_field(events: list) -> None:
    _, records = state_of(events)
    columns = Columns(*(np.ascontiguousarray(records[name]) for name in Columns._fields))
    assert Columns._fields == RECORD.names
    order = np.arange(len(records))[::-1].copy()
    out = np.empty(len(records), RECORD)
    gather(order, columns, out)
    assert out.tobytes() == records[::-1].tobytes()
