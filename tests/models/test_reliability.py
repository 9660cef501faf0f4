import math

import numpy as np
import pytest
from scipy import optimize, stats

from models.calibration import logit, sigmoid
from models.reliability import calibration_error, line, reliability_bins, spiegelhalter


def drawn(seed=0, n=4_000, slope=1.0, shift=0.0):
    """Answer labels and the probabilities claimed for them; slope 1 and shift 0 are honest."""
    rng = np.random.default_rng(seed)
    odds = rng.normal(-0.5, 1.5, n)
    labels = (rng.random(n) < sigmoid(slope * odds + shift)).astype(float)
    return labels, sigmoid(odds)


def test_slope_and_intercept_are_found_again():
    found = line(*drawn(1, 60_000, 0.6, 0.4))
    assert found.slope == pytest.approx(0.6, abs=0.02)
    assert found.intercept == pytest.approx(0.4, abs=0.03)


def test_equals_a_general_search():
    labels, claimed = drawn(2, 500, 1.4, -0.3)
    odds = logit(claimed)

    def loss(both):
        at = both[0] * odds + both[1]
        return np.sum(np.logaddexp(0, at) - labels * at)

    wanted = optimize.minimize(loss, [1.0, 0.0], method="BFGS").x
    found = line(labels, claimed)
    assert (found.slope, found.intercept) == pytest.approx(tuple(wanted), abs=1e-4)
    alone = optimize.minimize_scalar(lambda shift: loss((1.0, shift))).x
    assert found.in_the_large == pytest.approx(alone, abs=1e-4)


def test_labels_parted_without_overlap_have_no_line():
    found = line([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9])
    assert found.slope == math.inf
    assert math.isnan(found.intercept)
    assert line([1, 1, 0, 0], [0.1, 0.2, 0.8, 0.9]).slope == -math.inf


def test_one_probability_for_all_has_no_slope():
    found = line([0, 1, 1, 1], [0.5] * 4)
    assert math.isnan(found.slope)
    assert found.in_the_large == pytest.approx(math.log(3))


def test_spiegelhalter_by_hand():
    # (1 - .2)(.6) + (0 - .4)(.2) over sqrt(.36 * .16 + .04 * .24).
    z = (0.8 * 0.6 - 0.4 * 0.2) / math.sqrt(0.36 * 0.16 + 0.04 * 0.24)
    found = spiegelhalter([1, 0], [0.2, 0.4])
    assert found.z == pytest.approx(z)
    assert found.p == pytest.approx(2 * stats.norm.sf(z))


def test_spiegelhalter_knows_nothing_of_coins():
    assert spiegelhalter([0, 1, 1], [0.5] * 3) == (0.0, 1.0)


def test_spiegelhalter_is_even_when_honest_and_small_when_not():
    honest = [spiegelhalter(*drawn(seed, 500)).p for seed in range(300)]
    assert stats.kstest(honest, "uniform").pvalue > 0.001
    assert spiegelhalter(*drawn(0, 4_000, 0.5)).p < 1e-6


def test_bins_by_hand():
    first, second = reliability_bins([0, 1, 1, 1], [0.1, 0.3, 0.7, 0.9], 2)
    assert (first.count, first.predicted, first.observed) == pytest.approx((2, 0.2, 0.5))
    assert (second.count, second.predicted, second.observed) == pytest.approx((2, 0.8, 1.0))
    assert first.low < 0.5 < first.high
    assert second.high == pytest.approx(1.0)


def test_intervals_are_wilsons():
    (only,) = reliability_bins([1, 0, 0, 0, 0, 0, 0, 0, 0, 1], [0.2] * 10)
    wanted = stats.binomtest(2, 10).proportion_ci(method="wilson")
    assert (only.low, only.high) == pytest.approx((wanted.low, wanted.high), abs=1e-5)


@pytest.mark.parametrize("bins", [1, 2, 10, 50])
def test_bins_hold_every_row_once_and_rise(bins):
    labels, claimed = drawn(3, 997)
    claimed = np.round(claimed, 1)
    found = reliability_bins(labels, claimed, bins)
    assert sum(one.count for one in found) == 997
    assert sum(one.count * one.observed for one in found) == pytest.approx(labels.sum())
    assert np.all(np.diff([one.predicted for one in found]) > 0)
    assert len(found) <= bins


def test_the_error_of_the_honest_is_what_chance_gives():
    ps = [
        calibration_error(*drawn(seed, 400), np.random.default_rng(seed), draws=99).p
        for seed in range(200)
    ]
    assert stats.kstest(ps, "uniform").pvalue > 0.001


def test_the_error_of_the_dishonest_is_not():
    found = calibration_error(*drawn(0, 4_000, 0.5), np.random.default_rng(0), draws=199)
    assert found.p == pytest.approx(1 / 200)
    assert found.error > found.null_high > found.null_mean > 0


def test_the_error_is_the_gap_of_the_bins():
    labels, claimed = drawn(5, 800, 0.7)
    bins = reliability_bins(labels, claimed)
    wanted = sum(one.count * abs(one.observed - one.predicted) for one in bins) / 800
    found = calibration_error(labels, claimed, np.random.default_rng(0), draws=5)
    assert found.error == pytest.approx(wanted)


def test_the_same_seed_gives_the_same_figures():
    first, second = (
        calibration_error(*drawn(6, 300), np.random.default_rng(9), draws=50) for _ in range(2)
    )
    assert first == second


@pytest.mark.parametrize(
    ("labels", "claimed"),
    [([], []), ([1], [0.5, 0.5]), ([2, 0], [0.5, 0.5]), ([1, 0], [0.5, math.nan])],
)
def test_bad_input_is_refused(labels, claimed):
    with pytest.raises(ValueError, match="labels"):
        spiegelhalter(labels, claimed)


def test_labels_of_one_kind_have_no_line():
    with pytest.raises(ValueError, match="one kind"):
        line([1, 1], [0.2, 0.4])


def test_no_bins_are_refused():
    with pytest.raises(ValueError, match="one bin"):
        reliability_bins([1, 0], [0.2, 0.4], 0)
