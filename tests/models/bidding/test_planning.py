"""Plans against exhaustive value iteration and against answers that are known."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.bidding.planning import Market, gain_above, plan


def brute(prices, values, horizon, budget, weight):
    """Try every price limit for every value in every state, by recursion."""

    @cache
    def worth(left, money):
        if left == 0:
            return 0.0
        total = 0.0
        for value in values:
            best = -np.inf
            for limit in range(-1, len(prices)):
                earned = 0.0
                for price, chance in enumerate(prices):
                    if price <= limit and price <= money:
                        won = value - weight * price + worth(left - 1, money - price)
                        earned += chance * won
                    else:
                        earned += chance * worth(left - 1, money)
                earned += (1 - sum(prices)) * worth(left - 1, money)
                best = max(best, earned)
            total += best / len(values)
        return total

    return np.array([[worth(t, b) for b in range(budget + 1)] for t in range(horizon + 1)])


@pytest.mark.parametrize("weight", [0.0, 0.5, 1.0])
@pytest.mark.parametrize(
    ("prices", "values"),
    [
        ([0.0, 0.5, 0.3, 0.2], [1.0]),
        ([0.1, 0.2, 0.2, 0.1], [0.5, 2.0, 2.0, 4.0]),
        ([0.0, 0.0, 0.0, 1.0], [0.0, 3.0]),
    ],
)
def test_a_plan_is_exhaustive_value_iteration(prices, values, weight):
    found = plan(Market(np.array(prices), np.array(values)), 4, 7, weight)
    np.testing.assert_allclose(found.worth, brute(prices, values, 4, 7, weight), atol=1e-12)


def test_the_bid_is_the_highest_price_that_pays():
    market = Market(np.array([0.1, 0.3, 0.3, 0.3]), np.array([0.5, 1.0, 3.0]))
    found = plan(market, 5, 9)
    for value in (0.2, 0.5, 1.0, 3.0):
        for left in range(1, 6):
            for money in range(10):
                pays = [
                    price
                    for price in range(min(money, 3) + 1)
                    if value + found.worth[left - 1, money - price] >= found.worth[left - 1, money]
                ]
                assert found.bid(value, left, money) == max(pays)


def test_the_last_auction_is_bid_with_all_that_is_left_and_profit_is_bid_truthfully():
    market = Market(np.full(11, 1 / 11), np.array([1.0, 6.0]))
    assert plan(market, 3, 20).bid(1.0, 1, 7) == 7
    truthful = plan(market, 30, 400, cost_weight=1.0)
    # A budget that cannot run out changes nothing about a second price.
    assert [truthful.bid(value, 20, 400) for value in (0.5, 3.0, 6.0)] == [0, 3, 6]


def test_scarce_money_is_kept_for_better_auctions():
    market = Market(np.array([0.0, 0.25, 0.25, 0.25, 0.25]), np.array([1.0, 1.0, 1.0, 10.0]))
    found = plan(market, 50, 60)
    assert found.bid(1.0, 50, 6) < found.bid(10.0, 50, 6)
    assert found.bid(1.0, 50, 6) <= found.bid(1.0, 50, 60)


def test_beyond_the_table_the_budget_for_each_auction_left_decides():
    market = Market(np.array([0.0, 0.5, 0.5]), np.array([1.0, 2.0]))
    found = plan(market, 20, 40)
    assert found.place(40, 40) == (20, 20)
    assert found.bid(2.0, 200, 4000) == found.bid(2.0, 20, 40)
    assert found.bid(2.0, 200, 0) <= 0


def test_planned_spending_earns_more_than_spending_as_one_goes():
    rng = np.random.default_rng(0)
    prices, values = np.full(10, 0.1), np.array([1.0, 2.0, 8.0])
    found = plan(Market(prices, values), 60, 60)
    planned, greedy = [], []
    for _ in range(200):
        drawn, asked = rng.integers(0, 10, 60), rng.choice(values, 60)
        for earned, bid in ((planned, found.bid), (greedy, lambda value, left, money: money)):
            money, total = 60, 0.0
            for turn in range(60):
                if drawn[turn] <= min(bid(asked[turn], 60 - turn, money), money):
                    money -= drawn[turn]
                    total += asked[turn]
            assert money >= 0
            earned.append(total)
    assert np.mean(planned) > 1.2 * np.mean(greedy)
    # The table foretells what following it earns.
    error = 3 * np.std(planned) / np.sqrt(len(planned))
    assert np.mean(planned) == pytest.approx(found.worth[60, 60], abs=error)


@settings(max_examples=60, deadline=None)
@given(
    st.floats(-5, 50) | st.just(float("nan")),
    st.integers(-2, 90),
    st.floats(-3, 500),
    st.sampled_from([0, 1]),
)
def test_no_bid_is_beyond_the_money_or_the_market(value, left, money, weight):
    market = Market(np.array([0.2, 0.2, 0.3, 0.1]), np.array([0.5, 4.0]))
    bid = plan(market, 12, 20, float(weight)).bid(value, left, money)
    assert bid == -1 or 0 <= bid <= min(money, 3)


def test_worth_grows_with_time_and_money_and_never_faster_than_value():
    found = plan(Market(np.array([0.0, 0.4, 0.6]), np.array([1.0, 3.0])), 15, 20)
    assert (np.diff(found.worth, axis=0) >= -1e-12).all()
    assert (np.diff(found.worth, axis=1) >= -1e-12).all()
    assert found.worth.max() <= 15 * 2.0


def test_gain_above_is_the_mean_of_what_is_over():
    values = np.array([1.0, 2.0, 5.0])
    tails = np.array([8.0, 7.0, 5.0, 0.0])
    for threshold in (-1.0, 0.0, 1.5, 2.0, 4.9, 7.0):
        wanted = np.maximum(values - threshold, 0).mean()
        assert gain_above(values, tails, threshold) == pytest.approx(wanted)


@pytest.mark.parametrize(
    ("prices", "values"),
    [([], [1.0]), ([0.7, 0.7], [1.0]), ([-0.1], [1.0]), ([0.5], [np.nan]), ([0.5], [-1.0])],
)
def test_a_market_that_is_none_is_refused(prices, values):
    with pytest.raises(ValueError, match=r"market|chances"):
        plan(Market(np.array(prices), np.array(values)), 2, 2)


@pytest.mark.parametrize(("horizon", "budget", "weight"), [(0, 1, 0.0), (1, -1, 0.0), (1, 1, -1.0)])
def test_a_plan_needs_an_auction_and_a_budget(horizon, budget, weight):
    with pytest.raises(ValueError, match="a plan has"):
        plan(Market(np.array([0.5]), np.array([1.0])), horizon, budget, weight)
