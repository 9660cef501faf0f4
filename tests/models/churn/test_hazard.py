"""The curve of a hazard: constant hazards, between and beyond intervals, through what is known."""

import lightgbm as lgb
import numpy as np
import pytest

from models.calibration import sigmoid
from models.churn.hazard import Hazard
from models.forest.dump import forest_from_dump

STEP = 10.0


@pytest.fixture(scope="module")
def steps() -> Hazard:
    """Three intervals whose hazard depends on the interval, and on one feature."""
    rng = np.random.default_rng(0)
    x = np.column_stack([rng.integers(0, 2, 4000), rng.integers(0, 3, 4000)]).astype(float)
    y = rng.random(4000) < 0.1 + 0.2 * x[:, 0] + 0.1 * x[:, 1]
    params = {"objective": "binary", "num_leaves": 6, "verbosity": -1, "seed": 1}
    booster = lgb.train(params, lgb.Dataset(x, y.astype(float)), 30)
    return Hazard(forest_from_dump(booster.dump_model()), 3, STEP)


def _ends(hazard: Hazard, feature: float) -> list[float]:
    """Answer survival at the end of each interval, by the definition."""
    alive, out = 1.0, []
    for interval in range(hazard.intervals):
        alive *= 1 - float(sigmoid(hazard.forest.raw(np.array([[feature, interval]])))[0])
        out.append(alive)
    return out


@pytest.mark.parametrize("feature", [0.0, 1.0])
def test_survival_is_the_product_of_what_each_interval_leaves(steps, feature) -> None:
    curve = steps.survival(np.array([[feature]]), np.array([10.0, 20.0, 30.0]))[0]
    assert curve == pytest.approx(_ends(steps, feature), abs=1e-12)


def test_within_an_interval_the_hazard_is_constant(steps) -> None:
    first, second, _ = _ends(steps, 1.0)
    curve = steps.survival(np.array([[1.0]]), np.array([5.0, 15.0]))[0]
    assert curve == pytest.approx([first**0.5, (first * second) ** 0.5], abs=1e-12)


def test_beyond_the_last_interval_its_hazard_holds_on(steps) -> None:
    _, second, third = _ends(steps, 1.0)
    curve = steps.survival(np.array([[1.0]]), np.array([40.0, 50.0]))[0]
    ratio = third / second
    assert curve == pytest.approx([third * ratio, third * ratio**2], abs=1e-12)


def test_a_known_point_bends_the_curve_in_proportion(steps) -> None:
    rows = np.array([[0.0], [1.0]])
    known = np.array([0.3, 0.95])
    curve = steps.survival(rows, np.array([10.0, 25.0]), 25.0, known)
    plain = steps.survival(rows, np.array([10.0, 25.0]))
    assert curve[:, 1] == pytest.approx(known)
    ratio = np.log(known) / np.log(plain[:, 1])
    assert np.log(curve[:, 0]) == pytest.approx(ratio * np.log(plain[:, 0]))


@pytest.mark.parametrize("known", [0.0, 1.0])
def test_certainty_is_kept_finite(steps, known) -> None:
    curve = steps.survival(np.array([[0.0]]), np.array([1.0, 90.0]), 25.0, np.array([known]))
    assert np.isfinite(curve).all()


def test_no_day_asked_for_is_no_column(steps) -> None:
    assert steps.survival(np.zeros((4, 1)), np.array([])).shape == (4, 0)


def test_arrays_that_are_not_all_there_are_refused(steps) -> None:
    arrays = steps.arrays()
    again = Hazard.from_arrays(arrays)
    assert (again.intervals, again.step) == (3, STEP)
    del arrays["intervals"]
    with pytest.raises(KeyError):
        Hazard.from_arrays(arrays)
