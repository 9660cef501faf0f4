"""Pacing on markets whose best multiplier is known by hand, and against broken counters."""

from math import exp, log, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.campaigns import Pacing
from models.bidding.pacing import Pace, PacingSettings, Plan, credited, plan

SETTINGS = PacingSettings()


def auctions(rng, n):
    """Values and prices uniform on 0 to 1: a multiplier m up to 1 costs m^2 / 6 an auction."""
    return rng.random(n), rng.random(n)


def run(rate, intervals=600, each=200, settings=SETTINGS, seed=0):
    """Pace a second-price campaign whose plan is `rate` an auction; answer path and spend."""
    rng, pace, spent = np.random.default_rng(seed), Pace(), 0.0
    one = plan(rate * each * intervals, Pacing.even, 0, intervals, 60)
    path = []
    for t in range(intervals):
        value, price = auctions(rng, each)
        cost = price[value * pace.multiplier > price].sum()
        pace = pace.paced(one.due(t, spent), cost, settings)
        spent += cost
        path.append(pace.multiplier)
    return np.array(path), spent / one.budget


@pytest.mark.parametrize("rate", [0.01, 0.04, 0.1])
def test_a_stationary_market_is_paced_at_the_known_optimum(rate):
    path, share = run(rate, intervals=3000, each=100)
    assert path[1000:].mean() == pytest.approx(sqrt(6 * rate), rel=0.05)
    assert share == pytest.approx(1.0, abs=0.02)


def test_a_budget_that_does_not_bind_leaves_bids_alone():
    path, share = run(0.3)
    assert path[-1] == 1.0
    assert share == pytest.approx((1 / 6) / 0.3, rel=0.03)


def test_a_smaller_step_moves_less_and_later():
    slow, _ = run(0.01, settings=PacingSettings(step=0.01))
    quick, _ = run(0.01)
    assert np.std(np.diff(np.log(slow[300:]))) < np.std(np.diff(np.log(quick[300:])))
    assert slow[20] > quick[20]


def test_the_target_is_met_where_bidding_more_costs_more():
    """Prices uniform on 0 to 1, m times a value bid in second price: a unit costs m / 2 of it."""
    rng, pace, spent, earned = np.random.default_rng(1), Pace(0.0, 0.0), 0.0, 0.0
    target = 0.3
    for _ in range(1500):
        price = rng.random(200)
        won = price < target * pace.multiplier
        cost, credit = price[won].sum(), target * won.sum()
        pace = Pace(0.0, pace.targeted(cost, credit, (spent, earned), SETTINGS).log_target)
        spent, earned = spent + cost, earned + credit
    assert spent / earned == pytest.approx(0.5, abs=0.01), "the budget side holds it at 1"


def test_a_target_alone_is_met_exactly():
    rng, pace, spent, earned = np.random.default_rng(2), Pace(0.0, 0.0), 0.0, 0.0
    target = 0.3
    for _ in range(1500):
        price = rng.random(200)
        won = price < target * exp(pace.log_target)
        cost, credit = price[won].sum(), target * won.sum()
        pace = pace.targeted(cost, credit, (spent, earned), SETTINGS)
        spent, earned = spent + cost, earned + credit
    assert exp(pace.log_target) == pytest.approx(2.0, rel=0.1), "cost m/2 of the target: m = 2"
    assert spent / earned == pytest.approx(1.0, abs=0.02)


def test_the_lower_of_two_multipliers_bids():
    assert Pace(log(0.5), log(2.0)).multiplier == pytest.approx(0.5)
    assert Pace(0.0, log(0.3)).multiplier == pytest.approx(0.3)
    assert Pace(0.0, log(2.0)).multiplier == 1.0


def test_a_target_that_waits_for_the_budget_stays_near():
    pace = Pace(log(0.1), 0.0)
    for _ in range(2000):
        pace = pace.targeted(1.0, 100.0, (0.0, 1e6), SETTINGS)
    assert pace.log_target <= max(0.0, log(0.1) + 1.0) + 1e-9


def test_a_budget_that_waits_for_the_target_stays_near():
    eager = PacingSettings(top=5.0)
    pace = Pace(0.0, log(0.1))
    for _ in range(500):
        pace = pace.paced(100.0, 1.0, eager)
    assert pace.log_budget == 0.0
    for _ in range(500):
        pace = Pace(pace.log_budget, 0.0).paced(100.0, 1.0, eager)
    assert pace.log_budget == pytest.approx(1.0)


