"""One column through several values: the numbers that plain rows would give, to the bit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.forest import forest_from_dump
from tests.models.forest.growing import WIDTH, asked_rows, dump_of, grown

VALUES = np.array([-3.0, -0.0, 0.0, 1.0, 2.5, 1e9, np.nan])


def one_by_one(forest, rows, column, values):
    out = np.empty((len(rows), len(values)))
    for k, value in enumerate(values):
        changed = rows.copy()
        changed[:, column] = value
        out[:, k] = forest.raw(changed)
    return out


@settings(max_examples=25)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(2, 20),
    st.sampled_from([(), (4,), (3, 4)]),
    st.integers(0, WIDTH - 1),
)
def test_equals_rows_that_hold_the_value(seed, leaves, categories, column):
    forest, _ = grown(seed, 300, 8, categories, num_leaves=leaves, cat_smooth=1)
    # One by one, part of a block, and several blocks.
    for count in (3, 20, 150):
        rows = asked_rows(np.random.default_rng(seed), count)
        wanted = one_by_one(forest, rows, column, VALUES)
        np.testing.assert_array_equal(forest.raw_along(rows, column, VALUES), wanted)


def test_the_rows_own_value_is_not_looked_at():
    forest, _ = grown(1)
    rows = asked_rows(np.random.default_rng(0), 10)
    other = rows.copy()
    other[:, 2] = 77.0
    np.testing.assert_array_equal(
        forest.raw_along(rows, 2, VALUES), forest.raw_along(other, 2, VALUES)
    )


def test_a_column_that_no_tree_asks_changes_nothing():
    from tests.models.forest.growing import leaf, split

    forest = forest_from_dump(dump_of(split(0, 0.5, leaf(1.0, 5), leaf(2.0, 5)), features=3))
    found = forest.raw_along(np.array([[0.0, 9.0, 9.0], [1.0, 9.0, 9.0]]), 2, VALUES)
    assert (found == [[1.0], [2.0]]).all()


def test_no_rows_no_values_no_trees():
    forest, _ = grown()
    assert forest.raw_along(np.empty((0, WIDTH)), 0, VALUES).shape == (0, len(VALUES))
    assert forest.raw_along(np.zeros((2, WIDTH)), 0, np.empty(0)).shape == (2, 0)
    nothing = forest_from_dump(dump_of(features=3))
    assert not nothing.raw_along(np.ones((2, 3)), 1, VALUES).any()


@pytest.mark.parametrize("column", [-1, WIDTH])
def test_a_column_that_is_not_there_is_refused(column):
    forest, _ = grown()
    with pytest.raises(ValueError, match="column"):
        forest.raw_along(np.zeros((1, WIDTH)), column, VALUES)
