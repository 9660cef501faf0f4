"""Prices in one call: value, pace, trust, shading; never outside floor and cap at all."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.bidding.columns import WORDS
from models.bidding.evidence import PRIOR_VARIANCE
from models.bidding.model import no_model
from models.bidding.pricing import (
    AGREED,
    ASKED,
    BID,
    CHANCE,
    CONFIDENCE,
    GUARANTEED,
    HIGHEST_PACE,
    PLAIN,
    SCORE,
    TABLE,
    VALUE,
    multiplied,
    price_rows,
    sane_pace,
    standard_bid,
)
from models.bidding.ready import ready_of
from models.bidding.shading import priced
from models.bidding.value import AIMS

FIRST, SECOND = 1, 2
MOMENTS = (math.log(1e6), 0.0, math.log(0.5), 0.0, 0.0)
READY = ready_of(no_model())
SCENE = (np.zeros(0, np.uint8), (0.0, 0.0))
KNOWN = np.full(14, np.nan)


def price(*rows, at=SECOND, sure=0.9, aim="cpm", target=3e6, pace=1.0, moments=MOMENTS,
          draws=(0.0, 0.0), unit=0.0, best_alone=False):  # fmt: skip
    """Price candidates, one line each; a row is (standard, cap, floor, rate, kind)."""
    table = np.zeros((len(rows), len(TABLE)))
    table[:, 0], table[:, 1], table[:, 3:5], table[:, 5] = AIMS[aim], target, 1.0, pace
    table[:, 6:8], table[:, 8] = PRIOR_VARIANCE * len(WORDS), np.arange(len(rows))
    asked = np.array([(place, *row) for place, row in enumerate(rows)], np.float64)
    own = np.zeros((len(rows), 0), np.uint8)
    market = (at, 0, moments, *draws, sure, unit)
    return price_rows(
        READY.trees, SCENE, KNOWN, (table, own), asked.reshape(-1, len(ASKED)), market, best_alone
    )


ROW = (1e6, 5e6, 0.0, 1.0, PLAIN)


def test_what_is_sure_bids_its_value_in_a_second_price_auction():
    out, best = price(ROW)
    assert best == 0
    assert (out[0, BID], out[0, VALUE], out[0, CONFIDENCE]) == (3e6, 3e6, 1.0)
    assert 0.5 < out[0, CHANCE] < 1


def test_a_first_price_bid_is_shaded_as_the_landscape_says():
    out, _ = price(ROW, at=FIRST)
    wanted = priced(FIRST, 3e6, 0.0, 5e6, 0, *MOMENTS[:1], 0.5)
    assert out[0, BID] == wanted.bid
    assert out[0, CHANCE] == pytest.approx(wanted.chance)
    higher, _ = price(ROW, at=FIRST, moments=(math.log(2e6), 0.0, math.log(0.5), 0.0, 0.0))
    assert higher[0, BID] > out[0, BID]


def test_a_draw_of_the_posterior_moves_the_bid():
    wide = (math.log(1e6), 0.5, math.log(0.5), 0.0, 0.0)
    low, high = (price(ROW, at=FIRST, moments=wide, draws=(z, 0.0))[0][0, BID] for z in (-1, 1))
    assert low < price(ROW, at=FIRST)[0][0, BID] < high


@pytest.mark.parametrize("sure", [0.0, 0.49, -1.0])
def test_where_prices_are_not_known_a_first_price_bid_is_the_standard_one(sure):
    out, _ = price(ROW, at=FIRST, sure=sure)
    assert out[0, BID] == 1e6
    assert out[0, CONFIDENCE] == max(sure, 0.0)


def test_without_any_trust_even_an_agreed_value_is_not_bid():
    assert price(ROW, sure=-1.0)[0][0, BID] == 1e6
    assert price(ROW, sure=0.0)[0][0, BID] == 3e6


def test_what_nothing_is_known_of_bids_the_standard_bid():
    for aim in ("cpc", "cpa", "roas", "clicks", "conversions"):
        out, _ = price(ROW, aim=aim, target=1e5)
        assert (out[0, BID], out[0, CONFIDENCE]) == (1e6, 0.0)


def test_pace_slows_values_down_and_hurries_no_standard_bid():
    assert price(ROW, pace=0.5)[0][0, BID] == 1.5e6
    assert price(ROW, pace=1.5)[0][0, BID] == 4.5e6
    assert price(ROW, pace=0.5, aim="clicks")[0][0, BID] == 5e5
    assert price(ROW, pace=1.5, aim="clicks")[0][0, BID] == 1e6


@pytest.mark.parametrize(
    ("pace", "sane"), [(math.nan, 1.0), (-3.0, 0.0), (1e9, HIGHEST_PACE), (math.inf, HIGHEST_PACE)]
)
def test_a_pace_gone_wrong_is_kept_within_limits(pace, sane):
    assert sane_pace(pace) == sane
    assert price(ROW, pace=pace)[0][0, BID] == min(3e6 * sane, 5e6)


def test_the_highest_value_is_the_best_and_a_floor_keeps_out():
    rows = [(1e6, 2e6, 0.0, 1.0, PLAIN), (1e6, 9e6, 0.0, 1.0, PLAIN), (1e6, 9e6, 4e6, 1.0, PLAIN)]
    out, best = price(*rows)
    assert best == 1
    assert out[:, BID].tolist() == [2e6, 3e6, 0.0]
    assert price((1e6, 9e6, 4e6, 1.0, PLAIN))[1] == -1


def test_an_agreed_price_is_bid_as_it_is_and_what_is_guaranteed_at_its_floor():
    out, _ = price((1e6, 9e6, 4.321e6, 1.0, AGREED), (1e6, 9e6, 3.5e6, 1.0, GUARANTEED))
    assert out[:, BID].tolist() == [4.321e6, 3.5e6]


def test_amounts_of_another_currency_are_converted():
    half, _ = price((1e6, 9e6, 0.0, 0.5, PLAIN))
    assert half[0, BID] == 1.5e6
    # One of the auction's units is two of the landscape's: prices to beat are half as many.
    one, two = price(ROW, at=FIRST)[0], price(ROW, at=FIRST, unit=math.log(2))[0]
    assert two[0, BID] < one[0, BID]


def test_only_the_best_lines_rows_get_bids_where_that_is_enough():
    rows = [(1e6, 2e6, 0.0, 1.0, PLAIN), (1e6, 9e6, 0.0, 1.0, PLAIN)]
    out, best = price(*rows, at=FIRST, best_alone=True)
    every, _ = price(*rows, at=FIRST)
    assert (best, out[0, BID]) == (1, 0.0)
    assert out[1].tolist() == every[1].tolist()
    assert out[:, SCORE].tolist() == every[:, SCORE].tolist()


def test_nobody_is_nothing():
    out, best = price()
    assert (out.shape, best) == ((0, 7), -1)


amount = st.floats(0, 1e10) | st.sampled_from([math.nan, math.inf, -1.0, 1e300])


@given(at=st.sampled_from([FIRST, SECOND, 3]), target=amount, pace=amount,
       location=amount, sure=st.floats(-1, 1), standard=st.integers(0, 10**9),
       cap=st.integers(1, 10**9), floor=st.integers(0, 10**9),
       kind=st.sampled_from([PLAIN, AGREED, GUARANTEED]))  # fmt: skip
def test_no_bid_is_ever_outside_floor_and_cap(
    at, target, pace, location, sure, standard, cap, floor, kind
):
    floor = min(floor, cap)
    out, _ = price(
        (standard, cap, floor, 1.0, kind), at=at, target=target, pace=pace, sure=sure,
        moments=(location, 0.1, math.log(0.5), 0.0, 0.1),
    )  # fmt: skip
    bid = out[0, BID]
    assert bid == 0 or floor <= bid <= cap
    assert bid == int(bid)


@given(
    bid=st.integers(1, 10**9), times=amount, floor=st.integers(0, 10**9), over=st.integers(0, 10)
)
def test_a_multiplied_bid_stays_between_floor_and_cap(bid, times, floor, over):
    cap = max(floor, bid) * (1 + over)
    assert floor <= multiplied(float(bid), times, float(floor), float(cap)) <= cap


def test_multiples_are_rounded_down():
    assert multiplied(1_000_001.0, 1.25, 0.0, 1e9) == 1_250_001
    assert multiplied(1_000_001.0, math.nan, 0.0, 1e9) == 1_000_001
    assert standard_bid(1e6, 0.3333333, 0.0, 1e9) == 333_333
    assert standard_bid(1e6, 1.0, 1_000_001.0, 1e9) == 0
