"""The trees: LightGBM's own answers, prevalence kept, the same twice."""

import numpy as np
import pytest

from models.calibration import sigmoid
from training.fit.churn.trees import boost, forest_of


@pytest.fixture(scope="module")
def rare():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(5000, 4))
    x[rng.random(x.shape) < 0.1] = np.nan
    y = (rng.random(5000) < sigmoid(np.nan_to_num(x[:, 0]) - 3)).astype(np.uint8)
    return x, y


@pytest.mark.parametrize(("leaves", "kept"), [(4, 30), (8, 30), (8, 10)])
def test_the_arrays_answer_as_lightgbm_does(rare, leaves, kept) -> None:
    x, y = rare
    booster = boost(x, y, leaves, 30)
    theirs = booster.predict(x, raw_score=True, num_iteration=kept)
    assert forest_of(booster, kept).raw(x) == pytest.approx(theirs, abs=1e-9)


def test_without_weights_the_mean_answer_is_the_prevalence(rare) -> None:
    x, y = rare
    assert sigmoid(forest_of(boost(x, y, 4, 100), 100).raw(x)).mean() == pytest.approx(
        y.mean(), abs=0.003
    )


def test_the_same_rows_give_the_same_trees(rare) -> None:
    x, y = rare
    one, two = (forest_of(boost(x, y, 8, 20, seed=5), 20) for _ in range(2))
    assert np.array_equal(one.raw(x), two.raw(x))


def test_no_leaf_rests_on_a_handful(rare) -> None:
    x, y = rare
    booster = boost(x[:600], y[:600], 8, 5)
    frame = booster.trees_to_dataframe()
    leaves = frame[frame["left_child"].isna()]
    assert leaves["count"].min() >= 20
