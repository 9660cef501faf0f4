"""Reach: nobody counts twice for the same thing, and what is forgotten is the oldest."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feature_store.reach import Reach, pairs_of


def _one(reach: Reach, pair: int, *strengths: float) -> list[float]:
    return reach.strengthen(np.array([pair], np.uint64), np.array([strengths]))[0].tolist()


def test_the_strongest_is_kept_number_by_number() -> None:
    reach = Reach(2, 16)
    assert _one(reach, 7, 1.0, 5.0) == [-np.inf, -np.inf]
    assert _one(reach, 7, 3.0, 2.0) == [1.0, 5.0]
    assert _one(reach, 7, 0.0, 0.0) == [3.0, 5.0]
    assert _one(reach, 8, 0.0, 0.0) == [-np.inf, -np.inf]


@given(rows=st.lists(st.tuples(st.integers(1, 9), st.floats(-5, 5)), max_size=60))
def test_many_at_once_are_as_one_by_one(rows: list[tuple[int, float]]) -> None:
    """A naive dictionary says the same, whatever falls on the same place."""
    pairs = np.array([64 * pair for pair, _ in rows], np.uint64)
    said = np.array([one for _, one in rows]).reshape(-1, 1)
    before = Reach(1, 64).strengthen(pairs, said)
    held: dict[int, float] = {}
    for (pair, one), found in zip(rows, before[:, 0].tolist(), strict=True):
        assert found == held.get(pair, -np.inf)
        held[pair] = max(held.get(pair, -np.inf), one)


def test_when_it_is_full_the_oldest_are_forgotten_and_the_latest_are_not() -> None:
    reach = Reach(1, 64)
    _one(reach, 1, 4.0)
    for pair in range(100, 140):
        _one(reach, pair, 1.0)
    assert _one(reach, 1, 0.0) == [4.0]
    for pair in range(200, 240):
        _one(reach, pair, 1.0)
    assert _one(reach, 1, 0.0) == [4.0]
    for pair in range(300, 400):
        _one(reach, pair, 1.0)
    assert _one(reach, 1, 0.0) == [-np.inf]


def test_a_flood_greater_than_all_places_ends() -> None:
    reach = Reach(1, 64)
    before = reach.strengthen(np.arange(1, 10_001, dtype=np.uint64), np.zeros((10_000, 1)))
    assert (before == -np.inf).all()


def test_pairs_differ_by_either_and_are_above_zero() -> None:
    people, things = np.meshgrid(np.arange(200, dtype=np.uint64), np.arange(200, dtype=np.uint64))
    pairs = pairs_of(people.ravel(), things.ravel())
    assert len(np.unique(pairs)) == 200 * 200
    assert pairs.min() > 0
    one, other = (np.array([n], np.uint64) for n in (3, 5))
    assert pairs_of(one, other)[0] != pairs_of(other, one)[0]


@pytest.mark.parametrize("count", [0, 1])
def test_nothing_asks_nothing(count: int) -> None:
    found = Reach(3, 16).strengthen(np.ones(count, np.uint64), np.zeros((count, 3)))
    assert found.shape == (count, 3)
