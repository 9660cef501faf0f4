"""Cut, scaled and added trees answer as the arithmetic on their boosters says."""

import numpy as np
import pytest

from models.forest import forest_from_dump
from tests.models.forest.growing import dump_of, grow, leaf, split
from training.fit.uplift.steps import (
    LARGEST,
    added,
    contrast,
    contrast_of,
    fixed,
    forest_of,
    scaled,
    steps_of,
)

W = 2
"""The last column, of 0 and 1: contact."""


@pytest.fixture(scope="module", params=[4, 8])
def booster(request):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2000, 3))
    x[:, W] = rng.integers(0, 2, 2000)
    x[:, 1][rng.random(2000) < 0.2] = np.nan
    y = x[:, W] * np.where(x[:, 0] > 0, 1.0, -1.0) + np.nan_to_num(x[:, 1]) + rng.normal(size=2000)
    return grow(x, y, 40, (), objective="regression", num_leaves=request.param, min_data_in_leaf=20)


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(500, 2))
    x[:, 1][rng.random(500) < 0.2] = np.nan
    return x


def with_contact(rows, value):
    return np.column_stack([rows, np.full(len(rows), float(value))])


def test_the_contrast_is_the_difference_of_two_answers(booster, rows):
    steps = contrast(booster.dump_model(), W)
    wanted = booster.predict(with_contact(rows, 1)) - booster.predict(with_contact(rows, 0))
    assert np.ptp(wanted) > 0.5
    assert forest_of(steps, 2).raw(rows) == pytest.approx(wanted, abs=1e-9)


def test_the_first_rounds_of_a_contrast_are_those_of_the_booster(booster, rows):
    steps = contrast(booster.dump_model(), W)
    assert len(steps) == 40
    ends = [booster.predict(with_contact(rows, one), num_iteration=7) for one in (1, 0)]
    assert forest_of(steps[:7], 2).raw(rows) == pytest.approx(ends[0] - ends[1], abs=1e-9)


def test_contrasts_stay_small_enough_to_be_looked_up(booster):
    forest = forest_of(contrast(booster.dump_model(), W), 2)
    assert (np.diff(forest.trees.leaves) <= LARGEST).all()


def test_trees_that_never_ask_are_gone():
    deaf = {"tree_info": [{"tree_structure": split(0, 0.0, leaf(1.0, 5), leaf(2.0, 5))}]}
    assert contrast(deaf, W) == [[]]
    assert forest_of(contrast(deaf, W), 2).raw(np.zeros((1, 2))).tolist() == [0.0]


def test_nothing_is_left_where_the_column_is_not_asked():
    asks = split(W, 0.5, leaf(1.0, 30), leaf(4.0, 10))
    tree = split(0, 0.0, split(1, 0.0, leaf(7.0, 5), leaf(8.0, 5)), asks)
    found = contrast_of(tree, W)
    assert found["left_child"] == {"leaf_value": 0.0, "leaf_count": 10.0}
    assert found["right_child"]["leaf_value"] == 3.0
    assert found["internal_count"] == 50.0


def test_a_fixed_column_is_not_asked_any_more():
    tree = split(0, 0.0, leaf(7.0, 5), split(W, 0.5, leaf(1.0, 30), leaf(4.0, 10)))
    one, none = fixed(tree, W, 1.0), fixed(tree, W, 0.0)
    assert one["right_child"]["leaf_value"] == 4.0
    assert none["right_child"]["leaf_value"] == 1.0
    assert (one["internal_count"], none["internal_count"]) == (15.0, 35.0)


def test_a_pair_of_trees_stands_where_one_would_be_too_large(rows):
    def side(sign):
        inner = [split(1, at, leaf(sign * at, 9), leaf(sign * 2.0, 9)) for at in (-0.5, 0.7)]
        return split(0, 0.3 * sign, inner[0], inner[1])

    dump = dump_of(split(W, 0.5, side(1.0), side(-1.0)), features=3)
    (pair,) = contrast(dump, W)
    assert len(pair) == 2
    whole = forest_from_dump(dump)
    wanted = whole.raw(with_contact(rows, 1)) - whole.raw(with_contact(rows, 0))
    assert forest_of([pair], 2).raw(rows) == pytest.approx(wanted, abs=1e-12)


def test_sums_and_shares_of_boosters(booster, rows):
    dump = booster.dump_model()
    wide = with_contact(rows, 1)
    half, third = steps_of(dump, 0.5), steps_of(dump, -1 / 3)
    found = forest_of(added(half, third), 3, factor=6.0).raw(wide)
    assert found == pytest.approx(booster.predict(wide), abs=1e-9)
    assert scaled(leaf(2.0, 3), -1.0)["leaf_value"] == -2.0
    with pytest.raises(ValueError, match="zip"):
        added(half, third[:3])


def test_contributions_of_a_contrast_add_up(booster, rows):
    forest = forest_of(contrast(booster.dump_model(), W), 2)
    assert forest.contributions(rows).sum(axis=1) == pytest.approx(forest.raw(rows), abs=1e-9)
