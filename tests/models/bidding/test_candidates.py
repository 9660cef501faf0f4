"""Candidates in one pass give the very numbers of whole rows."""

import lightgbm as lgb
import numpy as np
import pytest

from models.bidding.candidates import MOST_SPLITS, codes_of, fan_of, raw_of_candidates
from models.forest.dump import forest_from_dump

COMMON, OWN = 5, 3
WORDS = (0, 5, 6, 7)


def grown(leaves=8, seed=0, words=WORDS, trees=40):
    """A forest over words and numbers with missing values."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(3000, COMMON + OWN))
    for column in WORDS:
        x[:, column] = rng.integers(0, 250, 3000)
    x[rng.random(3000) < 0.1, 1] = np.nan
    y = (x[:, 0] % 3 == 0) + (x[:, 5] % 4 == 0) + np.nan_to_num(x[:, 1]) > 0.8
    data = lgb.Dataset(x, y.astype(float), categorical_feature=list(words))
    params = {
        "objective": "binary",
        "num_leaves": leaves,
        "verbosity": -1,
        "num_threads": 1,
        "min_data_per_group": 5,
    }
    return forest_from_dump(lgb.train(params, data, trees).dump_model()), x


def asked(forest, common, own):
    """Answer what the one pass says of candidates."""
    codes, words, out = (
        np.empty(COMMON, np.int64),
        np.empty(own.shape, np.int64),
        np.zeros(len(own)),
    )
    codes_of(common, codes)
    for row in range(len(own)):
        codes_of(own[row], words[row])
    raw_of_candidates(fan_of(forest.trees, COMMON, WORDS), common, codes, words, out)
    return out


@pytest.mark.parametrize("leaves", [2, 4, 8])
def test_the_same_as_whole_rows(leaves):
    forest, x = grown(leaves)
    for n in (1, 10, 64):
        for place in (7, 500, 2000):
            common, own = x[place, :COMMON], x[:n, COMMON:]
            rows = np.concatenate([np.tile(common, (n, 1)), own], axis=1)
            np.testing.assert_array_equal(asked(forest, common, own), forest.raw(rows))


def test_words_never_seen_and_missing_numbers_go_where_whole_rows_go():
    forest, _ = grown()
    common = np.array([255.0, np.nan, np.nan, np.nan, np.nan])
    own = np.full((2, OWN), 251.0)
    rows = np.concatenate([np.tile(common, (2, 1)), own], axis=1)
    np.testing.assert_array_equal(asked(forest, common, own), forest.raw(rows))


def test_nobody_is_nothing():
    forest, x = grown()
    assert asked(forest, x[0, :COMMON], np.empty((0, OWN))).shape == (0,)


def test_what_is_there_is_added_to():
    forest, x = grown(trees=3)
    fan, codes = fan_of(forest.trees, COMMON, WORDS), np.zeros(COMMON, np.int64)
    codes_of(x[0, :COMMON], codes)
    out, words = np.full(1, 10.0), x[:1, COMMON:].astype(np.int64)
    raw_of_candidates(fan, x[0, :COMMON], codes, words, out)
    assert out[0] == pytest.approx(10.0 + forest.raw(x[:1])[0])


@pytest.mark.parametrize("value", [-1.0, 256.0, 1e300, float("nan"), float("inf")])
def test_what_is_no_word_stays_inside_the_tables(value):
    codes = np.full(1, 7, np.int64)
    codes_of(np.array([value]), codes)
    assert codes[0] == 0


def test_large_trees_and_odd_questions_are_refused():
    forest, _ = grown(31)
    with pytest.raises(ValueError, match=str(MOST_SPLITS)):
        fan_of(forest.trees, COMMON, WORDS)
    small, _ = grown(8)
    with pytest.raises(ValueError, match="threshold"):
        fan_of(small.trees, COMMON, (5, 6, 7))
    numeric, _ = grown(8, words=(0,))
    with pytest.raises(ValueError, match="threshold"):
        fan_of(numeric.trees, COMMON, (0,))
