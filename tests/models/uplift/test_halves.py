"""Forests put together answer, each by itself, as before."""

import numpy as np
import pytest

from models.forest import Forest, forest_from_dump
from models.uplift.halves import Halves
from tests.models.forest.growing import WIDTH, asked_rows, dump_of, grown, leaf, split


@pytest.fixture(scope="module")
def forests():
    return [grown(seed, rounds=3 + seed, num_leaves=4 + 5 * seed)[0] for seed in range(3)]


@pytest.fixture(scope="module")
def rows():
    """Missing, infinite, tiny and absurd values; sets of categories."""
    return asked_rows(np.random.default_rng(1), 400)


def test_every_half_says_what_its_forest_says(forests, rows):
    found = Halves.of(forests).scores(rows)
    assert found.shape == (3, 400)
    for one, forest in zip(found, forests, strict=True):
        np.testing.assert_allclose(one, forest.raw(rows), rtol=0, atol=1e-12)


@pytest.mark.parametrize("n", [0, 1, 8, 9, 64, 130])
def test_rows_do_not_depend_on_their_neighbours(forests, rows, n):
    halves = Halves.of(forests)
    found = halves.scores(rows[:n])
    assert found.shape == (3, n)
    for row in range(n):
        np.testing.assert_array_equal(found[:, row], halves.scores(rows[row : row + 1])[:, 0])


def test_contributions_are_those_of_the_mean(forests, rows):
    halves = Halves.of(forests)
    wanted = np.mean([forest.contributions(rows) for forest in forests], axis=0)
    np.testing.assert_allclose(halves.contributions(rows), wanted, atol=1e-9)
    sums = halves.contributions(rows).sum(axis=1)
    np.testing.assert_allclose(sums, halves.scores(rows).mean(axis=0), atol=1e-9)


def test_a_forest_of_one_leaf_and_one_of_none_keep_their_places():
    empty = forest_from_dump(dump_of())
    lone = forest_from_dump(dump_of(leaf(0.25, 10)))
    tree = forest_from_dump(dump_of(split(0, 0.5, leaf(1.0, 4), leaf(2.0, 6))))
    rows = np.zeros((2, WIDTH))
    rows[1, 0] = 1.0
    found = Halves.of([empty, lone, tree]).scores(rows)
    assert found.tolist() == [[0.0, 0.0], [0.25, 0.25], [1.0, 2.0]]


def test_they_come_back_from_their_arrays(forests, rows):
    halves = Halves.of(forests)
    again = Halves.from_arrays({name: array.copy() for name, array in halves.arrays().items()})
    assert len(again) == 3
    np.testing.assert_array_equal(halves.scores(rows), again.scores(rows))
    assert len(halves.arrays()) < 20


def test_what_does_not_fit_together_is_refused(forests, rows):
    narrow = forest_from_dump(dump_of(leaf(1.0, 1), features=2))
    for wrong in ([], [forests[0], narrow]):
        with pytest.raises(ValueError, match="one number of features"):
            Halves.of(wrong)
    whole: Forest = forests[0]
    for starts in ([0], [0, 1], [1, 3], [0, 3, 2, 3]):
        with pytest.raises(ValueError, match="tile"):
            Halves(whole, np.array(starts))
    with pytest.raises(KeyError):
        Halves.from_arrays(whole.arrays())
    for narrower in (rows[:, :2], rows[0]):
        with pytest.raises(ValueError, match="features are wanted"):
            Halves.of(forests).scores(narrower)
