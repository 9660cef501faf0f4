"""Known log-logistic and lognormal prices come back from every kind of notice and from mixtures."""

import math

import numpy as np
import pytest

from domain.errors import TooLittleData
from models.bidding.feedback import Kind, Rows
from models.bidding.landscape import LOG_SCALES, columns_of, drawn, places_of
from models.bidding.laws import LAWS, LOGISTIC, NORMAL
from training.fit.bidding.prices import fit_landscape, prior_of

BUCKETS = 8
N = 6_000
LOCATION, SCALE = 14.0, 0.6


def market(law, n=N, seed=0, location=LOCATION):
    """Logarithms of prices to beat, and of bids around them."""
    rng = np.random.default_rng(seed)
    draw = rng.logistic if law == LOGISTIC else rng.normal
    return draw(location, SCALE, n), rng.normal(location, 0.8, n)


def told(kinds, price, bid):
    """Write each price as the notice of its kind; "paid" is won or lost as the bid has it."""
    won = bid >= price
    kind = np.where(kinds == "paid", np.where(won, Kind.won, Kind.lost), 0)
    kind = np.where(kinds == "minimum", Kind.minimum, kind)
    step = np.floor(price / 0.05) * 0.05
    low = np.where(kinds == "exact", price, np.where(kinds == "minimum", step, bid))
    high = np.where(kinds == "minimum", step + 0.05, bid)
    return kind.astype(np.uint8), low, high


def fitted(law, kinds, context=None):
    price, bid = market(law)
    places = np.tile(places_of(context or {}, BUCKETS), (N, 1))
    found = fit_landscape(Rows(places, *told(kinds, price, bid)), law, BUCKETS)
    at = found.places(context or {})
    location, scale = drawn(found.weights, found.covariance, at, 0.0, 0.0)
    return found, location, scale, drawn(found.weights, found.covariance, at, 1.0, 0.0)[0]


MIXES = {
    "exact": ["exact"],
    "won-or-lost": ["paid"],
    "minimum": ["minimum"],
    "all": ["exact", "paid", "minimum"],
    "mostly-silent": ["paid"] * 9 + ["exact"],
}


@pytest.mark.parametrize("law", LAWS.values(), ids=LAWS)
@pytest.mark.parametrize("mix", MIXES)
def test_known_prices_come_back(law, mix):
    kinds = np.array(MIXES[mix])[np.arange(N) % len(MIXES[mix])]
    _, location, scale, one_up = fitted(law, kinds)
    error = one_up - location
    assert 0.004 < error < 0.04
    assert abs(location - LOCATION) < 4 * error
    assert scale == pytest.approx(SCALE, rel=0.06)


def test_ignoring_what_was_lost_would_be_wrong():
    price, bid = market(NORMAL)
    won = bid >= price
    places = np.tile(places_of({}, BUCKETS), (N, 1))
    kinds = np.full(N, "exact")
    rows = Rows(places, *told(kinds, price, bid))
    only_won = fit_landscape(Rows(*(column[won] for column in rows)), NORMAL, BUCKETS)
    naive = drawn(only_won.weights, only_won.covariance, only_won.places({}), 0.0, 0.0)[0]
    assert naive < LOCATION - 0.15
    both = np.where(won, "exact", "paid")
    assert fitted(NORMAL, both)[1] == pytest.approx(LOCATION, abs=0.05)


def test_words_move_the_location_and_unknown_ones_do_not():
    dear, _ = market(LOGISTIC, 2000, 1, LOCATION + 0.7)
    cheap, _ = market(LOGISTIC, 2000, 2, LOCATION - 0.7)
    places = np.r_[
        np.tile(places_of({"exchange": "dear"}, BUCKETS), (2000, 1)),
        np.tile(places_of({"exchange": "cheap"}, BUCKETS), (2000, 1)),
    ]
    price = np.r_[dear, cheap]
    rows = Rows(places, np.zeros(4000, np.uint8), price, price)
    found = fit_landscape(rows, LOGISTIC, BUCKETS)

    def location(word):
        return drawn(found.weights, found.covariance, found.places({"exchange": word}), 0.0, 0.0)[0]

    assert location("dear") == pytest.approx(LOCATION + 0.7, abs=0.1)
    assert location("cheap") == pytest.approx(LOCATION - 0.7, abs=0.1)
    words = {tuple(found.places({"exchange": w})) for w in ("dear", "cheap")}
    other = next(w for w in "abcdefgh" if tuple(found.places({"exchange": w})) not in words)
    assert location(other) == pytest.approx(LOCATION, abs=0.15)
    at = found.places({"exchange": other})
    unsure = drawn(found.weights, found.covariance, at, 1.0, 0.0)[0] - location(other)
    assert unsure > 0.3


def test_rows_count_as_much_as_they_weigh():
    price, bid = market(LOGISTIC, 400)
    rows = Rows(np.zeros((400, 1), np.int32), *told(np.full(400, "paid"), price, bid))
    weight = np.where(np.arange(400) < 100, 2.0, 1.0)
    twice = Rows(*(np.concatenate([column, column[:100]]) for column in rows))
    np.testing.assert_allclose(
        fit_landscape(rows, LOGISTIC, BUCKETS, weight).weights,
        fit_landscape(twice, LOGISTIC, BUCKETS).weights,
        atol=0.02,
    )


def test_limits_hold_for_prices_that_never_change():
    rows = Rows(np.zeros((50, 1), np.int32), np.zeros(50, np.uint8), np.full(50, 9.0), np.zeros(50))
    found = fit_landscape(rows, NORMAL, BUCKETS)
    assert LOG_SCALES[0] <= found.weights[-1] <= LOG_SCALES[1]
    assert math.isfinite(found.chance({}, 1e4))


def test_too_little_is_told():
    few = Rows(np.zeros((5, 1), np.int32), np.zeros(5, np.uint8), np.ones(5), np.ones(5))
    with pytest.raises(TooLittleData):
        fit_landscape(few, LOGISTIC, BUCKETS)
    lost = Rows(np.zeros((50, 1), np.int32), np.full(50, 2, np.uint8), np.ones(50), np.ones(50))
    with pytest.raises(TooLittleData):
        fit_landscape(lost, LOGISTIC, BUCKETS)


def test_the_prior_is_wide_for_all_and_narrow_for_words():
    rows = Rows(np.zeros((3, 1), np.int32), np.array([0, 1, 2], np.uint8), np.ones(3), np.ones(3))
    mean, precision = prior_of(rows, BUCKETS)
    assert len(mean) == len(precision) == columns_of(BUCKETS) + 1
    assert mean[0] == 1.0
    assert precision[0] < precision[1]
