"""Plans of a day whose every minute is known by hand."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from domain.campaigns import Budget, Campaign, Flight, LineItem, Pacing
from domain.clock import DAY_MS, HOUR_MS, MINUTE_MS
from domain.targeting import Targeting
from models.bidding.dayplan import open_hours, plan_day

DAILY = 24_000_000


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1_000)


MONDAY = at("2026-11-23T00:00:00")
CAMPAIGN = Campaign(
    "c", budget=Budget(daily=DAILY), max_bid=5_000_000, lines=(LineItem("l", 1_000_000),)
)


def test_an_even_day_is_due_by_the_minute():
    plan = plan_day(CAMPAIGN, MONDAY + HOUR_MS, 0)
    assert plan is not None
    assert plan.due(MONDAY, MONDAY + HOUR_MS, 0) == pytest.approx(DAILY / 24)
    assert plan.due(MONDAY + 60_000, MONDAY + 65_000, DAILY / 1440) == pytest.approx(
        DAILY / 86_400 * 5
    )
    assert plan.by(MONDAY + 6 * HOUR_MS) == pytest.approx(DAILY / 4)
    assert plan.weight(MONDAY + 5) == pytest.approx(1.0)


def test_what_was_missed_is_spread_over_what_is_left():
    plan = plan_day(CAMPAIGN, MONDAY, 0)
    assert plan is not None
    noon = MONDAY + 12 * HOUR_MS
    assert plan.due(noon, noon + HOUR_MS, 0) == pytest.approx(DAILY / 12)
    assert plan.due(noon, noon + HOUR_MS, DAILY) == 0.0
    assert plan.due(noon, noon + HOUR_MS, 2 * DAILY) == 0.0
    assert plan.due(noon, noon, 0) == 0.0


def test_nothing_is_due_outside_the_day_and_time_that_goes_back():
    plan = plan_day(CAMPAIGN, MONDAY, 0)
    assert plan is not None
    assert plan.due(MONDAY + DAY_MS, MONDAY + 2 * DAY_MS, 0) == 0.0
    assert plan.due(MONDAY + 2 * HOUR_MS, MONDAY + HOUR_MS, 0) == 0.0
    assert plan.weight(MONDAY - 1) == plan.weight(MONDAY + DAY_MS) == 0.0


def test_a_plan_never_asks_for_what_would_trip_the_breaker():
    plan = plan_day(CAMPAIGN, MONDAY, 0)
    assert plan is not None
    late = MONDAY + DAY_MS - MINUTE_MS
    assert plan.due(late, late + MINUTE_MS, 0) == pytest.approx(DAILY / 20)
    bound = replace(CAMPAIGN, budget=Budget(daily=DAILY, per_minute=1_000))
    tight = plan_day(bound, MONDAY, 0)
    assert tight is not None
    assert tight.due(MONDAY, MONDAY + MINUTE_MS, 0) == pytest.approx(500)


def test_days_are_the_zone_s():
    there = replace(CAMPAIGN, zone="Asia/Kolkata")
    plan = plan_day(there, MONDAY, 0)
    assert plan is not None
    assert plan.edges[0] == MONDAY - 5.5 * HOUR_MS
    assert plan.edges[-1] == plan.edges[0] + DAY_MS
    assert plan.by(MONDAY) == pytest.approx(DAILY * 5.5 / 24)


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25)])
def test_a_day_on_which_clocks_change_is_spent_whole(day, hours):
    noon = at(f"{day}T12:00:00")
    plan = plan_day(replace(CAMPAIGN, zone="Europe/Berlin"), noon, 0)
    assert plan is not None
    assert plan.edges[-1] - plan.edges[0] == hours * HOUR_MS
    assert plan.due(plan.edges[0], plan.edges[0] + HOUR_MS, 0) == pytest.approx(DAILY / hours)


def test_front_loaded_money_goes_three_times_as_fast_at_first():
    plan = plan_day(replace(CAMPAIGN, pacing=Pacing.front), MONDAY, 0)
    assert plan is not None
    assert plan.weight(MONDAY) == pytest.approx(1.5, rel=0.02)
    assert plan.weight(MONDAY + DAY_MS - 1) == pytest.approx(0.5, rel=0.02)
    assert plan.by(MONDAY + 12 * HOUR_MS) == pytest.approx(DAILY * 0.625)


def test_demand_goes_by_the_hours_of_utc():
    hourly = np.where(np.arange(24) == 7, 25.0, 1.0)
    plan = plan_day(replace(CAMPAIGN, pacing=Pacing.demand), MONDAY, 0, hourly)
    assert plan is not None
    seven = MONDAY + 7 * HOUR_MS
    assert plan.by(seven + HOUR_MS) - plan.by(seven) == pytest.approx(DAILY * 25 / 48)
    even = plan_day(replace(CAMPAIGN, pacing=Pacing.demand), MONDAY, 0)
    assert even is not None
    assert even.weight(seven) == pytest.approx(1.0)


def test_only_hours_in_which_a_line_is_open_are_planned():
    working = Targeting(hours=tuple(range(9, 17)))
    closed = replace(CAMPAIGN, lines=(LineItem("l", 1, targeting=working),))
    assert open_hours(closed).sum() == 8
    plan = plan_day(closed, MONDAY, 0)
    assert plan is not None
    assert plan.by(MONDAY + 9 * HOUR_MS) == 0.0
    assert plan.by(MONDAY + 13 * HOUR_MS) == pytest.approx(DAILY / 2)
    assert plan.weight(MONDAY + 8 * HOUR_MS) == 0.0
    assert plan_day(closed, MONDAY + DAY_MS, 0) is None, "Tuesday has no open hour"
    both = replace(closed, lines=(*closed.lines, LineItem("all", 1), LineItem("x", 1)))
    assert open_hours(both).all()
    idle = replace(closed, lines=(LineItem("all", 1, active=False),))
    assert plan_day(idle, MONDAY, 0) is None


def flown(total: int, days: int, daily: int | None = None) -> Campaign:
    flight = Flight(MONDAY, MONDAY + days * DAY_MS)
    return replace(CAMPAIGN, budget=Budget(daily, total), flight=flight)


def test_a_total_is_spread_over_the_days_of_its_flight():
    first = plan_day(flown(70_000_000, 7), MONDAY, 0)
    assert first is not None
    assert first.budget == pytest.approx(10_000_000)
    third = plan_day(flown(70_000_000, 7), MONDAY + 2 * DAY_MS, 5_000_000)
    assert third is not None
    assert third.budget == pytest.approx(13_000_000)
    last = plan_day(flown(70_000_000, 7), MONDAY + 6 * DAY_MS, 69_000_000)
    assert last is not None
    assert last.budget == pytest.approx(1_000_000)
    over = plan_day(flown(70_000_000, 7), MONDAY + 6 * DAY_MS, 80_000_000)
    assert over is not None
    assert over.budget == 0.0


def test_of_both_budgets_the_lower_one_plans():
    assert plan_day(flown(70_000_000, 7, 4_000_000), MONDAY, 0).budget == 4_000_000
    assert plan_day(flown(70_000_000, 7, 40_000_000), MONDAY, 0).budget == pytest.approx(10e6)
    endless = replace(CAMPAIGN, budget=Budget(5_000_000, 7_000_000))
    assert plan_day(endless, MONDAY, 0).budget == 5_000_000
    assert plan_day(endless, MONDAY, 6_000_000).budget == 1_000_000


def test_a_long_flight_is_as_its_weeks_are():
    plan = plan_day(flown(100_000_000, 100), MONDAY, 0)
    assert plan is not None
    assert plan.budget == pytest.approx(1_000_000, rel=1e-6)
    sundays = Targeting(hours=tuple(range(144, 168)))
    weekly = replace(flown(100_000_000, 70), lines=(LineItem("l", 1, targeting=sundays),))
    sunday = plan_day(weekly, MONDAY + 6 * DAY_MS, 0)
    assert sunday is not None
    assert sunday.budget == pytest.approx(10_000_000, rel=0.02)


def test_a_flight_of_a_minute_is_planned_by_the_second():
    short = replace(
        CAMPAIGN, budget=Budget(total=600), flight=Flight(MONDAY + 100, MONDAY + 60_100)
    )
    plan = plan_day(short, MONDAY + 200, 0)
    assert plan is not None
    assert plan.budget == 600
    assert plan.due(MONDAY + 100, MONDAY + 1_100, 0) == pytest.approx(10)


@pytest.mark.parametrize(
    "change",
    [
        {"budget": Budget(total=5)},
        {"pacing": Pacing.asap},
        {"active": False},
        {"flight": Flight(MONDAY + DAY_MS)},
        {"budget": Budget()},
        {"lines": ()},
    ],
)
def test_where_there_is_nothing_to_plan_by_there_is_no_plan(change):
    assert plan_day(replace(CAMPAIGN, **change), MONDAY, 0) is None
