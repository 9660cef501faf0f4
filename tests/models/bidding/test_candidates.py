"""Candidates in one pass give the very numbers of whole rows."""

import lightgbm as lgb
import numpy as np
import pytest

from models.bidding.candidates import raw_of_candidates
from models.forest.dump import forest_from_dump


def grown(shared, own, leaves=8, seed=0):
    """A forest over categories and numbers with missing values."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(3000, shared + own))
    x[:, 0] = rng.integers(0, 40, 3000)
    x[:, shared] = rng.integers(0, 20, 3000)
    x[rng.random(3000) < 0.1, 1] = np.nan
    y = (x[:, 0] % 3 == 0) + (x[:, shared] % 4 == 0) + np.nan_to_num(x[:, 1]) > 0.8
    data = lgb.Dataset(x, y.astype(float), categorical_feature=[0, shared])
    params = {"objective": "binary", "num_leaves": leaves, "verbosity": -1, "num_threads": 1}
    return forest_from_dump(lgb.train(params, data, 40).dump_model()), x


def test_the_same_as_whole_rows():
    for leaves in (2, 8, 31):
        forest, x = grown(5, 3, leaves)
        for n in (1, 10, 64):
            common, own = x[7, :5], np.ascontiguousarray(x[:n, 5:])
            out = np.zeros(n)
            raw_of_candidates(forest.trees, common, own, out)
            rows = np.concatenate([np.tile(common, (n, 1)), own], axis=1)
            np.testing.assert_array_equal(out, forest.raw(rows))


def test_nobody_and_missing_values():
    forest, x = grown(5, 3)
    out = np.zeros(0)
    raw_of_candidates(forest.trees, x[0, :5], np.empty((0, 3)), out)
    nothing = np.full(5, np.nan)
    out = np.zeros(2)
    raw_of_candidates(forest.trees, nothing, np.full((2, 3), np.nan), out)
    np.testing.assert_array_equal(out, forest.raw(np.full((2, 8), np.nan)))


def test_what_is_there_is_added_to():
    forest, x = grown(5, 3)
    out = np.full(1, 10.0)
    raw_of_candidates(forest.trees, x[0, :5], x[:1, 5:].copy(), out)
    assert out[0] == pytest.approx(10.0 + forest.raw(x[:1])[0])
