"""Forests put on one shelf and taken off again answer as before."""

import numpy as np
import pytest

from models.forest import Forest, forest_from_dump
from models.uplift.shelf import shelved, unshelved
from tests.models.forest.growing import WIDTH, asked_rows, dump_of, grown, leaf, split


def test_forests_come_back_as_they_were():
    forests = [grown(seed, rounds=3 + seed, num_leaves=6)[0] for seed in range(3)]
    rows = asked_rows(np.random.default_rng(1), 300)
    back = unshelved(shelved(forests))
    assert len(back) == 3
    for one, other in zip(forests, back, strict=True):
        np.testing.assert_array_equal(one.raw(rows), other.raw(rows))
        np.testing.assert_array_equal(one.contributions(rows), other.contributions(rows))


def test_a_forest_of_one_leaf_and_one_of_none_keep_their_places():
    empty = Forest.from_arrays(
        {**forest_from_dump(dump_of()).arrays(), "features": np.array([WIDTH])}
    )
    lone = forest_from_dump(dump_of(leaf(0.25, 10)))
    tree = forest_from_dump(dump_of(split(0, 0.5, leaf(1.0, 4), leaf(2.0, 6))))
    rows = np.zeros((2, WIDTH))
    rows[1, 0] = 1.0
    found = [forest.raw(rows).tolist() for forest in unshelved(shelved([empty, lone, tree]))]
    assert found == [[0.0, 0.0], [0.25, 0.25], [1.0, 2.0]]


def test_what_does_not_fit_together_is_refused():
    one = grown(rounds=2)[0]
    narrow = forest_from_dump(dump_of(leaf(1.0, 1), features=2))
    for wrong in ([], [one, narrow]):
        with pytest.raises(ValueError, match="one number of features"):
            shelved(wrong)
    arrays = shelved([one, one])
    for starts in ([0], [0, 1], [1, 4], [0, 3, 2, 4]):
        with pytest.raises(ValueError, match="tile"):
            unshelved({**arrays, "forests": np.array(starts)})
    with pytest.raises(KeyError):
        unshelved({name: array for name, array in arrays.items() if name != "splits"})
