"""Metrics against scikit-learn, calibration against its null, intervals by customer."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, log_loss, roc_auc_score

from training.evaluate.probabilities import (
    auc,
    average_precision,
    calibration_check,
    losses,
    measure,
    top_lift,
)


def _drawn(rows=2000, seed=0, ties=False):
    rng = np.random.default_rng(seed)
    p = rng.beta(1, 3, rows)
    if ties:
        p = np.round(p, 1) * 0.98 + 0.01
    return (rng.random(rows) < p).astype(np.uint8), p


@pytest.mark.parametrize("ties", [False, True])
def test_they_are_those_of_scikit_learn(ties) -> None:
    y, p = _drawn(ties=ties)
    assert auc(y, p) == pytest.approx(roc_auc_score(y, p), abs=1e-12)
    assert average_precision(y, p) == pytest.approx(average_precision_score(y, p), abs=1e-12)
    assert losses(y, p).mean() == pytest.approx(log_loss(y, p), abs=1e-12)


def test_weights_are_repeated_rows() -> None:
    y, p = _drawn(300, ties=True)
    weight = np.random.default_rng(1).integers(0, 4, 300)
    rows = np.repeat(np.arange(300), weight)
    assert auc(y, p, weight.astype(float)) == pytest.approx(auc(y[rows], p[rows]))
    weighted = average_precision(y, p, weight.astype(float))
    assert weighted == pytest.approx(average_precision(y[rows], p[rows]))


def test_one_label_has_no_order() -> None:
    assert np.isnan(auc([1, 1], [0.1, 0.9]))
    assert np.isnan(average_precision([0, 0], [0.1, 0.9]))


def test_lift_of_a_perfect_order_is_as_high_as_can_be() -> None:
    y = np.array([1] * 10 + [0] * 90)
    assert top_lift(y, y) == 10.0
    assert top_lift(y, np.linspace(1, 0, 100)) == 10.0


def test_right_probabilities_pass_their_null_about_as_often_as_they_should() -> None:
    found = [calibration_check(*_drawn(800, seed), rounds=200).p for seed in range(40)]
    assert 0.25 < np.mean(found) < 0.75
    assert np.mean(np.array(found) < 0.05) <= 0.15


def test_shifted_probabilities_fail_it() -> None:
    y, p = _drawn()
    check = calibration_check(y, p / 2)
    assert check.p < 0.01
    assert check.error > 0.08


def test_slope_and_intercept_are_one_and_nought_when_right() -> None:
    y, p = _drawn(20_000)
    check = calibration_check(y, p)
    assert (check.slope, check.intercept) == (
        pytest.approx(1, abs=0.05),
        pytest.approx(0, abs=0.06),
    )
    flat = 1 / (1 + (1 / p - 1) ** 2)
    assert calibration_check(y, flat).slope == pytest.approx(0.5, abs=0.03)


def test_intervals_redraw_customers_not_rows() -> None:
    y, p = _drawn(200)
    once = measure(y, {"model": p}, np.arange(200), rounds=200)["auc"]
    tiled = [np.tile(one, 10) for one in (y, p, np.arange(200))]
    again = measure(tiled[0], {"model": tiled[1]}, tiled[2], rounds=200)["auc"]
    assert again.value == pytest.approx(once.value)
    assert (again.high - again.low) == pytest.approx(once.high - once.low, rel=0.05)


def test_every_rival_stands_beside_the_model_with_the_gain_over_it() -> None:
    y, p = _drawn(1000)
    found = measure(y, {"model": p, "prevalence": np.full(1000, y.mean())}, np.arange(1000))
    assert found["prevalence_auc"].value == 0.5
    gain = found["gain_over_prevalence"]
    assert gain.value == pytest.approx(found["prevalence_log_loss"].value - found["log_loss"].value)
    assert gain.low > 0
    assert found["auc"].low < found["auc"].value < found["auc"].high
