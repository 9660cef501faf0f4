"""Tuning by folds: what pays is chosen, what does not is left, calibration is out of fold."""

from dataclasses import replace

import numpy as np
import pytest

from models.calibration import sigmoid
from training.fit.churn.folds import customer_folds
from training.fit.churn.learner import BLENDS, calibrate, learn, tune
from training.fit.churn.settings import ChurnSettings

SETTINGS = ChurnSettings(leaves=[4], trees=[20, 80], penalties=[0.003, 0.1], folds=3)


def _rows(odds, rows=1500, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 4))
    y = (rng.random(rows) < sigmoid(odds(x))).astype(np.uint8)
    folds = customer_folds(np.arange(rows), y, 3, rng)
    return x, y, folds


def test_a_straight_world_is_left_to_the_line() -> None:
    x, y, folds = _rows(lambda x: 2 * x[:, 0] - x[:, 1])
    assert tune(x, y, folds, SETTINGS).recipe.blend >= 0.75


def test_a_crossed_world_is_left_to_the_trees() -> None:
    x, y, folds = _rows(lambda x: 3 * np.sign(x[:, 0] * x[:, 1]), rows=3000)
    settings = replace(SETTINGS, leaves=[8], trees=[200])
    assert tune(x, y, folds, settings).recipe.blend <= 0.25


def test_every_trial_is_told() -> None:
    x, y, folds = _rows(lambda x: x[:, 0])
    tuned = tune(x, y, folds, SETTINGS)
    assert len(tuned.trials) == 2 + 2 + len(BLENDS)
    assert all(0 < trial["log_loss"] < 5 for trial in tuned.trials)
    best = min(trial["log_loss"] for trial in tuned.trials if "blend" in trial)
    chosen = [t["log_loss"] for t in tuned.trials if t.get("blend") == tuned.recipe.blend]
    assert chosen[0] == pytest.approx(best, abs=1e-6)


def test_optional_columns_are_heard_where_they_tell_something() -> None:
    x, y, folds = _rows(lambda x: 2 * x[:, 0] - 2 * x[:, 3])
    heard = tune(x, y, folds, SETTINGS, np.array([3]))
    assert heard.left_out == ()
    assert {trial["optional"] for trial in heard.trials} == {False, True}
    learned = learn(x, y, heard, SETTINGS)
    assert learned.own(x).shape == x.shape


def test_optional_columns_that_tell_nothing_are_read_by_nothing() -> None:
    x, y, folds = _rows(lambda x: 2 * x[:, 0], rows=400)
    noisy = np.column_stack([x[:, :1], np.random.default_rng(1).normal(size=(len(x), 12))])
    tuned = tune(noisy, y, folds, SETTINGS, np.arange(1, 13))
    assert tuned.left_out == tuple(range(1, 13))
    learned = learn(noisy, y, calibrate(noisy, y, np.arange(len(y)), tuned, SETTINGS), SETTINGS)
    assert learned.own(noisy).shape == (400, 1)
    other = noisy.copy()
    other[:, 1:] = np.nan
    assert learned.probability(other).tobytes() == learned.probability(noisy).tobytes()


def test_validation_rows_are_not_learned_from() -> None:
    """Labels of a fold's judged rows do not reach what it learned from them."""
    x, y, folds = _rows(lambda x: x[:, 0])
    held = folds[0]
    spoiled = y.copy()
    spoiled[held.valid] = 1 - spoiled[held.valid]
    one, two = (tune(x, labels, [held], SETTINGS).trials for labels in (y, spoiled))
    # Judged worse by far, since what was learned is the same and its labels are turned around.
    assert min(t["log_loss"] for t in two) > max(t["log_loss"] for t in one)


def test_calibration_is_told_and_applied() -> None:
    x, y, folds = _rows(lambda x: x[:, 0])
    tuned = calibrate(x, y, np.arange(len(y)), tune(x, y, folds, SETTINGS), SETTINGS)
    told = {t["calibration"] for t in tuned.trials if "calibration" in t}
    assert told == {"none", "platt", "beta", "isotonic"}
    learned = learn(x, y, tuned, SETTINGS)
    expected = tuned.calibration.apply(sigmoid(learned.log_odds(x)))
    assert np.array_equal(learned.probability(x), expected)
