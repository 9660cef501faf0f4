"""Logistic regression on n-grams: counts against a naive reading, and order it can see."""

from collections import Counter

import numpy as np
import pytest

from tests.training.fit.intent.visits import ADD, BUY, CLICK, alternating, table_of
from training.evaluate.probabilities import auc
from training.fit.intent import ngrams
from training.fit.intent.ngrams import fit_ngrams
from training.fit.intent.sessions import label


def test_counts_equal_a_naive_reading():
    rng = np.random.default_rng(0)
    kinds = [rng.choice([CLICK, ADD], rng.integers(2, 9)).tolist() for _ in range(60)]
    sessions = table_of([[*one, BUY] if number % 3 else one for number, one in enumerate(kinds)])
    labels = label(sessions)
    model = fit_ngrams(sessions, labels.y, labels.asked)
    found = np.expm1(model.rows(sessions))
    for s in range(len(sessions)):
        first, own = (
            sessions.offsets[s],
            sessions.kinds[sessions.offsets[s] :][: sessions.lengths[s]],
        )
        padded = [None, None, *own.tolist()]
        runs: Counter[tuple] = Counter()
        for k in range(len(own)):
            runs.update(tuple(padded[k + 3 - n : k + 3]) for n in (1, 2, 3))
            kept = sorted(count for count in found[first + k].round().tolist() if count)
            # Runs that were never learned from (they end with the purchase) have no column.
            asked = [count for run, count in runs.items() if BUY not in run]
            assert kept == sorted(asked)


def test_it_sees_order():
    train, test = alternating(500, 0), alternating(300, 1)
    labels, asked = label(train), label(test)
    rows = asked.asked & (test.position == 9)
    model = fit_ngrams(train, labels.y, labels.asked)
    assert auc(asked.y[rows], model(test)[rows]) > 0.95


def test_few_columns_and_few_rows_still_make_a_model(monkeypatch):
    monkeypatch.setattr(ngrams, "MOST", 3)
    monkeypatch.setattr(ngrams, "MOST_ROWS", 50)
    monkeypatch.setattr(ngrams, "_CHUNK", 7)
    train = alternating(100, 0)
    labels = label(train)
    model = fit_ngrams(train, labels.y, labels.asked)
    assert model.rows(train).shape[1] == 3
    assert len(model(train)) == len(train.ats)
    assert model(train.take(np.zeros(0, np.int64))).shape == (0,)


def test_what_comes_after_changes_nothing():
    train = alternating(100, 0)
    labels = label(train)
    model = fit_ngrams(train, labels.y, labels.asked)
    one, other = model(table_of([[2, 8, 2, 8]])), model(table_of([[2, 8, 2, 5]]))
    assert one[:3] == pytest.approx(other[:3], abs=0)
