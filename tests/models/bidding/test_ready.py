"""A model laid out for bids gives the very numbers of the model itself."""

import lightgbm as lgb
import numpy as np
import pytest

from models.bidding.columns import BUCKETS, CATEGORIES, COMMON, NAMES, OWN, SHARED, WORDS
from models.bidding.landscape import Landscape, columns_of
from models.bidding.model import BiddingModel, Calibrated, no_model
from models.bidding.ready import raw_of_lines, ready_of
from models.forest.dump import forest_from_dump


def forest(seed, leaves=8, trees=30):
    """A forest over every column, with missing numbers."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(4000, len(NAMES)))
    x[:, CATEGORIES] = rng.integers(0, BUCKETS, (4000, len(CATEGORIES)))
    numbers = [place for place in range(len(NAMES)) if place not in CATEGORIES]
    x[:, numbers] = np.where(rng.random((4000, len(numbers))) < 0.2, np.nan, x[:, numbers])
    y = (x[:, 0] % 3 == 0) + (x[:, -1] % 2 == 0) + np.nan_to_num(x[:, numbers[0]]) > 0.9
    data = lgb.Dataset(x, y.astype(float), categorical_feature=list(CATEGORIES))
    params = {"objective": "binary", "num_leaves": leaves, "verbosity": -1, "num_threads": 1,
              "min_data_per_group": 5, "seed": seed}  # fmt: skip
    return forest_from_dump(lgb.train(params, data, trees).dump_model()), x


def model_of(click, conversion):
    d = columns_of(2) + 1
    variance = np.random.default_rng(5).random((2, len(WORDS) * BUCKETS)) * 0.2
    landscape = Landscape(0, np.zeros(d), np.eye(d), 2)
    return BiddingModel(
        Calibrated(click, 1.0, 0.0, 0.1), Calibrated(conversion, 1.0, 0.0, 0.2), variance, landscape
    )


def asked(ready, row, own_rows):
    """Answer both forests' outputs of candidates that share a row's first columns."""
    shared, numbers = row[: len(SHARED)].astype(np.int64), row[len(SHARED) : COMMON]
    over, doubts = ready.scene(shared)
    lines, own_doubts = ready.lines(own_rows.astype(np.int64))
    out = (np.zeros(len(own_rows)), np.zeros(len(own_rows)))
    rows = np.arange(len(own_rows))
    raw_of_lines(ready.trees, over, numbers, lines, rows, out)
    return out, np.array(doubts) + own_doubts


@pytest.mark.parametrize("leaves", [2, 3, 8])
def test_the_same_as_whole_rows(leaves):
    (click, x), (conversion, _) = forest(1, leaves), forest(2, leaves, trees=17)
    ready = ready_of(model_of(click, conversion))
    own = x[:40, COMMON:]
    for place in (3, 777, 2500):
        rows = np.concatenate([np.tile(x[place, :COMMON], (40, 1)), own], axis=1)
        found, _ = asked(ready, x[place], own)
        np.testing.assert_array_equal(found[0], click.raw(rows))
        np.testing.assert_array_equal(found[1], conversion.raw(rows))


def test_doubts_are_those_of_every_word():
    (click, x), (conversion, _) = forest(1), forest(2)
    model = model_of(click, conversion)
    _, doubts = asked(ready_of(model), x[9], x[:5, COMMON:])
    for line in range(5):
        codes = [*x[9, : len(SHARED)], *x[line, COMMON:]]
        places = [word * BUCKETS + int(code) for word, code in enumerate(codes)]
        np.testing.assert_allclose(doubts[line], model.variance[:, places].sum(axis=1))


def test_words_never_seen_and_nothing_known_go_where_whole_rows_go():
    (click, _), (conversion, _) = forest(3), forest(4)
    row = np.full(len(NAMES), np.nan)
    row[list(CATEGORIES)] = 255.0
    found, _ = asked(ready_of(model_of(click, conversion)), row, row[None, COMMON:])
    assert found[0][0] == click.raw(row[None])[0]
    assert found[1][0] == conversion.raw(row[None])[0]


def test_without_trees_nothing_is_added():
    ready = ready_of(no_model())
    found, doubts = asked(ready, np.zeros(len(NAMES)), np.zeros((2, len(OWN))))
    assert found[0].tolist() == found[1].tolist() == [0.0, 0.0]
    assert doubts.shape == (2, 2)
