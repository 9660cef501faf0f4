"""Times of any make to UTC milliseconds: ISO text, a stated format, epoch numbers, typed columns.

What has no zone is local to the zone stated for the file. Knows nothing of rows or events.
"""

from datetime import UTC, datetime
from typing import Literal, get_args
from zoneinfo import ZoneInfo

import polars as pl

from domain.errors import ScientistError

AtUnit = Literal["auto", "s", "ms", "us", "ns", "iso"]
AT_UNITS: tuple[str, ...] = get_args(AtUnit)
_TO_MS = {"s": 1e3, "ms": 1.0, "us": 1e-3, "ns": 1e-6}
_SECONDS_BELOW = 1e11
"""The HTTP door's rule: smaller numbers are epoch seconds, larger ones milliseconds."""

_MS = "ms"


def check_zone(zone: str) -> str:
    """Answer `zone`; raises ScientistError when there is no such time zone."""
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError) as error:
        raise ScientistError(f"no such time zone: {zone!r} (try Europe/Berlin or UTC)") from error
    return zone


def to_ms(column: pl.Series, unit: str = "auto", zone: str = "UTC", form: str = "") -> pl.Series:
    """Answer UTC milliseconds (Int64), null where a time is missing or cannot be read.

    A local time that the clocks skipped is null, one they repeated is the earlier.
    """
    dtype = column.dtype
    if dtype.is_temporal():
        if dtype == pl.Date or dtype == pl.Datetime:
            return _localised(
                column.cast(pl.Datetime(_MS, getattr(dtype, "time_zone", None))), zone
            )
        raise ScientistError(f"the time column holds {dtype}, which is not a moment")
    if dtype.is_numeric():
        return _epoch(column, unit)
    text = column.cast(pl.String).str.strip_chars()
    if form:
        parsed = text.str.to_datetime(form, strict=False, time_unit=_MS)
        return _localised(parsed, zone)
    numbers = text.cast(pl.Float64, strict=False)
    if unit in _TO_MS:
        return _epoch(numbers, unit)
    if unit == "auto" and numbers.null_count() == text.null_count():
        return _epoch(numbers, unit)
    moments = _iso(text, zone)
    if unit == "iso":
        return moments
    # As at the HTTP door: what reads as a number is one, though 20200701 is ISO 8601, too.
    return pl.select(pl.coalesce(_epoch(numbers, unit), moments)).to_series()


def _epoch(column: pl.Series, unit: str) -> pl.Series:
    if unit == "iso":
        raise ScientistError("the time column holds numbers, so its unit cannot be iso")
    number = pl.lit(column).cast(pl.Float64) if unit != "ms" else pl.lit(column)
    if unit == "auto":
        made = pl.when(number.abs() < _SECONDS_BELOW).then(number * 1e3).otherwise(number)
    else:
        made = number * _TO_MS[unit]
    return pl.select(made.round().cast(pl.Int64, strict=False)).to_series()


def _localised(column: pl.Series, zone: str) -> pl.Series:
    dtype = column.dtype
    if isinstance(dtype, pl.Datetime) and dtype.time_zone is None and zone != "UTC":
        column = column.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    return column.dt.epoch(_MS)


def _iso(text: pl.Series, zone: str) -> pl.Series:
    moments, local = [], []
    for moment in text:
        ms, is_local = _parsed(moment)
        moments.append(ms)
        local.append(is_local)
    made = pl.Series(moments, dtype=pl.Int64)
    if zone == "UTC" or not any(local):
        return made
    shifted = _localised(made.cast(pl.Datetime(_MS)), zone)
    chosen = pl.when(pl.Series(local)).then(shifted).otherwise(made)
    return pl.select(chosen).to_series()


def _parsed(text: str | None) -> tuple[int | None, bool]:
    if not text:
        return None, False
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None, False
    is_local = moment.tzinfo is None
    if is_local:
        moment = moment.replace(tzinfo=UTC)
    try:
        return round(moment.timestamp() * 1000), is_local
    except (ValueError, OverflowError):
        return None, False
