"""Trees on aggregates: a planted rule is found, slices do not matter, the forest is servable."""

import numpy as np
import pytest

from models.forest.forest import Forest
from models.intent.features import NAMES
from tests.training.fit.intent.visits import BUY, CLICK, alternating, table_of
from training.evaluate.probabilities import auc
from training.fit.intent import aggregates
from training.fit.intent.aggregates import fit_trees, rows_of
from training.fit.intent.sessions import label


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(aggregates, "LEAVES", (4,))
    monkeypatch.setattr(aggregates, "TREES", (30, 60))


def repeating(count, seed):
    """Answer sessions whose buyers come back to the same item."""
    rng = np.random.default_rng(seed)
    kinds, items = [], []
    for _ in range(count):
        seen = rng.integers(1, 4 if rng.random() < 0.5 else 400, 8)
        buys = len(np.unique(seen)) < 5
        kinds.append([CLICK] * 8 + [BUY] * int(buys))
        items.append(np.append(seen, [9] * int(buys)))
    return table_of(kinds, items)


def test_a_planted_rule_is_found():
    train, test = repeating(800, 0), repeating(400, 1)
    labels, asked = label(train), label(test)
    rows = asked.asked & (test.position == 6)
    model = fit_trees(train, labels.y, labels.asked)
    assert auc(asked.y[rows], model(test)[rows]) > 0.95
    assert {trial["trees"] for trial in model.trials} == {30, 60}


def test_aggregates_do_not_see_order_alone():
    train, test = alternating(600, 0), alternating(400, 1)
    labels, asked = label(train), label(test)
    rows = asked.asked & (test.position == 9)
    assert auc(asked.y[rows], fit_trees(train, labels.y, labels.asked)(test)[rows]) < 0.9


def test_slices_of_a_table_answer_as_the_whole(monkeypatch):
    train = repeating(300, 0)
    labels = label(train)
    model = fit_trees(train, labels.y, labels.asked)
    whole = model.log_odds(train)
    monkeypatch.setattr(aggregates, "_CHUNK", 50)
    assert np.array_equal(model.log_odds(train), whole)
    assert np.array_equal(whole, model.forest.raw(rows_of(train)))
    assert model.log_odds(train.take(np.zeros(0, np.int64))).shape == (0,)


def test_the_forest_comes_back_from_its_arrays():
    train = repeating(300, 0)
    labels = label(train)
    model = fit_trees(train, labels.y, labels.asked)
    again = Forest.from_arrays(model.forest.arrays())
    assert again.features == len(NAMES)
    assert np.array_equal(again.raw(rows_of(train)), model.log_odds(train))
    assert max(np.diff(model.forest.trees.leaves)) <= 8


def test_only_flagged_events_are_learned_from(monkeypatch):
    monkeypatch.setattr(aggregates, "MOST_ROWS", 500)
    train = repeating(400, 0)
    labels = label(train)
    some = labels.asked & (train.position <= 4)
    damaged = np.where(some, labels.y, 1 - labels.y).astype(np.uint8)
    one, other = fit_trees(train, labels.y, some), fit_trees(train, damaged, some)
    assert np.array_equal(one(train), other(train))
