"""Evidence about prices: sums that add up to the landscape, fade, and cannot run away."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.bidding.feedback import Kind, Rows
from models.bidding.landscape import FIELDS, LOCATIONS, places_of
from models.bidding.market import (
    BUCKETS,
    EVERYBODY,
    WORD,
    believable,
    confidence_at,
    ground_of,
    mark_of,
    moved,
    no_evidence,
    prior_landscape,
    taught,
)

HERE = places_of({"exchange": "north", "site": "a.example"}, BUCKETS)
BASE = prior_landscape(math.log(1e6))
GROUND = ground_of(BASE)


def rows(prices, kind=Kind.exact, places=HERE):
    side = np.log(np.asarray(prices, float))
    return Rows(
        np.tile(places, (len(side), 1)), np.full(len(side), kind, np.uint8), side, side
    )  # fmt: skip


def market_of(n, seed=0):
    return 2e6 * np.exp(0.4 * np.random.default_rng(seed).logistic(size=n))


def location(landscape, places=HERE):
    return float(landscape.weights[places].sum())


def test_the_prior_is_wide_and_about_its_location():
    assert location(BASE) == pytest.approx(math.log(1e6))
    deviation = math.sqrt(EVERYBODY**2 + len(FIELDS) * WORD**2)
    assert deviation == pytest.approx(2.0)
    assert confidence_at(BASE, tuple(HERE.tolist())) == 0.0
    assert prior_landscape(99.0).weights[0] == LOCATIONS[1]


def test_evidence_and_base_give_what_the_landscape_itself_would_have_learned():
    one, other = rows(market_of(100)), rows(market_of(100, seed=1))
    expected = BASE.updated(one).updated(other)
    held = taught(GROUND, taught(GROUND, no_evidence(BASE, 5), one, 6), other, 7)
    found = moved(GROUND, held)
    np.testing.assert_allclose(found.weights, expected.weights, atol=1e-9)
    np.testing.assert_allclose(found.covariance, expected.covariance, atol=1e-9)
    assert (held.count, held.since, held.renewed) == (200, 5, 7)


def test_notices_move_the_location_and_confidence_grows():
    held, before = no_evidence(BASE, 0), 0.0
    for seed in range(4):
        held = taught(GROUND, held, rows(market_of(100, seed=seed)), 0)
        found = moved(GROUND, held)
        now = confidence_at(found, tuple(HERE.tolist()))
        assert now > before
        before = now
    assert location(found) == pytest.approx(math.log(2e6), abs=0.1)
    assert before > 0.9
    elsewhere = places_of({"exchange": "south", "site": "b.example"}, BUCKETS)
    assert confidence_at(found, tuple(elsewhere.tolist())) < before


def test_what_fades_goes_back_to_the_base():
    held = taught(GROUND, no_evidence(BASE, 0), rows(market_of(300)), 0)
    away = location(moved(GROUND, held)) - math.log(1e6)
    fainter = held
    for _ in range(40):
        fainter = fainter._replace(precision=fainter.precision / 2, shift=fainter.shift / 2)
        found = moved(GROUND, fainter)
        assert abs(location(found) - math.log(1e6)) <= away + 1e-6
    np.testing.assert_allclose(found.weights, BASE.weights, atol=1e-6)
    np.testing.assert_allclose(found.covariance, BASE.covariance, atol=1e-6)


def test_another_base_s_evidence_is_not_misread():
    held = taught(GROUND, no_evidence(BASE, 0), rows(market_of(50)), 0)
    for other in (prior_landscape(math.log(1e6) + 0.1), prior_landscape(math.log(1e6), 8)):
        assert mark_of(other) != mark_of(BASE)
        assert moved(ground_of(other), held) is other
    assert moved(GROUND, None) is BASE


@pytest.mark.parametrize("fault", ["nan", "endless", "negative", "huge", "crooked", "count"])
def test_evidence_that_cannot_be_true_is_not_believed(fault):
    held = taught(GROUND, no_evidence(BASE, 0), rows(market_of(50)), 0)
    precision, shift, count = held.precision.copy(), held.shift.copy(), held.count
    if fault == "nan":
        shift[3] = math.nan
    elif fault == "endless":
        precision[2, 2] = math.inf
    elif fault == "negative":
        precision -= 100 * np.eye(len(shift))
    elif fault == "huge":
        precision[0, 0] = 1e12
    elif fault == "crooked":
        precision[0, 1] += 5.0
    else:
        count = math.nan
    broken = held._replace(precision=precision, shift=shift, count=count)
    assert not believable(broken)
    assert moved(GROUND, broken) is BASE
    healed = taught(GROUND, no_evidence(BASE, 0), rows(market_of(50)), 0)
    assert believable(healed)


def test_one_absurd_price_does_not_rule():
    held = no_evidence(BASE, 0)
    for seed in range(5):
        held = taught(GROUND, held, rows(market_of(100, seed=seed)), 0)
    before = location(moved(GROUND, held))
    for absurd in (1.0, 1e13):
        after = moved(GROUND, taught(GROUND, held, rows([absurd]), 0))
        assert abs(location(after) - before) < 0.1


@settings(max_examples=25)
@given(
    st.lists(
        st.tuples(st.sampled_from(list(Kind)), st.floats(0, 30), st.floats(0, 0.5)), min_size=1
    ),
    st.integers(1, 6),
)
def test_whatever_is_taught_the_sums_stay_believable(told, times):
    kinds = np.array([kind for kind, _, _ in told], np.uint8)
    low = np.array([side for _, side, _ in told])
    high = low + np.array([width for _, _, width in told])
    some = Rows(np.tile(HERE, (len(told), 1)), kinds, low, high)
    held = no_evidence(BASE, 0)
    for _ in range(times):
        held = taught(GROUND, held, some, 0)
        assert believable(held)
        assert np.isfinite(moved(GROUND, held).weights).all()
