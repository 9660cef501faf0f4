"""Bids against a grid of all bids, and what no bid may ever be."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit

from models.bidding.landscape import win_chance
from models.bidding.laws import LAWS, log_below
from models.bidding.shading import FIRST_PRICE, FIXED_PRICE, SECOND_PRICE, best_first_price, priced

BOTH = pytest.mark.parametrize("law", LAWS.values(), ids=LAWS)


@njit
def best_of_grid(law, value, location, scale):
    best, at = -np.inf, 0.0
    for step in range(1, 20_000):
        bid = value * math.exp(-60.0 * (step / 20_000.0) ** 3)
        gain = math.log(value - bid) + log_below(law, (math.log(bid) - location) / scale)
        if gain > best:
            best, at = gain, bid
    return best, at


@BOTH
def test_no_bid_of_a_grid_gains_more(law):
    rng = np.random.default_rng(0)
    for _ in range(300):
        value = math.exp(rng.uniform(5, 18))
        location, scale = math.log(value) + rng.normal(0, 3), math.exp(rng.uniform(-3.9, 1.6))
        bid = best_first_price(law, value, location, scale)
        ours = math.log(value - bid) + log_below(law, (math.log(bid) - location) / scale)
        assert ours >= best_of_grid(law, value, location, scale)[0] - 1e-9


def test_a_known_best_bid():
    # Log-logistic with shape 1: P = b / (b + l), whose best bid is sqrt(l² + l v) − l.
    value, middle = 8e6, 1e6
    wanted = math.sqrt(middle**2 + middle * value) - middle
    assert best_first_price(0, value, math.log(middle), 1.0) == pytest.approx(wanted, rel=1e-6)


@BOTH
def test_a_dearer_market_is_bid_more_and_a_certain_one_just_over_it(law):
    bids = [best_first_price(law, 1e7, math.log(price), 0.3) for price in (1e5, 1e6, 4e6)]
    assert bids == sorted(bids)
    sure = best_first_price(law, 1e7, math.log(1e6), 0.02)
    assert 1e6 < sure < 1.2e6


@BOTH
def test_what_is_bid_by_type_of_auction(law):
    first = priced(FIRST_PRICE, 5e6, 1e5, 1e9, law, 14.0, 0.5)
    second = priced(SECOND_PRICE, 5e6, 1e5, 1e9, law, 14.0, 0.5)
    fixed = priced(FIXED_PRICE, 5e6, 123_456.0, 1e9, law, 14.0, 0.5)
    assert second.bid == 5_000_000
    assert fixed.bid == 123_456
    assert fixed.bid < first.bid < second.bid
    assert first.chance == win_chance(law, float(first.bid), 14.0, 0.5)
    assert first.surplus == pytest.approx((5e6 - first.bid) * first.chance)


def test_floor_and_cap_bind():
    assert priced(FIRST_PRICE, 5e6, 4.9e6, 1e9, 0, 10.0, 0.5).bid == 4_900_000
    assert priced(FIRST_PRICE, 5e6, 0.0, 1e4, 0, 15.0, 0.5).bid == 10_000
    assert priced(SECOND_PRICE, 5e6, 0.0, 1e4, 0, 15.0, 0.5).bid == 10_000
    assert priced(SECOND_PRICE, 5e6, 5e6 + 0.5, 1e9, 0, 15.0, 0.5).bid == 0


money = st.floats(allow_nan=True, allow_infinity=True) | st.floats(0, 1e10)


@settings(max_examples=500, deadline=None)
@given(
    st.sampled_from([0, 1, 2, 3, 501]),
    money,
    money,
    money,
    st.sampled_from([0, 1]),
    st.floats(0, 30),
    st.floats(0.02, 5),
)
def test_every_bid_is_whole_and_between_floor_and_cap_and_value(
    at, value, floor, cap, law, location, scale
):
    bid, chance, surplus = priced(at, value, floor, cap, law, location, scale)
    assert isinstance(bid, int)
    assert 0 <= chance <= 1
    if bid:
        assert max(floor, 1) <= bid <= min(value, cap)
        assert surplus >= 0
    else:
        assert chance == surplus == 0
