"""Canonical frames to checked Events: fast where a row is plainly right, exact elsewhere.

A row that passes the vectorised test is built directly; every other row goes through
domain.events.check_event, which alone decides what is refused and why. Knows nothing of
files or of the store.
"""

from collections.abc import Iterator
from functools import reduce
from operator import and_
from typing import Any, NamedTuple

import polars as pl

from domain.errors import BadField
from domain.events import (
    FUTURE_TOLERANCE_MS,
    MAX_AT_MS,
    MAX_PROPERTIES_BYTES,
    MAX_QUANTITY,
    Event,
    Kind,
    check_event,
)
from domain.money import MICROS
from training.importing.canonical import CANONICAL

_PLAIN_ID = r"^[!-~]([ -~]{0,254}[!-~])?$"
_IDS = ("event_id", "user", "session", "item", "channel", "campaign", "decision_id", "refunds")
_KINDS = tuple(Kind)
_KIND_NUMBERS = {kind.name: int(kind) for kind in Kind}
_PLAIN_MICROS = 1e12
_FAR_FROM_TIE = 0.4
"""The bounds within which domain.money.to_micros rounds the product itself."""


class Rejected(NamedTuple):
    """One row that was not taken; `row` is its place in the file; no value is repeated."""

    row: int
    field: str
    code: str
    message: str


class Checked(NamedTuple):
    """What became of one frame."""

    events: list[Event]
    rejected: list[Rejected]


def check_frame(frame: pl.DataFrame, now_ms: int) -> Checked:
    """Check a canonical frame; plainly right rows come first, otherwise in the frame's order."""
    plain = frame.select(_plain(frame, now_ms)).to_series()
    events = list(_built(frame.filter(plain)))
    rejected: list[Rejected] = []
    if not plain.all():
        for row in frame.filter(~plain).iter_rows(named=True):
            found = _checked(row, now_ms)
            if isinstance(found, Event):
                events.append(found)
            else:
                rejected.append(found)
    return Checked(events, rejected)


def _plain(frame: pl.DataFrame, now_ms: int) -> pl.Expr:
    micros = pl.col("value") * MICROS
    tests = [
        pl.col("fault") == "",
        pl.col("event_id") != "",
        (pl.col("user") != "") | (pl.col("session") != ""),
        pl.col("kind").is_in(list(_KIND_NUMBERS)),
        pl.col("at").is_between(0, min(MAX_AT_MS, now_ms + FUTURE_TOLERANCE_MS)),
        pl.col("value").is_null()
        | ((micros.abs() < _PLAIN_MICROS) & ((micros - micros.round()).abs() < _FAR_FROM_TIE)),
        pl.col("quantity").is_null()
        | ((pl.col("quantity") > 0) & (pl.col("quantity") <= MAX_QUANTITY)),
        (pl.col("currency") == "") | pl.col("currency").str.contains("^[A-Z]{3}$"),
        pl.col("properties").str.len_chars() <= MAX_PROPERTIES_BYTES,
    ]
    # Most columns of most files are empty throughout: the costly test is spared them.
    filled = [name for name in _IDS if not (frame[name] == "").all()]
    tests += [(pl.col(name) == "") | pl.col(name).str.contains(_PLAIN_ID) for name in filled]
    return reduce(and_, tests).fill_null(False)


def _built(frame: pl.DataFrame) -> Iterator[Event]:
    known = pl.col("user") != ""
    made = frame.select(
        "event_id",
        pl.when(known).then("u" + pl.col("user")).otherwise("s" + pl.col("session")),
        pl.col("kind").replace_strict(_KIND_NUMBERS, return_dtype=pl.UInt8),
        "at",
        "item",
        (pl.col("value") * MICROS).round().cast(pl.Int64),
        "currency",
        pl.col("quantity").fill_null(1.0),
        "channel",
        "campaign",
        "decision_id",
        "refunds",
        pl.when(known).then("session").otherwise(pl.lit("")).alias("in_session"),
        "properties",
    )
    lists = [column.to_list() for column in made.get_columns()]
    lists[2] = list(map(_KINDS.__getitem__, lists[2]))
    return map(Event._make, zip(*lists, strict=True))


def _checked(row: dict[str, Any], now_ms: int) -> Event | Rejected:
    place, fault = row["row"], row["fault"]
    if fault:
        field, told, reason = fault.partition(": ")
        named = told and field in CANONICAL
        return Rejected(place, field if named else "", "unreadable", reason if named else fault)
    try:
        # A missing time would mean "now": in a file it is a hole.
        if row["at"] is None:
            raise BadField("no time", field="at", code="missing")
        return check_event(
            now_ms=now_ms,
            kind=row["kind"],
            # Above the bound for seconds check_event reads milliseconds; below, both agree
            # only when milliseconds are given as seconds.
            at=row["at"] / 1000 if abs(row["at"]) < 100_000_000_000 else row["at"],
            **{name: row[name] for name in CANONICAL if name not in _OWN},
        )
    except BadField as error:
        return Rejected(place, error.field, error.code, error.message)


_OWN = ("row", "fault", "kind", "at")
