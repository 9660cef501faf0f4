"""The hazard against lives whose hazard is known, and the algebra of its curve."""

import numpy as np
import pytest

from models.churn.hazard import Hazard
from training.fit.churn.hazard import fit_hazard

HORIZON = 40.0


@pytest.fixture(scope="module")
def lives():
    """Two kinds of people with constant hazards 1/20 and 1/100 a day, watched for 60 days."""
    rng = np.random.default_rng(0)
    kind = (rng.random(6000) < 0.5).astype(float)
    waited = rng.exponential(np.where(kind > 0, 20.0, 100.0))
    watched = rng.uniform(20, 60, 6000)
    x = np.stack([kind, rng.normal(size=6000)], axis=1)
    hazard = fit_hazard(x, np.where(waited < watched, waited, np.inf), watched, HORIZON, rng)
    assert hazard is not None
    return hazard


@pytest.mark.parametrize(("kind", "life"), [(1.0, 20.0), (0.0, 100.0)])
def test_survival_is_that_of_the_lives_drawn(lives: Hazard, kind, life) -> None:
    days = np.array([5.0, 10.0, 25.0, 40.0])
    curve = lives.survival(np.array([[kind, 0.0]]), days)[0]
    assert curve == pytest.approx(np.exp(-days / life), abs=0.06)


def test_a_curve_starts_at_one_and_never_rises(lives: Hazard) -> None:
    days = np.linspace(0, 300, 61)
    curve = lives.survival(np.array([[1.0, 0.0], [0.0, 2.0]]), days)
    assert np.all(curve[:, 0] == 1)
    assert np.all(np.diff(curve, axis=1) <= 0)
    assert np.all(curve > 0)


def test_a_curve_goes_through_the_probability_that_is_known(lives: Hazard) -> None:
    rows = np.array([[1.0, 0.0], [0.0, 0.0], [0.5, np.nan]])
    known = np.array([0.2, 0.9, 0.5])
    curve = lives.survival(rows, np.array([HORIZON]), HORIZON, known)
    assert curve[:, 0] == pytest.approx(known, abs=1e-12)


def test_it_comes_back_from_its_arrays(lives: Hazard) -> None:
    again = Hazard.from_arrays(lives.arrays())
    rows = np.array([[1.0, 0.0]])
    days = np.array([3.0, 33.0, 333.0])
    assert np.array_equal(again.survival(rows, days), lives.survival(rows, days))


def test_too_few_endings_give_no_hazard() -> None:
    rng = np.random.default_rng(0)
    nothing = fit_hazard(np.zeros((100, 2)), np.full(100, np.inf), np.full(100, 99.0), 30.0, rng)
    assert nothing is None
