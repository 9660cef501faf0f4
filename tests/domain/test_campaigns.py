"""Caps, creatives and flights of a campaign."""

from dataclasses import replace

import pytest

from domain.campaigns import NO_END, Budget, Campaign, Creative, Flight, LineItem, Pacing
from domain.clock import DAY_MS, HOUR_MS

CREATIVES = (Creative("a"), Creative("b", active=False), Creative("c"))
CAMPAIGN = Campaign("c1", max_bid=5_000, creatives=CREATIVES)


def test_a_line_may_lower_the_cap_and_never_raise_it() -> None:
    assert CAMPAIGN.cap_of(LineItem("l", 1)) == 5_000
    assert CAMPAIGN.cap_of(LineItem("l", 1, max_bid=3_000)) == 3_000
    assert CAMPAIGN.cap_of(LineItem("l", 1, max_bid=9_000)) == 5_000


def test_a_line_shows_all_active_creatives_or_those_it_names() -> None:
    names = [one.creative for one in CAMPAIGN.creatives_of(LineItem("l", 1))]
    assert names == ["a", "c"]
    named = CAMPAIGN.creatives_of(LineItem("l", 1, creatives=("c", "b")))
    assert [one.creative for one in named] == ["c"]


def test_the_start_of_a_flight_is_in_and_its_end_out() -> None:
    flight = Flight(10, 20)
    assert [flight.holds(now) for now in (9, 10, 19, 20)] == [False, True, True, False]
    assert Flight().holds(0)
    assert Flight().holds(NO_END - 1)


def test_a_campaign_lives_while_it_is_active_and_in_flight() -> None:
    assert CAMPAIGN.lives(5)
    assert not replace(CAMPAIGN, active=False).lives(5)
    assert not replace(CAMPAIGN, flight=Flight(6)).lives(5)


WEEK = Flight(20_000 * DAY_MS, 20_007 * DAY_MS)
HOUR = Flight(20_000 * DAY_MS, 20_000 * DAY_MS + HOUR_MS)


@pytest.mark.parametrize(
    ("budget", "flight", "breaker"),
    [
        (Budget(daily=5_000_000), Flight(), 500_000),
        (Budget(total=7_000_000), Flight(), 700_000),
        (Budget(total=70_000_000), WEEK, 1_000_000),
        (Budget(daily=500_000, total=70_000_000), WEEK, 50_000),
        (Budget(total=6_000_000), HOUR, 2_000_000),
        (Budget(daily=6_000_000, total=1_000_000_000), HOUR, 2_000_000),
        (Budget(daily=5_000_000, per_minute=7), WEEK, 7),
        (Budget(daily=5_000_000, per_minute=0), WEEK, 0),
        (Budget(daily=10), Flight(), 100),
        (Budget(daily=0), Flight(), 100),
        (Budget(), Flight(), None),
    ],
)
def test_the_breaker_is_a_tenth_of_a_day_s_money_unless_it_is_said(
    budget: Budget, flight: Flight, breaker: int | None
) -> None:
    assert replace(CAMPAIGN, budget=budget, flight=flight).breaker == breaker


def test_money_that_is_to_go_at_once_has_no_breaker_of_its_own() -> None:
    quick = replace(CAMPAIGN, budget=Budget(total=1_000_000), pacing=Pacing.asap)
    assert quick.breaker is None
    assert replace(quick, budget=Budget(total=1_000_000, per_minute=5)).breaker == 5


def test_a_flight_that_has_always_been_begins_with_its_campaign() -> None:
    open_start = replace(
        CAMPAIGN, budget=Budget(total=20_000_000), flight=Flight(0, WEEK.ends_at),
        created_at=WEEK.ends_at - 2 * DAY_MS,
    )  # fmt: skip
    assert open_start.breaker == 1_000_000
    assert replace(open_start, created_at=0).breaker == 2_000_000