def test_whoever_wants_volume_may_bid_above_value():
    pace = Pace()
    for _ in range(200):
        pace = pace.paced(100.0, 1.0, PacingSettings(top=3.0))
    assert pace.multiplier == pytest.approx(3.0)


def test_a_plan_missed_is_made_again():
    one = plan(100.0, Pacing.even, 0, 10, 60)
    assert one.due(0, 0.0) == pytest.approx(10.0)
    assert one.due(5, 0.0) == pytest.approx(20.0)
    assert one.due(9, 98.0) == pytest.approx(2.0)
    assert one.due(5, 120.0) == 0.0
    assert one.due(10, 0.0) == 0.0
    assert one.by(5) == pytest.approx(50.0)


def test_shapes_of_a_plan():
    demand = np.ones(24)
    demand[1] = 3.0
    by_demand = plan(8.0, Pacing.demand, 0.0, 4, 1800, demand)
    assert by_demand.weights.tolist() == [1, 1, 3, 3]
    assert plan(8.0, Pacing.demand, 23.5, 4, 1800, demand).weights.tolist() == [1, 1, 1, 3]
    front = plan(10.0, Pacing.front, 0, 100, 60)
    assert front.by(50) == pytest.approx(6.25, abs=0.05)
    assert plan(8.0, Pacing.demand, 0, 4, 60).weights.tolist() == [1, 1, 1, 1]


@given(st.lists(st.floats(0, 100), min_size=1, max_size=30), st.floats(0, 1e9))
def test_following_the_plan_spends_the_budget_and_no_more(weights, budget):
    if sum(weights) <= 0:
        weights = [1.0]
    one = Plan(budget, np.array(weights))
    spent = 0.0
    for interval in range(len(weights)):
        due = one.due(interval, spent)
        assert due >= 0
        spent += due
    assert spent == pytest.approx(budget, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(
    ("budget", "weights"),
    [(-1.0, [1.0]), (np.nan, [1.0]), (1.0, [-1.0, 2.0]), (1.0, [0.0]), (1.0, [np.nan])],
)
def test_what_is_no_plan_is_refused(budget, weights):
    with pytest.raises(ValueError, match="plan"):
        Plan(budget, np.array(weights))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -1.0])
def test_counters_that_are_none_change_nothing(bad):
    pace = Pace(-0.5, 0.2)
    assert pace.paced(1.0, bad, SETTINGS) == pace
    assert pace.targeted(bad, 1.0, (1.0, 1.0), SETTINGS) == pace
    assert pace.targeted(1.0, 1.0, (bad, 1.0), SETTINGS) == pace
    assert pace.anticipated(bad, 1.0) == pace
    assert pace.targeted(0.0, 0.0, (1.0, 1.0), SETTINGS) == pace


@given(st.lists(st.tuples(st.floats(0, 1e12), st.floats(0, 1e12)), max_size=60))
def test_no_counters_move_a_multiplier_beyond_its_limits(counters):
    pace = Pace()
    for left, right in counters:
        before = pace
        pace = pace.paced(left, right, SETTINGS).targeted(right, left, (left, right), SETTINGS)
        assert SETTINGS.lowest - 1e-12 <= pace.multiplier <= 1.0
        assert abs(pace.log_budget - before.log_budget) <= SETTINGS.step + 1e-9
        assert pace.log_target <= before.log_target + SETTINGS.target_step + 1e-9


def test_spending_with_nothing_due_turns_bids_down():
    assert Pace().paced(0.0, 5.0, SETTINGS).log_budget < 0
    assert Pace(-1.0).paced(0.0, 0.0, SETTINGS).log_budget == -1.0


def test_a_dearer_hour_is_met_half_way_before_it_is_felt():
    pace = Pace(log(0.5))
    assert pace.anticipated(expected=2.0, meant=1.0).multiplier < 0.5
    assert pace.anticipated(expected=1.0, meant=2.0).multiplier > 0.5
    assert pace.anticipated(expected=2.0, meant=2.0) == pace
    assert pace.anticipated(1e9, 1.0).log_budget >= log(0.5) - 0.5


def test_late_conversions_are_credited_as_far_as_matured_ones_say():
    assert credited(100.0, 0.0, 0.0) == 100.0
    assert credited(100.0, 1000.0, 1200.0) == pytest.approx(119, abs=1)
    assert credited(100.0, 1e6, 0.0) == 50.0
    assert credited(100.0, 10.0, 1e6) == 200.0
