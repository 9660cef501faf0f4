"""What lists over a sweep share: pages, and whole files of NDJSON or CSV made in threads.

Who has refused since the sweep is listed no more. Knows nothing of which users are listed, or why.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Literal

import numpy as np

from domain.errors import BadField, NotFound
from domain.users import Purpose, may_use
from feature_store.sweeps.reading import Sweep
from service.context import Context
from service.http import Reply, Request, header
from service.routes.churn_rows import Rows, UserOut, csv_head, csv_lines, ndjson, users_out

NO_SWEEP = "no sweep yet: whoever operates this runs `python -m training sweep churn`"
PAGE = 100
MAX_PAGE = 500
MAX_FILE = 999_999_999
BLOCK = 500
"""Rows of a file that are made at once: some tens of milliseconds in a thread."""
REASONS = 4
"""Columns of reasons in a CSV file: the strongest three and the rest."""
_TYPES = {"ndjson": b"application/x-ndjson", "csv": b"text/csv; charset=utf-8"}
NAMES = frozenset({"limit", "cursor", "format"})
QUERY: dict[str, tuple[object, str]] = {
    "limit": (int, f"1 to {MAX_PAGE}, default {PAGE}; of a file, all unless given"),
    "cursor": (str, "from the page before, of the same question; valid for a day"),
    "format": (
        Literal["json", "ndjson", "csv"],
        "ndjson and csv are sent whole, as the header Accept asks for as well",
    ),
}
"""What every list takes, as OpenAPI describes it."""
DESCRIPTION = (
    "Over the users of the last sweep, as of its `as_of`. Before the first sweep a page is empty "
    "and says so in `fallback`; a file answers 404, code no_sweep. In CSV a text that a "
    "spreadsheet would take for a formula begins with an apostrophe. Who has refused analytics "
    "since the sweep is in no list, though still in its counts. A cursor that was changed, "
    "is a day old, or of another question answers 400, code bad_cursor."
)


def limit_of(query: dict[str, str], default: int = PAGE, most: int = MAX_PAGE) -> int:
    """Answer how many rows are asked for; raises BadField."""
    text = query.get("limit", "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= most):
        raise BadField(f"a whole number from 1 to {most}", field="limit")
    return int(text)


def format_of(query: dict[str, str], request: Request) -> str:
    """Answer json, ndjson or csv: as the query says, else as the Accept header does.

    Raises BadField for another format, and for a file that is to begin at a cursor.
    """
    kind = query.get("format", "")
    if not kind:
        accepted = header(request, b"accept")
        kind = next((k for k, v in _TYPES.items() if v.partition(b";")[0] in accepted), "json")
    if kind not in ("json", *_TYPES):
        raise BadField("json, ndjson or csv", field="format")
    if kind != "json" and query.get("cursor"):
        raise BadField("a file is sent whole; leave the cursor out", field="cursor")
    return kind


def gone(message: str) -> BadField:
    """Answer the refusal of a cursor that is of no use any more."""
    return BadField(message, field="cursor", code="bad_cursor")


def sweep_at(context: Context, name: str) -> Sweep | None:
    """Answer the sweep that a cursor names, the last for ""; None before the first. Blocking.

    Raises BadField (code bad_cursor) when that sweep is gone.
    """
    sweep = context.sweeps.get(name) if name else context.sweeps.current()
    if sweep is None and name:
        raise gone("the sweep of this cursor is gone; start again without one")
    return sweep


def last_sweep(context: Context) -> Sweep:
    """Answer the last sweep; raises NotFound (code no_sweep) before the first. Blocking."""
    sweep = context.sweeps.current()
    if sweep is None:
        raise NotFound(NO_SWEEP, code="no_sweep")
    return sweep


async def listed(context: Context, sweep: Sweep, rows: Rows) -> list[UserOut]:
    """Answer some rows, less those whose users have refused analytics since the sweep.

    Raises StoreUnavailable: consent that cannot be looked at is none.
    """
    names = await asyncio.to_thread(sweep.table.names, rows)
    known = await context.store.read_profiles(names)
    rule = context.settings.unanswered
    allowed = [may_use(one.profile, Purpose.analytics, unanswered=rule) for one in known]
    return await asyncio.to_thread(users_out, sweep, rows[np.array(allowed, np.bool_)])


def file_of(
    context: Context, request: Request, name: str, kind: str, found: tuple[Sweep, Rows]
) -> Reply:
    """Answer rows of a sweep as a file called after `name` and the sweep."""
    sweep, rows = found
    filename = f'attachment; filename="{name}-{sweep.summary.id}.{kind}"'
    headers = ((b"content-disposition", filename.encode()),)
    if request.method == "HEAD":
        return Reply(200, b"", headers, _TYPES[kind])
    return Reply(200, b"", headers, _TYPES[kind], _parts(context, sweep, rows, kind))


async def _parts(context: Context, sweep: Sweep, rows: Rows, kind: str) -> AsyncIterator[bytes]:
    if kind == "csv":
        yield csv_head(sweep.summary, REASONS)
    for start in range(0, len(rows), BLOCK):
        users = await listed(context, sweep, rows[start : start + BLOCK])
        yield await asyncio.to_thread(_lines, sweep, users, kind)


def _lines(sweep: Sweep, users: list[UserOut], kind: str) -> bytes:
    return ndjson(users) if kind == "ndjson" else csv_lines(sweep.summary, users, REASONS)
