"""Days and hours of a zone: where its days start, and which hour of the week it is.

Days have 23 to 25 hours where clocks are changed. Knows no zone's rules; Python's zoneinfo does.
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from domain.errors import BadField


@lru_cache(maxsize=512)
def zone_of(name: str) -> ZoneInfo:
    """Answer the zone of an IANA name; raises BadField."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise BadField("an IANA time zone, such as Europe/Berlin", field="zone") from error


def day_number(zone: str, now_ms: int) -> int:
    """Answer the number of the day in `zone` (its proleptic Gregorian ordinal)."""
    return _local(zone, now_ms).date().toordinal()


def day_start(zone: str, number: int) -> int:
    """Answer the first UTC millisecond of a day."""
    midnight = datetime.combine(date.fromordinal(number), time(), zone_of(zone))
    return int(midnight.timestamp()) * 1_000


def days_around(zone: str, now_ms: int) -> tuple[tuple[int, int], ...]:
    """Answer (first UTC ms, number) of yesterday, today, tomorrow and the day after."""
    today = day_number(zone, now_ms)
    return tuple((day_start(zone, day), day) for day in range(today - 1, today + 3))


def hour_of_week(zone: str, now_ms: int) -> int:
    """Answer the hour of the week, 0 (Monday 00:00) to 167, by the zone's clock."""
    there = _local(zone, now_ms)
    return there.weekday() * 24 + there.hour


def offset_ms(zone: str, now_ms: int) -> int:
    """Answer by how much the zone's clock is ahead of UTC at a moment, in ms."""
    ahead = _local(zone, now_ms).utcoffset()
    return 0 if ahead is None else int(ahead.total_seconds() * 1_000)


def _local(zone: str, now_ms: int) -> datetime:
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return (epoch + timedelta(milliseconds=now_ms)).astimezone(zone_of(zone))
