"""The pace of a campaign in a simulated market, and against counters that cannot be."""

from dataclasses import replace
from math import exp, inf, log, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.campaigns import Aim, Budget, Campaign, LineItem, Objective, Pacing
from domain.clock import DAY_MS, HOUR_MS, MINUTE_MS
from models.bidding.dayplan import plan_day
from models.bidding.paces import (
    FORGET_MS,
    NO_TARGET,
    Counted,
    Paced,
    is_sane,
    settings_of,
    stepped,
    turned,
)
from models.bidding.pacing import PacingSettings

START = 20_000 * DAY_MS
DAILY = 50_000_000
PRICE = 1_500.0
CAMPAIGN = Campaign(
    "c", budget=Budget(daily=DAILY), max_bid=5_000_000, lines=(LineItem("l", 1_500_000),)
)
PLAN = plan_day(CAMPAIGN, START, 0)
HOURS = 1 + 0.6 * np.sin(np.arange(24) / 24 * 2 * np.pi)


def day(times: float, *, campaign=CAMPAIGN, hourly=HOURS, seed=0, every=10, until=24, late=0):
    """Sell a day in which a multiplier m costs `times`·m² budgets, by the hour; answer the path.

    Columns: spent so far as a share of the budget, and the multiplier. late: seconds by which
    bills come after their bids. The budget is never exceeded: purses see to that.
    """
    rng, state, path = np.random.default_rng(seed), Paced(), []
    plan = plan_day(campaign, START, 0, hourly / hourly.mean())
    budget, spent, bills, under_way = float(campaign.budget.daily), 0.0, 0.0, []
    for second in range(0, until * 3_600, every):
        at = START + second * 1_000
        m = state.multiplier
        supply = times * budget / 86_400 * every * hourly[second // 3_600] / hourly.mean()
        sold = float(rng.poisson(supply * m / PRICE))
        under_way.append((sold, sold * PRICE * m))
        if len(under_way) > late // every:
            sold, cost = under_way.pop(0)
            room = budget - spent
            spent, bills = spent + min(cost, room), bills + (sold if room > 0 else 0)
        state = stepped(state, Counted(spent=spent, bills=bills), campaign, plan, at)
        path.append((spent / budget, state.multiplier))
    return np.array(path)


@pytest.mark.parametrize("times", [3.0, 20.0])
@pytest.mark.parametrize("shape", [Pacing.even, Pacing.front, Pacing.demand])
def test_a_day_ends_within_five_percent_of_plan_and_keeps_to_it(times, shape):
    campaign = replace(CAMPAIGN, pacing=shape)
    path = day(times, campaign=campaign)
    assert path[-1, 0] == pytest.approx(1.0, abs=0.05)
    plan = plan_day(campaign, START, 0, HOURS / HOURS.mean())
    hours = path[359::360, 0]
    meant = [plan.by(START + (hour + 1) * HOUR_MS) / DAILY for hour in range(24)]
    assert np.abs(hours - meant).max() < 0.05


def test_the_multiplier_settles_where_the_market_costs_the_budget():
    path = day(16.0, hourly=np.ones(24))
    assert np.median(path[2_000:8_000, 1]) == pytest.approx(0.25, rel=0.06)


def test_it_falls_when_overspending_and_recovers_when_the_market_dries_up():
    dry = np.where((np.arange(24) >= 8) & (np.arange(24) < 12), 0.02, 1.0)
    path = day(20.0, hourly=dry)
    assert path[60, 1] < 0.5, "ten minutes at many times the plan"
    # With four hours of hardly any supply: up to full bids, and down again.
    assert path[360 * 12 - 1, 1] > 0.9
    assert path[360 * 13, 1] < 0.5
    assert path[-1, 0] == pytest.approx(1.0, abs=0.05)


def test_a_budget_that_cannot_be_spent_leaves_bids_alone():
    path = day(0.3, hourly=np.ones(24))
    assert path[-1, 1] == 1.0
    assert path[:, 1].min() > 0.95
    assert path[-1, 0] == pytest.approx(0.3, rel=0.05)


def test_bills_that_come_late_do_not_throw_it_about():
    path = day(20.0, late=60)
    assert path[-1, 0] == pytest.approx(1.0, abs=0.05)
    assert path[360:, 1].min() > 0.04, "no collapse while old bills come in"


def test_a_flood_is_caught_within_half_a_minute_by_a_leap():
    path = day(400.0, until=1, every=5)
    assert path[6, 1] < 0.6
    assert path[-1, 0] < 0.2


def test_few_dear_impressions_are_judged_over_minutes():
    """Money for one impression a minute: a stretch is not judged by whether it holds one."""
    campaign = replace(CAMPAIGN, budget=Budget(daily=int(PRICE * 1440)))
    path = day(4.0, campaign=campaign, hourly=np.ones(24), every=10)
    assert path[-1, 0] == pytest.approx(1.0, abs=0.05)
    assert path[4_000, 0] == pytest.approx(4_000 / 8_640, abs=0.05)


def test_nothing_is_judged_before_there_is_enough():
    first = stepped(Paced(), Counted(spent=1e6, bills=100), CAMPAIGN, PLAN, START)
    assert (first.since, first.spent, first.multiplier) == (START, 1e6, 1.0)
    soon = stepped(first, Counted(spent=1e6 + 100, bills=101), CAMPAIGN, PLAN, START + 2_000)
    assert soon is first
    dear = Counted(spent=1e6 + 50_000, bills=101)
    assert stepped(first, dear, CAMPAIGN, PLAN, START + MINUTE_MS).since == START
    assert stepped(first, dear, CAMPAIGN, PLAN, START + 2 * MINUTE_MS).since != START


def test_a_plan_of_a_minute_moves_as_fast_as_it_must():
    whole = PLAN._replace(
        edges=np.array([START, START + 60_000.0]), mass=np.array([0.0, 1.0]), budget=600_000.0,
        most=np.inf,
    )  # fmt: skip
    state = Paced(log_budget=log(0.1), since=START)
    state = stepped(state, Counted(spent=1.0, bills=1.0), CAMPAIGN, whole, START + 5_000)
    assert state.log_budget == pytest.approx(log(0.1) + 2 * 5 / 60, rel=0.01)


def test_where_nothing_is_planned_nothing_is_held_back():
    state = Paced(log_budget=log(0.2), since=START)
    after = stepped(state, Counted(), CAMPAIGN, None, START + 5_000)
    assert after.multiplier == 1.0


def aimed(aim: Aim, target: int) -> Campaign:
    return replace(
        CAMPAIGN, objective=Objective(aim, target), budget=Budget(daily=10**12), pacing=Pacing.asap
    )


def hold_target(campaign: Campaign, told: float, seen: float, *, steps=3_000, worth=0):
    """Sell where a multiplier m wins 20·m impressions of PRICE·m, each with chance .01.

    told: what is foretold of each, times the truth. seen: the share of conversions that is told
    so far. A conversion then costs 100·PRICE·m.
    """
    rng, state, now = np.random.default_rng(4), Paced(), START
    sums = np.zeros(6)
    for _ in range(steps):
        m = state.multiplier
        bills = float(rng.poisson(20 * m))
        came = float(rng.binomial(int(bills), 0.01 * seen))
        sums += (bills * PRICE * m, bills, came, came * worth, 0.01 * told * bills, 0)
        counted = Counted(
            spent=sums[0], bills=sums[1], clicks=sums[2], conversions=sums[2], value=sums[3],
            foretold_clicks=sums[4], foretold_conversions=sums[4],
        )  # fmt: skip
        state = stepped(state, counted, campaign, None, now)
        now += 5_000
    return state, sums


@pytest.mark.parametrize("aim", [Aim.cpa, Aim.cpc])
def test_a_target_of_cost_is_met_by_what_is_foretold(aim):
    state, sums = hold_target(aimed(aim, int(200 * PRICE)), told=1.0, seen=1.0)
    assert sums[0] / sums[2] == pytest.approx(200 * PRICE, rel=0.1)
    assert state.multiplier == pytest.approx(2.0, rel=0.15), "above the value, to buy more"


def test_a_target_below_what_the_market_asks_turns_bids_down():
    state, sums = hold_target(aimed(Aim.cpa, int(50 * PRICE)), told=1.0, seen=1.0)
    assert state.multiplier == pytest.approx(0.5, rel=0.15)
    assert sums[0] / sums[2] == pytest.approx(50 * PRICE, rel=0.1)


def test_what_is_foretold_is_corrected_by_what_came():
    """Twice as much is foretold as comes: in the end what comes is what counts."""
    state, sums = hold_target(aimed(Aim.cpc, int(50 * PRICE)), told=2.0, seen=1.0, steps=6_000)
    assert state.multiplier == pytest.approx(0.5, rel=0.15)
    assert sums[0] / sums[2] < 70 * PRICE, "believed, it would be twice the target"


def test_conversions_that_have_not_come_yet_are_credited():
    """Nothing came in the first hours, as is to be expected: bids stay near the value."""
    state, _ = hold_target(aimed(Aim.cpa, int(110 * PRICE)), told=1.0, seen=0.0, steps=700)
    assert state.multiplier > 0.85
    nothing, _ = hold_target(aimed(Aim.cpa, int(110 * PRICE)), told=0.0, seen=0.0, steps=700)
    assert nothing.multiplier < 0.7, "with nothing foretold, what did not come is believed"


def test_without_forecasts_what_came_counts():
    state, sums = hold_target(aimed(Aim.cpc, int(50 * PRICE)), told=0.0, seen=1.0, steps=6_000)
    assert sums[0] / sums[2] == pytest.approx(50 * PRICE, rel=0.15)
    assert state.multiplier < 0.7


@pytest.mark.parametrize("told", [0.0, 1.0])
def test_a_return_on_spend_is_met(told):
    """A conversion brings 200 impressions' price, asked is 4 times the money: m is a half."""
    worth = int(200 * PRICE)
    campaign = aimed(Aim.roas, 4_000_000)
    state, sums = hold_target(campaign, told=told, seen=1.0, worth=worth, steps=6_000)
    assert sums[3] / sums[0] == pytest.approx(4.0, rel=0.15)
    assert state.multiplier == pytest.approx(0.5, rel=0.25)


def test_another_target_begins_anew_and_none_leaves_the_budget_alone():
    state, _ = hold_target(aimed(Aim.cpa, int(50 * PRICE)), told=1.0, seen=1.0, steps=500)
    other = stepped(state, Counted(spent=1e9, bills=1e6), aimed(Aim.cpa, 77), None, START + DAY_MS)
    assert (other.paid, other.earned, other.log_target) == (0.0, 0.0, 0.0)
    none = stepped(state, Counted(spent=1e9, bills=1e6), CAMPAIGN, None, START + DAY_MS)
    assert (none.goal, none.log_target) == ("", NO_TARGET)


def test_only_a_target_of_cost_lets_bids_rise_above_the_value():
    plain = PacingSettings()
    for aim in Aim:
        top = settings_of(replace(CAMPAIGN, objective=Objective(aim, 1))).top
        assert top == (plain.highest if aim in (Aim.cpc, Aim.cpa, Aim.roas) else 1.0)
    high = Paced(log_budget=log(4.0), log_target=log(4.0), goal="cpa 1", since=START)
    assert stepped(high, Counted(), CAMPAIGN, PLAN, START + 1).multiplier == 1.0


BEGUN = Paced(log_budget=log(0.5), since=START, spent=1_000.0, bills=10.0)


@pytest.mark.parametrize(
    "counted",
    [
        Counted(spent=nan),
        Counted(spent=inf, bills=20),
        Counted(spent=2_000, bills=-1),
        Counted(spent=2_000, bills=20, foretold_clicks=nan),
        Counted(spent=-5.0),
    ],
)
def test_numbers_that_are_none_change_nothing(counted):
    assert stepped(BEGUN, counted, CAMPAIGN, PLAN, START + MINUTE_MS) is BEGUN


@pytest.mark.parametrize(
    ("counted", "now"),
    [
        (Counted(spent=500, bills=20), START + MINUTE_MS),
        (Counted(spent=2_000, bills=5), START + MINUTE_MS),
        (Counted(spent=2_000, bills=20), START - DAY_MS),
        (Counted(spent=2_000, bills=20), START + DAY_MS),
        (Counted(spent=9e9, bills=20), START + FORGET_MS + 1),
    ],
)
def test_counters_and_clocks_that_jump_begin_a_new_stretch(counted, now):
    after = stepped(BEGUN, counted, CAMPAIGN, PLAN, now)
    assert after.log_budget == BEGUN.log_budget
    assert (after.since, after.spent, after.bills) == (now, counted.spent, counted.bills)


def test_a_target_s_counters_that_go_back_are_not_believed():
    campaign = aimed(Aim.cpa, 1_000)
    state, _ = hold_target(campaign, told=1.0, seen=1.0, steps=100)
    counted = Counted(spent=state.spent, bills=state.bills + 100, foretold_conversions=0)
    after = stepped(state, counted, campaign, None, state.since + 5_000)
    assert after.log_target == state.log_target
    assert after.goal_foretold == 0.0


@given(
    st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=9, max_size=9),
    st.integers(-(2**53), 2**53),
    st.sampled_from([Aim.clicks, Aim.cpa, Aim.roas, Aim.cpc, Aim.cpm]),
)
def test_no_counters_whatever_make_a_state_that_cannot_be(numbers, now, aim):
    campaign = replace(CAMPAIGN, objective=Objective(aim, 5))
    after = stepped(BEGUN, Counted(*numbers), campaign, PLAN, max(now, 0))
    after = stepped(after, Counted(*numbers[::-1]), campaign, PLAN, max(now, 0) + 60_000)
    assert is_sane(after)
    assert 0.0099 < after.multiplier < 5.001


@pytest.mark.parametrize(
    "state",
    [
        Paced(log_budget=nan),
        Paced(log_budget=50.0),
        Paced(log_budget=-50.0),
        Paced(log_target=nan),
        Paced(log_target=4.0),
        Paced(spent=nan),
        Paced(paid=-1.0),
        Paced(since=-5),
        Paced(old=((0, inf),)),
    ],
)
def test_states_that_cannot_be_are_told(state):
    assert not is_sane(state)


def test_states_that_can_be_are_taken():
    assert is_sane(Paced())
    assert is_sane(BEGUN)
    state, _ = hold_target(aimed(Aim.cpa, 1_000), told=1.0, seen=1.0, steps=50)
    assert is_sane(state)


def test_a_dear_hour_is_met_with_lower_bids_and_never_above_the_top():
    plain = PacingSettings()
    dear = turned(BEGUN, 4.0, 1.0, plain)
    assert dear.multiplier == pytest.approx(0.5 * exp(-0.5))
    assert turned(BEGUN, 1.44, 1.44, plain).multiplier == pytest.approx(0.5)
    assert turned(Paced(log_budget=-0.1), 0.1, 1.0, plain).multiplier == 1.0
    assert turned(BEGUN, nan, 1.0, plain) == BEGUN
