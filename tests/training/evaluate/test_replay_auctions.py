"""Replays of a handful of auctions, by hand, and what no replay may do."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.bidding.planning import Market, plan
from training.evaluate.replay_auctions import (
    Auctions,
    price_chances,
    replay,
    replay_planned,
)

FEW = Auctions(np.array([1.0, 0.0, 1.0, 1.0]), np.array([10.0, 20.0, 5.0, 30.0]), np.full(4, 0.1))


def test_a_higher_bid_wins_and_pays_the_price_and_a_tie_does_not():
    bought = replay(FEW, np.array([11.0, 20.0, 5.5, 29.0]), 1e9)
    assert bought == (2, 2, 15.0)
    assert bought.profit(100.0) == 185.0


def test_what_the_budget_cannot_pay_is_not_bought_but_what_comes_later_may_be():
    assert replay(FEW, np.full(4, 99.0), 16.0) == (2, 2, 15.0)


@given(
    st.lists(st.tuples(st.integers(0, 1), st.integers(0, 300), st.floats(0, 400)), min_size=1),
    st.floats(0, 2000),
)
def test_no_more_is_spent_than_the_budget(rows, budget):
    clicks, prices, bids = (np.array(column, float) for column in zip(*rows, strict=True))
    bought = replay(Auctions(clicks, prices, clicks), bids, budget)
    assert 0 <= bought.spent <= budget
    assert bought.clicks <= bought.wins <= len(rows)


def test_a_plan_is_told_what_is_left():
    told = []

    def bid(value, left, money):
        told.append((value, left, money))
        return 10

    assert replay_planned(FEW, np.array([1.0, 2.0, 3.0, 4.0]), bid, 50.0) == (2, 2, 15.0)
    assert told == [(1.0, 4, 50.0), (2.0, 3, 40.0), (3.0, 2, 40.0), (4.0, 1, 35.0)]


def test_a_plan_beats_the_best_constant_bid_on_the_same_budget():
    rng = np.random.default_rng(3)
    prices, chance = rng.integers(1, 31, 2000).astype(float), rng.choice([0.01, 0.05, 0.4], 2000)
    auctions = Auctions((rng.random(2000) < chance).astype(float), prices, chance)
    market = Market(price_chances(prices), np.array([0.01, 0.05, 0.4]))
    found = plan(market, 200, 400)
    planned = replay_planned(auctions, chance, found.bid, 4000.0)
    assert planned.spent <= 4000.0
    best = max(replay(auctions, np.full(2000, float(b)), 4000.0).clicks for b in range(1, 32))
    assert planned.clicks > 1.1 * best


def test_shares_of_prices():
    np.testing.assert_allclose(price_chances(np.array([1.0, 3.0, 3.0, 3.0])), [0, 0.25, 0, 0.75])


def test_taking_some_takes_them_everywhere():
    some = FEW.take(slice(1, 3))
    assert some.prices.tolist() == [20.0, 5.0]
    assert some.clicks.tolist() == [0.0, 1.0]
