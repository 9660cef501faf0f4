"""/v1/segments/{name}/users: who is in a segment, over the last sweep, by page or as a file.

A cursor belongs to one sweep and one version of the segment, so pages neither repeat nor skip
anybody. Knows nothing of how anybody was scored.
"""

import asyncio
from typing import Literal, NamedTuple

import msgspec

from domain.condition_text import parse_condition
from feature_store import segments as saved
from feature_store.audiences import VOCABULARY
from feature_store.segments import Segment
from feature_store.sweeps.reading import Sweep
from service.context import Context
from service.cursors import make_cursor, read_cursor
from service.http import Reply, Request, Route, json_reply, query_of
from service.routes.churn_rows import Rows, UserOut
from service.routes.listing import (
    DESCRIPTION,
    MAX_FILE,
    NAMES,
    NO_SWEEP,
    QUERY,
    file_of,
    format_of,
    gone,
    last_sweep,
    limit_of,
    listed,
    sweep_at,
)
from service.routes.segments import Found, checked_name, find

_LISTING = "segment"


class SegmentPage(msgspec.Struct, frozen=True):
    """A page of a segment's users, highest expected loss first, as of when the sweep looked
    (epoch milliseconds). matched: how many there are in all; unknown: for how many it cannot be
    told. `fallback` is no_sweep, and `message` says who must act, when there is none."""

    segment: str
    version: int
    where: str
    sweep: str | None
    as_of: int | None
    users: list[UserOut]
    matched: int
    unknown: int
    cursor: str
    fallback: Literal["no_sweep"] | None = None
    message: str = ""


class _Place(NamedTuple):
    """Where a listing goes on: the next row of the segment's, in one sweep."""

    sweep: str
    start: int


_START = _Place("", 0)


def _place(segment: Segment, cursor: str, now: int) -> _Place:
    """Read a cursor; without one it is the start of the last sweep."""
    if not cursor:
        return _START
    sweep, start, version, name = read_cursor(_LISTING, cursor, now).split(" ", 3)
    if name != segment.name:
        raise gone("this cursor is of another segment")
    if int(version) != segment.version:
        raise gone("the segment was changed; start again without a cursor")
    return _Place(sweep, int(start))


def _part(context: Context, segment: Segment, place: _Place) -> tuple[Sweep, Found] | None:
    """Find a segment's users, None before the first sweep; blocking."""
    sweep = sweep_at(context, place.sweep)
    if sweep is None:
        return None
    return sweep, find(sweep, parse_condition(segment.where, VOCABULARY))


async def _page(
    context: Context, segment: Segment, place: _Place, limit: int, now: int
) -> SegmentPage:
    told = segment.name, segment.version, segment.where
    part = await asyncio.to_thread(_part, context, segment, place)
    if part is None:
        return SegmentPage(*told, None, None, [], 0, 0, "", "no_sweep", NO_SWEEP)
    sweep, (rows, unknown) = part
    end = place.start + limit
    more = f"{sweep.summary.id} {end} {segment.version} {segment.name}"
    return SegmentPage(
        *told,
        sweep.summary.id,
        sweep.summary.as_of,
        await listed(context, sweep, rows[place.start : end]),
        len(rows),
        unknown,
        make_cursor(_LISTING, more, now) if end < len(rows) else "",
    )


async def list_segment_users(context: Context, request: Request) -> Reply:
    """Answer a page of a segment's users, or all of them as a file."""
    name = checked_name(request.param)
    query = query_of(request, NAMES)
    kind = format_of(query, request)
    limit = limit_of(query) if kind == "json" else limit_of(query, MAX_FILE, MAX_FILE)
    segment = saved.one(await saved.load(context.store), name)
    if kind != "json":
        sweep, rows = await asyncio.to_thread(_whole, context, segment)
        return file_of(context, request, name, kind, (sweep, rows[:limit]))
    now = context.clock()
    place = _place(segment, query.get("cursor", ""), now)
    return json_reply(await _page(context, segment, place, limit, now))


def _whole(context: Context, segment: Segment) -> tuple[Sweep, Rows]:
    sweep = last_sweep(context)
    return sweep, find(sweep, parse_condition(segment.where, VOCABULARY)).rows


ROUTES = (
    Route(
        "GET", "/v1/segments/{name}/users", list_segment_users, "Who is in a segment", "segments",
        query=QUERY,
        replies={200: SegmentPage}, errors=(404, 503),
        description=DESCRIPTION,
    ),
)  # fmt: skip
