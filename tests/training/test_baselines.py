"""Baselines: what each is, and that none is left out silently when its column is there."""

import numpy as np
import pytest

from models.calibration import Uncalibrated, sigmoid
from training.baselines import baselines, prevalence, single
from training.evaluate.probabilities import auc
from training.fit.churn.learner import Learned
from training.fit.churn.linear import fit_linear
from training.fit.churn.trees import boost, forest_of


@pytest.fixture(scope="module")
def world():
    rng = np.random.default_rng(0)
    recency = rng.exponential(30, 2000)
    inactive = sigmoid(recency / 20 - 1.5)
    x = np.stack([recency, rng.normal(size=2000), inactive], axis=1)
    y = (rng.random(2000) < inactive).astype(np.uint8)
    learned = Learned(forest_of(boost(x, y, 4, 20), 20), fit_linear(x, y, 0.1), 0.5, Uncalibrated())
    return x, y, learned


def test_prevalence_says_the_same_of_everybody() -> None:
    assert prevalence(np.array([1, 0, 0, 0]), 3).tolist() == [0.25] * 3


def test_one_column_keeps_its_order(world) -> None:
    x, y, _ = world
    found = single(x[:, 0], y, x[:, 0])
    assert auc(y, found) == pytest.approx(auc(y, x[:, 0]), abs=1e-3)
    assert found.mean() == pytest.approx(y.mean(), abs=0.01)


def test_everyone_is_there_and_answers_probabilities(world) -> None:
    x, y, learned = world
    found = baselines(x, y, x[:50], ["recency", "noise", "bgnbd_inactive"], learned)
    assert set(found) == {"prevalence", "recency", "logistic", "trees", "bgnbd"}
    for p in found.values():
        assert p.shape == (50,)
        assert np.all((p > 0) & (p < 1))
    assert found["bgnbd"] == pytest.approx(x[:50, 2])


def test_the_parts_of_the_model_stand_alone(world) -> None:
    x, y, learned = world
    found = baselines(x, y, x, ["recency", "noise", "bgnbd_inactive"], learned)
    halves = (sigmoid(learned.forest.raw(x)), sigmoid(learned.linear.raw(x)))
    assert np.array_equal(found["trees"], halves[0])
    assert np.array_equal(found["logistic"], halves[1])


def test_without_its_column_a_baseline_is_left_out(world) -> None:
    x, y, learned = world
    assert set(baselines(x, y, x, ["a", "b", "c"], learned)) == {"prevalence", "logistic", "trees"}


def test_who_is_no_customer_to_a_model_gets_the_prevalence(world) -> None:
    x, y, learned = world
    asked = x[:2].copy()
    asked[0, 2] = np.nan
    found = baselines(x, y, asked, ["recency", "noise", "bgnbd_inactive"], learned)["bgnbd"]
    assert found[0] == pytest.approx(y.mean())
