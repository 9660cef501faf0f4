import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.forest import Forest, forest_from_dump
from tests.models.forest.growing import (
    WIDTH,
    asked_rows,
    dump_of,
    grow,
    grown,
    leaf,
    naive_shapley,
    split,
)


def assert_same(forest: Forest, booster, rows) -> None:
    raw, parts = forest.raw(rows), forest.contributions(rows)
    np.testing.assert_array_equal(raw, booster.predict(rows, raw_score=True))
    np.testing.assert_allclose(parts, booster.predict(rows, pred_contrib=True), 0, 1e-9)
    np.testing.assert_allclose(parts.sum(1), raw, 0, 1e-9)


@settings(max_examples=25)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(2, 24),
    st.sampled_from(
        [{}, {"zero_as_missing": True}, {"use_missing": False}, {"bagging_fraction": 0.5}]
    ),
    st.sampled_from([(), (4,), (3, 4)]),
)
def test_equals_any_booster(seed, leaves, params, categories):
    forest, booster = grown(
        seed, 300, 8, categories, num_leaves=leaves, bagging_freq=1, cat_smooth=1, **params
    )
    assert_same(forest, booster, asked_rows(np.random.default_rng(seed), 80))


@pytest.mark.parametrize("leaves", [2, 8, 9, 31])
def test_equals_boosters_below_and_above_the_size_of_tables(leaves):
    forest, booster = grown(1, 2_000, 40, num_leaves=leaves)
    assert len(forest) == 40
    assert_same(forest, booster, asked_rows(np.random.default_rng(2), 500))


@pytest.mark.parametrize("n", [1, 2, 4, 5, 79, 80, 81, 200])
@pytest.mark.parametrize("leaves", [5, 8, 20])
def test_rows_do_not_depend_on_their_neighbours(n, leaves):
    forest, _ = grown(2, num_leaves=leaves)
    rows = asked_rows(np.random.default_rng(n), n)
    alone = [forest.contributions(row[None])[0] for row in rows]
    np.testing.assert_array_equal(forest.contributions(rows), alone)
    np.testing.assert_array_equal(forest.raw(rows), [forest.raw(row[None])[0] for row in rows])
    np.testing.assert_array_equal(forest.raw(np.asfortranarray(rows)), forest.raw(rows))


def test_deep_trees_keep_their_digits():
    # One feature a step, nearly all rows staying on the long side: the hardest for an unwinding.
    node = leaf(1.0, 1_000_000)
    for feature in range(120):
        node = split(feature, 0.0, leaf(float(feature % 2), 1), node)
    forest = forest_from_dump(dump_of(node, features=120))
    rows = np.vstack([np.ones(120), -np.ones(120), np.resize([1.0, 1.0, -1.0], 120)])
    parts = forest.contributions(rows)
    np.testing.assert_allclose(parts.sum(1), forest.raw(rows), 0, 1e-9)
    assert np.abs(parts[0, :-1]).max() < 1e-4


def test_deep_boosters_equal_theirs():
    rng = np.random.default_rng(5)
    rows = rng.integers(0, 500, (800, 2)).astype(float)
    labels = (rows[:, 0] * 7 + rows[:, 1]) % 11
    booster = grow(
        rows, labels, 5, (), "regression", num_leaves=400, min_data_in_leaf=1, max_depth=-1
    )
    forest = forest_from_dump(booster.dump_model())
    np.testing.assert_array_equal(forest.raw(rows), booster.predict(rows, raw_score=True))
    parts = booster.predict(rows, pred_contrib=True)
    np.testing.assert_allclose(forest.contributions(rows), parts, 0, 1e-8)


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(1, 12))
def test_equals_the_definition_on_trees_grown_by_hand(seed, leaves):
    rng = np.random.default_rng(seed)

    def build(size):
        if size == 1:
            return leaf(float(rng.normal()), int(rng.integers(0, 20)))
        cut = int(rng.integers(1, size))
        # Few features, so that many are asked twice on a path; some branches no row reached.
        return split(int(rng.integers(0, 4)), float(rng.normal()), build(cut), build(size - cut))

    root = build(leaves)
    forest = forest_from_dump(dump_of(root, features=4))
    rows = rng.normal(size=(5, 4))
    naive = [naive_shapley(root, row, 4) for row in rows]
    np.testing.assert_allclose(forest.contributions(rows), naive, 0, 1e-9)


def test_a_constant_booster_says_its_base_and_nothing_else():
    booster = grow(np.ones((50, WIDTH)), np.arange(50) % 2, 3, ())
    forest = forest_from_dump(booster.dump_model())
    rows = asked_rows(np.random.default_rng(0), 4)
    assert_same(forest, booster, rows)
    assert not forest.contributions(rows)[:, :-1].any()


def test_a_forest_of_no_trees_says_zero():
    forest = forest_from_dump(dump_of(features=3))
    assert len(forest) == 0
    assert forest.raw(np.ones((2, 3))).tolist() == [0.0, 0.0]
    assert not forest.contributions(np.ones((2, 3))).any()


def test_no_rows_give_no_answers():
    forest, _ = grown()
    assert forest.raw(np.empty((0, WIDTH))).shape == (0,)
    assert forest.contributions(np.empty((0, WIDTH))).shape == (0, WIDTH + 1)


@pytest.mark.parametrize("shape", [(2, WIDTH - 1), (2, WIDTH + 1), (WIDTH,)])
def test_rows_of_another_width_are_refused(shape):
    forest, _ = grown()
    with pytest.raises(ValueError, match="6 features"):
        forest.raw(np.zeros(shape))
    with pytest.raises(ValueError, match="6 features"):
        forest.contributions(np.zeros(shape))


def test_comes_back_from_its_arrays_unchanged():
    forest, _ = grown(3, num_leaves=12)
    again = Forest.from_arrays({name: array.copy() for name, array in forest.arrays().items()})
    rows = asked_rows(np.random.default_rng(1), 50)
    np.testing.assert_array_equal(again.contributions(rows), forest.contributions(rows))
    np.testing.assert_array_equal(again.raw(rows), forest.raw(rows))
    assert again.base == forest.base


def test_columns_in_any_memory_order_are_read_as_numbers():
    forest, _ = grown(3)
    rows = np.round(np.nan_to_num(asked_rows(np.random.default_rng(1), 20)), 0)
    rows = np.clip(rows, -100, 100)
    wanted = forest.raw(rows)
    np.testing.assert_array_equal(forest.raw(np.asfortranarray(rows)), wanted)
    np.testing.assert_array_equal(forest.raw(rows.astype(np.float32)), wanted)


def test_a_feature_that_the_forest_does_not_have_is_refused():
    forest, _ = grown()
    with pytest.raises(ValueError, match="does not have"):
        Forest.from_arrays(forest.arrays() | {"features": np.array([1])})
