"""Days of zones, also where clocks change."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.calendars import day_number, day_start, days_around, hour_of_week, offset_ms, zone_of
from domain.clock import DAY_MS, HOUR_MS
from domain.errors import BadField

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Apia")


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1_000)


def test_a_day_in_berlin_starts_before_the_day_in_utc() -> None:
    now = at("2026-07-01T22:30:00")
    assert day_number("Europe/Berlin", now) == day_number("UTC", now) + 1
    assert day_start("Europe/Berlin", day_number("Europe/Berlin", now)) == at("2026-07-01T22:00:00")


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25)])
def test_days_on_which_clocks_change_are_shorter_and_longer(day: str, hours: int) -> None:
    number = day_number("Europe/Berlin", at(f"{day}T12:00:00"))
    start, end = day_start("Europe/Berlin", number), day_start("Europe/Berlin", number + 1)
    assert end - start == hours * HOUR_MS


@given(st.sampled_from(ZONES), st.integers(0, 4_000_000_000_000))
def test_now_lies_in_the_second_of_the_days_around_it(zone: str, now_ms: int) -> None:
    days = days_around(zone, now_ms)
    starts = [start for start, _ in days]
    assert starts == sorted(set(starts))
    assert starts[1] <= now_ms < starts[2]
    assert [number for _, number in days] == list(range(days[0][1], days[0][1] + 4))


def test_hours_of_the_week_begin_on_monday() -> None:
    monday = at("2026-11-23T00:00:00")
    assert hour_of_week("UTC", monday) == 0
    assert hour_of_week("UTC", monday - 1) == 167
    assert hour_of_week("Europe/Berlin", monday) == 1
    assert hour_of_week("UTC", monday + DAY_MS + 5 * HOUR_MS) == 29


def test_a_zone_is_ahead_by_more_in_summer() -> None:
    assert offset_ms("Europe/Berlin", at("2026-01-15T00:00:00")) == HOUR_MS
    assert offset_ms("Europe/Berlin", at("2026-07-15T00:00:00")) == 2 * HOUR_MS
    assert offset_ms("America/New_York", at("2026-01-15T00:00:00")) == -5 * HOUR_MS


@pytest.mark.parametrize("name", ["", "Europe", "Mars/Olympus", "../../etc/passwd", "a\0b"])
def test_what_is_no_zone_is_refused(name: str) -> None:
    with pytest.raises(BadField) as caught:
        zone_of(name)
    assert caught.value.field == "zone"
