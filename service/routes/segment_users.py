"""/v1/segments/{name}/users: who is in a segment, over the last sweep, by page or as a file.

A cursor belongs to one sweep and one version of the segment, so pages neither repeat nor skip
anybody. Files are read in threads. Knows nothing of how anybody was scored.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Literal, NamedTuple

import msgspec

from domain.condition_text import parse_condition
from domain.errors import BadField, NotFound
from feature_store import segments as saved
from feature_store.audiences import VOCABULARY
from feature_store.segments import Segment
from feature_store.sweeps.reading import Sweep
from service.context import Context
from service.cursors import make_cursor, read_cursor
from service.http import Reply, Request, Route, header, json_reply, query_of
from service.routes.churn_rows import Rows, UserOut, csv_head, csv_lines, ndjson, users_out
from service.routes.segments import NO_SWEEP, checked_name, find

PAGE = 100
MAX_PAGE = 500
BLOCK = 500
"""Rows of a file that are made at once: some tens of milliseconds in a thread."""
REASONS = 4
"""Columns of reasons in a CSV file: the strongest three and the rest."""
_LISTING = "segment"
_QUERY = frozenset({"limit", "cursor", "format"})
_FORMATS = {"ndjson": b"application/x-ndjson", "csv": b"text/csv; charset=utf-8"}


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


def _limit(query: dict[str, str], default: int, most: int) -> int:
    text = query.get("limit", "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= most):
        raise BadField(f"a whole number from 1 to {most}", field="limit")
    return int(text)


def _format(query: dict[str, str], request: Request) -> str:
    """Answer json, ndjson or csv: as the query says, else as the Accept header does."""
    if "format" in query:
        if query["format"] not in ("json", *_FORMATS):
            raise BadField("json, ndjson or csv", field="format")
        return query["format"]
    accepted = header(request, b"accept")
    return next((k for k, v in _FORMATS.items() if v.partition(b";")[0] in accepted), "json")


def _place(segment: Segment, cursor: str, now: int) -> _Place | None:
    """Read a cursor; None without one."""
    if not cursor:
        return None
    sweep, start, version, name = read_cursor(_LISTING, cursor, now).split(" ", 3)
    if name != segment.name:
        raise _gone("this cursor is of another segment")
    if int(version) != segment.version:
        raise _gone("the segment was changed; start again without a cursor")
    return _Place(sweep, int(start))


def _gone(message: str) -> BadField:
    return BadField(message, field="cursor", code="bad_cursor")


def _opened(context: Context, place: _Place | None) -> Sweep | None:
    if place is None:
        return context.sweeps.current()
    sweep = context.sweeps.get(place.sweep)
    if sweep is None:
        raise _gone("the sweep of this cursor is gone; start again without one")
    return sweep


def _page(
    context: Context, segment: Segment, place: _Place | None, limit: int, now: int
) -> SegmentPage:
    """Answer a page; blocking."""
    told = segment.name, segment.version, segment.where
    sweep = _opened(context, place)
    if sweep is None:
        return SegmentPage(*told, None, None, [], 0, 0, "", "no_sweep", NO_SWEEP)
    rows, unknown = find(sweep, parse_condition(segment.where, VOCABULARY))
    start = 0 if place is None else place.start
    end = start + limit
    more = f"{sweep.summary.id} {end} {segment.version} {segment.name}"
    return SegmentPage(
        *told,
        sweep.summary.id,
        sweep.summary.as_of,
        users_out(sweep, rows[start:end]),
        len(rows),
        unknown,
        make_cursor(_LISTING, more, now) if end < len(rows) else "",
    )


async def list_segment_users(context: Context, request: Request) -> Reply:
    """Answer a page of a segment's users, or all of them as a file."""
    name = checked_name(request.param)
    query = query_of(request, _QUERY)
    kind = _format(query, request)
    if kind == "json":
        limit = _limit(query, PAGE, MAX_PAGE)
        segment = saved.one(await saved.load(context.store), name)
        now = context.clock()
        place = _place(segment, query.get("cursor", ""), now)
        return json_reply(await asyncio.to_thread(_page, context, segment, place, limit, now))
    if query.get("cursor"):
        raise BadField("a file is sent whole; leave the cursor out", field="cursor")
    limit = _limit(query, 999_999_999, 999_999_999)
    segment = saved.one(await saved.load(context.store), name)
    sweep, rows = await asyncio.to_thread(_whole, context, segment)
    filename = f'attachment; filename="{name}-{sweep.summary.id}.{kind}"'
    headers = ((b"content-disposition", filename.encode()),)
    if request.method == "HEAD":
        return Reply(200, b"", headers, _FORMATS[kind])
    return Reply(200, b"", headers, _FORMATS[kind], _parts(sweep, rows[:limit], kind))


def _whole(context: Context, segment: Segment) -> tuple[Sweep, Rows]:
    sweep = context.sweeps.current()
    if sweep is None:
        raise NotFound(NO_SWEEP, code="no_sweep")
    return sweep, find(sweep, parse_condition(segment.where, VOCABULARY)).rows


async def _parts(sweep: Sweep, rows: Rows, kind: str) -> AsyncIterator[bytes]:
    if kind == "csv":
        yield csv_head(sweep.summary, REASONS)
    for start in range(0, len(rows), BLOCK):
        yield await asyncio.to_thread(_block, sweep, rows[start : start + BLOCK], kind)


def _block(sweep: Sweep, rows: Rows, kind: str) -> bytes:
    users = users_out(sweep, rows)
    return ndjson(users) if kind == "ndjson" else csv_lines(sweep.summary, users, REASONS)


ROUTES = (
    Route(
        "GET", "/v1/segments/{name}/users", list_segment_users, "Who is in a segment", "segments",
        query={
            "limit": (int, f"1 to {MAX_PAGE}, default {PAGE}; of a file, all unless given"),
            "cursor": (str, "from the page before; valid for a day"),
            "format": (
                Literal["json", "ndjson", "csv"],
                "ndjson and csv are sent whole, as the header Accept asks for as well",
            ),
        },
        replies={200: SegmentPage}, errors=(404, 503),
        description=(
            "Over the users of the last sweep, as of its `as_of`. Before the first sweep a page is "
            "empty and says so in `fallback`; a file answers 404, code no_sweep. A cursor that was "
            "changed, is a day old, or whose sweep or segment changed answers 400, code bad_cursor."
        ),
    ),
)  # fmt: skip
