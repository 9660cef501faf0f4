"""Chances learned, calibrated and freed from the library."""

import numpy as np
import pytest

from models.bidding.columns import CATEGORIES, NAMES, common_row, own_codes
from training.fit.bidding.learner import (
    PERSONAL,
    STEEPEST,
    Line,
    boost,
    calibrate,
    calibrated,
    chances,
    flat,
    partly_blind,
    rounds_of,
)
from training.fit.bidding.settings import BiddingSettings

SETTINGS = BiddingSettings(most_trees=60)


def rows(n=8000, seed=0):
    """Clicks that depend on a site and on intent."""
    rng = np.random.default_rng(seed)
    site, intent = rng.integers(0, 12, n), rng.random(n)
    odds = -3.0 + 0.25 * site - 1.5 * (intent - 0.5)
    words = [common_row({"site": f"s{k}"}) for k in range(12)]
    x = np.array([np.concatenate([words[k], own_codes("c", "l", "k")]) for k in site])
    x[:, NAMES.index("intent")] = intent
    return x, (rng.random(n) < 1 / (1 + np.exp(-odds))).astype(float), odds


def test_what_is_learned_is_close_to_the_truth_and_free_of_the_library():
    x, y, _ = rows()
    later, labels, odds = rows(seed=1)
    booster, trees = rounds_of((x, y), (later, labels), SETTINGS)
    found = calibrated(
        booster, trees, calibrate(booster.predict(later, raw_score=True), labels), 0.1
    )
    assert np.corrcoef(chances(found, later), 1 / (1 + np.exp(-odds)))[0, 1] > 0.9
    raw = booster.predict(later[:50], raw_score=True, num_iteration=trees)
    np.testing.assert_allclose(found.forest.raw(later[:50]), raw, atol=1e-9)
    assert 1 <= trees <= 60


def test_who_is_not_known_is_foretold_by_the_context():
    x, y, _ = rows(20_000)
    found = calibrated(boost(x, y, SETTINGS, 60), 60, Line(1.0, 0.0), 0.1)
    nobody = x.copy()
    nobody[:, PERSONAL] = np.nan
    site = x[:, NAMES.index("site")]
    for one in np.unique(site):
        known = chances(found, x[site == one]).mean()
        assert chances(found, nobody[site == one]).mean() == pytest.approx(known, rel=0.15)
    blind = partly_blind(x, SETTINGS)
    assert np.isnan(blind[:, NAMES.index("intent")]).mean() == pytest.approx(0.15, abs=0.01)
    np.testing.assert_array_equal(blind[:, CATEGORIES], x[:, CATEGORIES])


def test_labels_may_be_chances():
    x, _, odds = rows(4000)
    p = 1 / (1 + np.exp(-odds))
    booster = boost(x, p, SETTINGS, 60)
    assert np.mean(booster.predict(x)) == pytest.approx(p.mean(), rel=0.03)


@pytest.mark.parametrize(("slope", "intercept"), [(1.0, 0.0), (0.6, -0.5), (1.7, 0.8)])
def test_a_known_distortion_is_undone(slope, intercept):
    rng = np.random.default_rng(0)
    raw = rng.normal(-2, 1, 60_000)
    labels = (rng.random(60_000) < 1 / (1 + np.exp(-(slope * raw + intercept)))).astype(float)
    line = calibrate(raw, labels)
    assert line.slope == pytest.approx(slope, abs=0.05)
    assert line.intercept == pytest.approx(intercept, abs=0.1)
    corrected = 1 / (1 + np.exp(-(line.slope * raw + line.intercept)))
    assert corrected.sum() == pytest.approx(labels.sum(), rel=0.001)


def test_calibration_never_turns_the_order_around_or_runs_wild():
    raw = np.linspace(-3, 3, 500)
    assert calibrate(raw, (raw < 0).astype(float)).slope == 0.0
    assert calibrate(raw, (raw > 0).astype(float)).slope <= STEEPEST
    assert calibrate(raw, np.zeros(500)) == (1.0, 0.0)


def test_few_outcomes_move_the_slope_little():
    rng = np.random.default_rng(2)
    raw = rng.normal(-3, 0.1, 100)
    labels = np.zeros(100)
    labels[:3] = 1
    assert calibrate(raw, labels).slope == pytest.approx(1.0, abs=0.3)


def test_the_same_for_everybody():
    x, _, _ = rows(20)
    np.testing.assert_allclose(chances(flat(0.03), x), 0.03)
