"""Choosing a calibration: left alone when right, mended when wrong, judged out of fold."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from models.calibration import logit, sigmoid
from training.evaluate.probabilities import losses
from training.fit.calibration import FITS, choose_calibration, fit_isotonic, fit_platt


def _drawn(rows=6000, slope=1.0, shift=0.0, seed=0):
    """Answer (stated probability, label): the truth has slope and shift on the log-odds."""
    rng = np.random.default_rng(seed)
    stated = rng.normal(-0.5, 1.2, rows)
    y = (rng.random(rows) < sigmoid(slope * stated + shift)).astype(float)
    return sigmoid(stated), y, np.arange(rows) % 5


def test_right_probabilities_are_left_as_they_are() -> None:
    p, y, fold = _drawn()
    found = choose_calibration(p, y, fold)
    assert found.name == "none"
    assert set(found.log_loss) == set(FITS)


@pytest.mark.parametrize(("slope", "shift"), [(0.4, 0.0), (1.0, 1.0), (1.8, -0.5)])
def test_wrong_probabilities_are_mended(slope, shift) -> None:
    p, y, fold = _drawn(slope=slope, shift=shift)
    found = choose_calibration(p, y, fold)
    assert found.name != "none"
    fresh, labels, _ = _drawn(slope=slope, shift=shift, seed=1)
    truth = sigmoid(slope * logit(fresh) + shift)
    assert np.abs(found.calibration.apply(fresh) - truth).mean() < 0.02
    assert losses(labels, found.calibration.apply(fresh)).mean() < losses(labels, fresh).mean()


def test_platt_is_a_logistic_regression_on_log_odds() -> None:
    p, y, _ = _drawn(slope=0.5, shift=0.3)
    other = LogisticRegression(C=1e6, tol=1e-10).fit(logit(p)[:, None], y)
    found = fit_platt(p, y).params()
    assert found["slope"] == pytest.approx(other.coef_[0, 0], abs=0.02)
    assert found["intercept"] == pytest.approx(other.intercept_[0], abs=0.02)


def test_isotonic_never_falls_and_is_never_certain() -> None:
    p, _, _ = _drawn(rows=300)
    found = fit_isotonic(p, (p > 0.5).astype(float))
    answers = found.apply(np.linspace(0, 1, 101))
    assert np.all(np.diff(answers) >= 0)
    assert 0 < answers[0] < answers[-1] < 1


def test_one_customers_many_rows_are_one_observation() -> None:
    # The same small improvement, seen on 60 people, or on 60 people a hundred times over.
    p, y, fold = _drawn(rows=60, slope=0.4)
    owner = np.arange(60)
    many = [np.tile(one, 100) for one in (p, y, fold)]
    once = choose_calibration(p, y, fold, owner)
    again = choose_calibration(*many, np.tile(owner, 100))
    alone = choose_calibration(*many)
    assert alone.name != "none"
    assert once.name == again.name == "none"


def test_a_single_fold_is_parted_by_itself() -> None:
    p, y, _ = _drawn(slope=0.4)
    assert choose_calibration(p, y, np.zeros(len(p))).name != "none"


def test_probabilities_that_differ_by_rounding_only_make_steps_that_rise() -> None:
    rng = np.random.default_rng(0)
    p = 0.3 + rng.integers(-1, 2, 5000) * np.spacing(0.3)
    y = (np.arange(5000) >= 2500).astype(float)
    found = fit_isotonic(p, y)
    assert (np.diff(found.points) > 0).all()
