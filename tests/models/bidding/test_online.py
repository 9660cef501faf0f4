"""Online calibration: known drift is found, little evidence moves little, workers add up."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.bidding.online import MOST_FACTOR, Calibration

DAY = 86_400_000


def fed(factor, n, campaign=0, campaigns=3, seed=0, chance=0.05):
    """Impressions whose clicks come `factor` times as often as foretold."""
    rng = np.random.default_rng(seed)
    found = Calibration.fresh(campaigns, 0, half_life=1000 * DAY)
    for came in rng.random(n) < factor * chance:
        found = found.seen(campaign, chance, float(came), 0)
    return found


def test_nothing_seen_changes_nothing():
    assert Calibration.fresh(4, 0).factors().tolist() == [1.0] * 4


def test_a_known_drift_is_found():
    assert fed(2.0, 20_000).factors()[0] == pytest.approx(2.0, rel=0.1)
    assert fed(0.5, 20_000).factors()[0] == pytest.approx(0.5, rel=0.15)


def test_what_all_share_reaches_those_never_seen_and_little_evidence_moves_little():
    drifted = fed(2.0, 20_000).factors()
    assert drifted[1] == pytest.approx(2.0, rel=0.1)
    few = Calibration.fresh(2, 0).seen(0, 0.05, 1.0, 0).factors()
    assert 1.0 < few[0] < 1.12


def test_calibrated_outcomes_match_by_campaign():
    found = Calibration.fresh(2, 0, half_life=1000 * DAY)
    rng = np.random.default_rng(1)
    for campaign, factor in ((0, 3.0), (1, 0.6)):
        for came in rng.random(8000) < factor * 0.04:
            found = found.seen(campaign, 0.04, float(came), 0)
    corrected = found.factors() * found.foretold[:-1]
    np.testing.assert_allclose(corrected, found.came[:-1], rtol=0.15)


def test_sums_halve_and_time_that_runs_backwards_changes_nothing():
    found = Calibration.fresh(1, 0, half_life=DAY).seen(0, 0.5, 1.0, 0)
    assert found.faded(DAY).came.tolist() == [0.5, 0.5]
    assert found.faded(DAY).at == DAY
    assert found.faded(-DAY).came.tolist() == [1.0, 1.0]
    assert found.faded(-DAY).at == 0


def test_a_late_click_counts_beside_its_impression():
    at_once = Calibration.fresh(1, 0).seen(0, 0.1, 1.0, 0)
    later = Calibration.fresh(1, 0).seen(0, 0.1, 0.0, 0).seen(0, 0.0, 1.0, 0)
    assert at_once.factors() == pytest.approx(later.factors())


def test_two_workers_know_what_one_would():
    both = fed(2.0, 300).merged(fed(1.0, 200, campaign=1, seed=3))
    assert both.came[-1] == fed(2.0, 300).came[-1] + fed(1.0, 200, campaign=1, seed=3).came[-1]
    one, other = fed(2.0, 300), fed(1.0, 200, campaign=1, seed=3)
    np.testing.assert_allclose(one.merged(other).factors(), other.merged(one).factors())


@given(
    st.lists(
        st.tuples(st.integers(-2, 5), st.floats(allow_nan=True), st.floats(allow_nan=True)),
        max_size=30,
    )
)
def test_factors_stay_sane_whatever_is_fed(rows):
    found = Calibration.fresh(3, 0)
    for campaign, chance, came in rows:
        found = found.seen(campaign, chance, came, 5)
    assert np.isfinite(found.factors()).all()
    assert (found.factors() >= 1 / MOST_FACTOR).all()
    assert (found.factors() <= MOST_FACTOR).all()
