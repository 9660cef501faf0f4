"""The landscape: chances, draws with the right spread, updates, limits, and its parts."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.bidding.feedback import Kind, Rows
from models.bidding.landscape import (
    FIELDS,
    LOCATIONS,
    LOG_SCALES,
    Landscape,
    columns_of,
    drawn,
    floor_word,
    places_of,
    win_chance,
)
from models.bidding.laws import LOGISTIC, NORMAL

BUCKETS = 4
D = columns_of(BUCKETS) + 1


def landscape(spread=0.05, location=14.0, law=LOGISTIC):
    rng = np.random.default_rng(0)
    root = rng.normal(0, spread, (D, D)) / math.sqrt(D)
    weights = rng.normal(0, 0.1, D)
    weights[0], weights[-1] = location, math.log(0.5)
    return Landscape(law, weights, root @ root.T + np.eye(D) * spread**2, BUCKETS)


def notices(n, kind, price, context=None):
    places = np.tile(places_of(context or {}, BUCKETS), (n, 1))
    side = np.full(n, float(price))
    return Rows(places, np.full(n, kind, np.uint8), side, side)


def test_half_is_won_at_the_location():
    found = landscape()
    places = found.places({"exchange": "a"})
    location, scale = drawn(found.weights, found.covariance, places, 0.0, 0.0)
    assert found.chance({"exchange": "a"}, math.exp(location)) == pytest.approx(0.5)
    assert scale == pytest.approx(0.5)
    assert win_chance(NORMAL, math.exp(location + scale), location, scale) == pytest.approx(
        0.8413, abs=1e-4
    )


@given(st.floats(allow_nan=True), st.floats(0, 1e18), st.sampled_from([LOGISTIC, NORMAL]))
def test_chances_are_chances_and_never_fall(one, other, law):
    low, high = min(one, other), max(one, other)
    lower, upper = win_chance(law, low, 14.0, 0.5), win_chance(law, high, 14.0, 0.5)
    assert 0 <= lower <= 1
    assert lower <= upper or math.isnan(one)


def test_draws_spread_as_the_posterior_does():
    found = landscape(spread=0.2)
    places = found.places({"exchange": "a", "site": "b"})
    rng = np.random.default_rng(1)
    full = rng.multivariate_normal(found.weights, found.covariance, 40_000)
    wanted = np.stack([full[:, places].sum(1), full[:, -1]], 1)
    normal = rng.normal(size=(40_000, 2))
    ours = np.array([drawn(found.weights, found.covariance, places, a, b) for a, b in normal])
    ours[:, 1] = np.log(ours[:, 1])
    np.testing.assert_allclose(np.cov(ours.T), np.cov(wanted.T), atol=0.006)


def test_draws_stay_within_limits():
    wild = landscape(spread=50.0)
    for one in (-9.0, 9.0):
        location, scale = drawn(wild.weights, wild.covariance, wild.places({}), one, one)
        assert LOCATIONS[0] <= location <= LOCATIONS[1]
        assert math.exp(LOG_SCALES[0]) <= scale <= math.exp(LOG_SCALES[1]) * 1.000001


def test_losses_raise_prices_and_wins_lower_them():
    before = landscape(spread=0.3)
    bid = 1e6
    for kind, sign in ((Kind.lost, -1), (Kind.won, 1)):
        after = before.updated(notices(20, kind, math.log(bid)))
        assert sign * (after.chance({}, bid) - before.chance({}, bid)) > 0.01


def test_updates_reach_the_market_and_narrow_the_posterior():
    found = landscape(spread=0.5, location=10.0)
    rng = np.random.default_rng(2)
    for _ in range(30):
        rows = notices(100, Kind.exact, 0.0)._replace(low=rng.logistic(14.0, 0.5, 100))
        found = found.updated(rows)
    places = found.places({})
    location, scale = drawn(found.weights, found.covariance, places, 0.0, 0.0)
    assert location == pytest.approx(14.0, abs=0.1)
    assert scale == pytest.approx(0.5, rel=0.1)
    assert drawn(found.weights, found.covariance, places, 1.0, 0.0)[0] - location < 0.05


def test_forgetting_keeps_a_landscape_ready_to_move():
    rows = notices(50, Kind.exact, 0.0)
    rows = rows._replace(low=np.random.default_rng(3).logistic(14.0, 0.5, 50))
    sure = forgetful = landscape(spread=0.3)
    for _ in range(20):
        sure, forgetful = sure.updated(rows), forgetful.updated(rows, forget=0.7)
    assert forgetful.covariance[0, 0] > 2 * sure.covariance[0, 0]


def test_no_burst_of_notices_moves_it_further_than_a_step():
    before = landscape(spread=5.0)
    after = before.updated(notices(10_000, Kind.lost, 29.0))
    places = before.places({})
    moved = after.weights[places].sum() - before.weights[places].sum()
    assert 0 < moved <= 2.0 + 1e-9
    assert LOG_SCALES[0] <= after.weights[-1] <= LOG_SCALES[1]


def test_prices_that_never_change_give_the_least_scale_and_finite_weights():
    found = landscape(spread=0.3)
    for _ in range(10):
        found = found.updated(notices(50, Kind.exact, 14.0))
    assert LOG_SCALES[0] <= found.weights[-1] < math.log(0.1)


def test_nothing_new_changes_nothing_and_a_wrong_share_is_refused():
    found = landscape()
    assert found.updated(notices(0, Kind.won, 1.0)) is found
    with pytest.raises(ValueError, match="share"):
        found.updated(notices(1, Kind.won, 1.0), forget=0.0)


def test_places_are_told_apart_by_field_and_word():
    places = places_of({"site": "a", "exchange": "b"}, 1000)
    assert places[0] == 0
    assert ((places[1:] - 1) // 1000).tolist() == list(range(len(FIELDS)))
    assert places_of({"site": "b", "exchange": "a"}, 1000).tolist() != places.tolist()


def test_floors_become_words():
    assert [floor_word(floor) for floor in (0.0, float("nan"), float("inf"), 1.0, 1e6)] == [
        "",
        "",
        "",
        "0",
        "20",
    ]


def test_parts_make_the_same_landscape_again():
    found = landscape(law=NORMAL)
    again = Landscape.from_parts(found.arrays(), found.params())
    assert again.chance({"site": "x"}, 2e6) == found.chance({"site": "x"}, 2e6)
    with pytest.raises(ValueError, match="fields"):
        Landscape.from_parts(found.arrays(), {**found.params(), "fields": []})


@pytest.mark.parametrize(
    "broken",
    [
        {"law": 7},
        {"weights": np.full(D, np.nan)},
        {"weights": np.zeros(D + 1)},
        {"covariance": np.full((D, D), np.inf)},
        {"covariance": -np.eye(D)},
    ],
)
def test_a_broken_landscape_is_refused(broken):
    found = landscape()
    parts = {name: getattr(found, name) for name in ("law", "weights", "covariance", "buckets")}
    with pytest.raises(ValueError, match="landscape"):
        Landscape(**{**parts, **broken})
