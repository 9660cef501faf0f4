"""The lean form: the very bits that blocks of rows give, or no lean form at all."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.forest import forest_from_dump
from models.forest.lean import WIDE, explain, lean_of, pattern_of, raw, raw_swapped, twice
from models.forest.trees import goes_left
from tests.models.forest.growing import WIDTH, asked_rows, dump_of, grown, leaf, split

VALUES = np.array([-3.0, -0.0, 0.0, 1.0, 2.5, 1e9, np.nan, np.inf, -np.inf])


def lean_forest(seed: int, leaves: int, **params):
    forest, _ = grown(seed, 300, 8, (), num_leaves=leaves, **params)
    assert forest.few is not None
    return forest, forest.few


@settings(max_examples=20)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(2, 8),
    st.sampled_from([{}, {"use_missing": False}, {"bagging_fraction": 0.5}]),
)
def test_the_bits_are_those_of_blocks(seed, leaves, params):
    forest, few = lean_forest(seed, leaves, bagging_freq=1, **params)
    # So many rows that the forest itself takes them in blocks.
    rows = asked_rows(np.random.default_rng(seed), 70)
    sums, parts = np.zeros(70), np.zeros((70, WIDTH + 1))
    raw(few.asks, few.thresholds, few.place, few.leaf, few.value, rows, sums)
    np.testing.assert_array_equal(sums, forest.raw(rows))
    parts[:, -1] = forest.base
    explain(few.asks, few.thresholds, few.place, few.slots, few.told, rows, parts)
    np.testing.assert_array_equal(parts, forest.contributions(rows))


@pytest.mark.parametrize("column", range(WIDTH))
@pytest.mark.parametrize("leaves", [3, 8])
def test_swapping_a_column_is_writing_it(column, leaves):
    forest, few = lean_forest(7, leaves)
    rows = asked_rows(np.random.default_rng(3), 40)
    swaps = forest.swaps(column, VALUES)
    found = np.zeros((40, len(VALUES)))
    parts = (few.asks, few.thresholds, few.place, few.leaf, few.value)
    raw_swapped(*parts, swaps.keep, swaps.chosen, rows, found)
    np.testing.assert_array_equal(found, forest.raw_along(rows, column, VALUES))


def test_decisions_are_those_of_the_one_rule():
    forest, few = lean_forest(5, 8)
    trees, both = forest.trees, np.empty(2 * WIDTH)
    for row in asked_rows(np.random.default_rng(1), 50):
        twice(row, both)
        for tree in range(len(forest)):
            first, last = trees.splits[tree], trees.splits[tree + 1]
            wanted = sum(
                int(goes_left(trees, one, float(row[trees.feature[one]]))) << (one - first)
                for one in range(first, last)
            )
            assert pattern_of(few.asks, few.thresholds, tree, both) == wanted


def test_rows_of_the_table_begin_where_lines_of_the_cache_do():
    _, few = lean_forest(2, 8)
    assert few.told.ctypes.data % (8 * WIDE) == 0
    assert few.told.shape[1] == WIDE


def test_missing_goes_where_the_split_says_also_beside_endless_thresholds():
    for side in (True, False):
        for threshold in (0.0, 1e308, -1e308):
            root = split(1, threshold, leaf(1.0, 5), leaf(2.0, 5), default_left=side)
            forest = forest_from_dump(dump_of(root, features=2))
            assert forest.few is not None
            assert forest.raw(np.array([[0.0, np.nan]])).tolist() == [1.0 if side else 2.0]


def test_sets_of_categories_large_trees_and_missing_zeros_have_no_lean_form():
    for changed in ({"num_leaves": 12}, {"zero_as_missing": True}, {"categories": (4,)}):
        forest, _ = grown(1, **changed)
        trees, tables = forest.trees, forest._tables
        assert lean_of(trees, tables, forest.features) is None
        assert forest.few is None
        # They answer all the same, a row alone as among others.
        rows = asked_rows(np.random.default_rng(0), 9)
        alone = [forest.raw(row[None])[0] for row in rows]
        np.testing.assert_array_equal(forest.raw(rows), alone)


def test_no_trees_are_lean_and_say_nothing():
    forest = forest_from_dump(dump_of(features=3))
    assert forest.few is not None
    assert forest.raw(np.ones((1, 3))).tolist() == [0.0]
    assert forest.swaps(1, VALUES).chosen.shape == (0, len(VALUES))
