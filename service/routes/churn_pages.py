"""/v1/churn: the last sweep by page or as a file; /v1/churn/estimate: whom it pays to reach.

A page's cursor belongs to one sweep, which never changes, so pages neither repeat nor skip
anybody while a new sweep comes in. Files are read in threads. Knows nothing of how anybody was
scored.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from math import isfinite
from typing import Annotated, Literal, NamedTuple

import msgspec
import numpy as np
from msgspec import Meta

from domain.errors import BadField, NotFound
from domain.scores import Band
from feature_store.sweeps.pages import SORTS, Wanted, chosen
from feature_store.sweeps.reading import Sweep
from models.churn.reach import Reach, Terms, reach
from service.context import Context
from service.cursors import make_cursor, read_cursor
from service.http import Reply, Request, Route, header, json_reply, query_of
from service.routes.churn_rows import (
    Rows,
    UserOut,
    csv_head,
    csv_lines,
    model_of,
    ndjson,
    users_out,
)

PAGE = 100
MAX_PAGE = 500
BLOCK = 500
"""Rows of an export that are made at once: some tens of milliseconds in a thread."""
REASONS = 4
"""Columns of reasons in a CSV file: the strongest three and the rest."""
_LISTING = "churn"
_NO_SWEEP = "no sweep yet: whoever operates this runs `python -m training sweep churn`"
_WANTED = ("band", "min_loss", "min_probability")
_PAGE_QUERY = frozenset({*_WANTED, "sort", "limit", "cursor", "format"})
_TERMS = {"contact_cost": "contact", "offer_cost": "offer", "success_rate": "success",
          "margin": "margin"}  # fmt: skip
_ESTIMATE_QUERY = frozenset({"threshold", "band", "min_loss", *_TERMS})
_FORMATS = {"ndjson": b"application/x-ndjson", "csv": b"text/csv; charset=utf-8"}

Share = Annotated[float, Meta(ge=0, le=1)]
Cost = Annotated[float, Meta(ge=0)]


class SweepOut(msgspec.Struct, frozen=True):
    """The sweep that was read. Times are epoch milliseconds; `bands` counts users; `limits` say
    at which loss (or probability, see `basis`) a band is entered and left; `grade` is the
    model's, A to D."""

    id: str
    as_of: int
    finished_at: int
    users: int
    model: str
    horizon_days: float
    definition: str
    basis: str
    limits: Mapping[str, float]
    bands: Mapping[str, int]
    left_out: Mapping[str, int]
    expected_loss: float | None
    crossings: int
    grade: str


class ChurnPage(msgspec.Struct, frozen=True):
    """A page of users, highest loss first unless sorted otherwise; `matched` is how many there
    are in all. `fallback` is no_sweep, and `message` says who must act, when there is none."""

    sweep: SweepOut | None
    users: list[UserOut]
    matched: int
    cursor: str
    fallback: Literal["no_sweep"] | None = None
    message: str = ""


class BetweenOut(msgspec.Struct, frozen=True):
    """A number to expect, with its 95 % interval."""

    expected: float
    low: float
    high: float


class WorthOut(msgspec.Struct, frozen=True):
    """Of those reached, the users whom it pays to contact, and the profit of just them."""

    users: int
    profit: float


class EstimateReply(msgspec.Struct, frozen=True):
    """What contacting the chosen users would bring, in units of the house's currency.

    leavers: how many of them would leave if nobody did anything, the sum of calibrated
    probabilities. saved, cost, profit rest on `terms`, above all on its success rate, which is
    taken as given: no uplift was measured here. unknown_value: users of unknown value, who cost
    and save nothing. profit and worth are null when no value is known at all.
    """

    sweep: SweepOut
    reach: int
    share: float
    leavers: BetweenOut
    saved: float
    cost: float
    profit: BetweenOut | None
    unknown_value: int
    worth: WorthOut | None
    terms: dict[str, float]


class _Asked(NamedTuple):
    wanted: Wanted
    sort: str

    def mark(self) -> str:
        """Tell conditions and order apart, for a cursor."""
        return f"{self.wanted!r}{self.sort}"


def _number(query: dict[str, str], name: str, *, most: float = float("inf")) -> float | None:
    text = query.get(name)
    if text is None:
        return None
    try:
        value = float(text) if len(text) <= 40 and text.isascii() else float("nan")
    except ValueError:
        value = float("nan")
    if not isfinite(value) or not 0 <= value <= most:
        raise BadField("a number from 0" + (f" to {most:g}" if isfinite(most) else ""), field=name)
    return value


def _wanted(query: dict[str, str]) -> Wanted:
    names = query["band"].split(",") if query.get("band") else []
    if not set(names) <= set(Band):
        raise BadField("one or more of " + ", ".join(Band) + ", with commas", field="band")
    bands = tuple(band for band in Band if band in names)
    threshold = "threshold" if "threshold" in query else "min_probability"
    return Wanted(bands, _number(query, "min_loss"), _number(query, threshold, most=1.0))


def _asked(query: dict[str, str]) -> _Asked:
    sort = query.get("sort", SORTS[0])
    if sort not in SORTS:
        raise BadField("one of " + ", ".join(SORTS), field="sort")
    return _Asked(_wanted(query), sort)


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
    for name, kind in _FORMATS.items():
        if kind.partition(b";")[0] in accepted:
            return name
    return "json"


def _sweep_out(sweep: Sweep) -> SweepOut:
    s = sweep.summary
    return SweepOut(
        s.id, s.as_of, s.finished_at, s.users, model_of(s), s.horizon_days,
        str(s.definition.get("definition", "")), s.basis, s.limits, s.bands, s.left_out,
        s.expected_loss, s.crossings, s.grade,
    )  # fmt: skip


def _page(context: Context, asked: _Asked, cursor: str, limit: int, now: int) -> ChurnPage:
    """Answer a page; blocking."""
    sweeps, start = context.sweeps, 0
    if cursor:
        name, _, rest = read_cursor(_LISTING, cursor, now).partition(" ")
        place, _, mark = rest.partition(" ")
        sweep = sweeps.get(name)
        if sweep is None:
            raise _gone("the sweep of this cursor is gone; start again without one")
        if mark != asked.mark():
            raise _gone("this cursor is of another band, min_loss, min_probability or sort")
        start = int(place)
    else:
        sweep = sweeps.current()
        if sweep is None:
            return ChurnPage(None, [], 0, "", "no_sweep", _NO_SWEEP)
    rows = sweeps.selected(sweep, asked.wanted, asked.sort)
    end = start + limit
    more = f"{sweep.summary.id} {end} {asked.mark()}" if end < len(rows) else ""
    return ChurnPage(
        _sweep_out(sweep),
        users_out(sweep, rows[start:end]),
        len(rows),
        make_cursor(_LISTING, more, now) if more else "",
    )


def _gone(message: str) -> BadField:
    return BadField(message, field="cursor", code="bad_cursor")


async def list_churn(context: Context, request: Request) -> Reply:
    """Answer a page of the last sweep, or all of it as a file."""
    query = query_of(request, _PAGE_QUERY)
    asked, kind = _asked(query), _format(query, request)
    if kind != "json":
        return await _export(context, request, query, asked, kind)
    limit = _limit(query, PAGE, MAX_PAGE)
    cursor, now = query.get("cursor", ""), context.clock()
    return json_reply(await asyncio.to_thread(_page, context, asked, cursor, limit, now))


async def _export(
    context: Context, request: Request, query: dict[str, str], asked: _Asked, kind: str
) -> Reply:
    if query.get("cursor"):
        raise BadField("a file is sent whole; leave the cursor out", field="cursor")
    sweep = await asyncio.to_thread(context.sweeps.current)
    if sweep is None:
        raise NotFound(_NO_SWEEP, code="no_sweep")
    rows = await asyncio.to_thread(context.sweeps.selected, sweep, asked.wanted, asked.sort)
    rows = rows[: _limit(query, max(len(rows), 1), 999_999_999)]
    name = f'attachment; filename="churn-{sweep.summary.id}.{kind}"'
    headers = ((b"content-disposition", name.encode()),)
    if request.method == "HEAD":
        return Reply(200, b"", headers, _FORMATS[kind])
    return Reply(200, b"", headers, _FORMATS[kind], _parts(sweep, rows, kind))


async def _parts(sweep: Sweep, rows: Rows, kind: str) -> AsyncIterator[bytes]:
    if kind == "csv":
        yield csv_head(sweep.summary, REASONS)
    for start in range(0, len(rows), BLOCK):
        yield await asyncio.to_thread(_block, sweep, rows[start : start + BLOCK], kind)


def _block(sweep: Sweep, rows: Rows, kind: str) -> bytes:
    users = users_out(sweep, rows)
    return ndjson(users) if kind == "ndjson" else csv_lines(sweep.summary, users, REASONS)


def _terms(query: dict[str, str]) -> Terms:
    shares = ("success_rate", "margin")
    given = {
        field: _number(query, name, most=1.0 if name in shares else float("inf"))
        for name, field in _TERMS.items()
    }
    return Terms(**{field: value for field, value in given.items() if value is not None})


def _reached(context: Context, wanted: Wanted, terms: Terms) -> tuple[Sweep, Reach] | None:
    sweep = context.sweeps.current()
    if sweep is None:
        return None
    table = sweep.table
    rows = np.flatnonzero(chosen(table, wanted))
    error = sweep.summary.calibration_error or 0.0
    return sweep, reach(table["probability"][rows], table["value"][rows], terms, error)


async def estimate_churn(context: Context, request: Request) -> Reply:
    """Answer what contacting the chosen users would bring."""
    query = query_of(request, _ESTIMATE_QUERY)
    wanted, terms = _wanted(query), _terms(query)
    if wanted == Wanted():
        raise BadField("say whom: threshold, band or min_loss", field="threshold", code="missing")
    found = await asyncio.to_thread(_reached, context, wanted, terms)
    if found is None:
        raise NotFound(_NO_SWEEP, code="no_sweep")
    sweep, told = found
    return json_reply(
        EstimateReply(
            _sweep_out(sweep),
            told.users,
            told.users / max(sweep.summary.users, 1),
            BetweenOut(*told.leavers),
            told.saved,
            told.cost,
            None if told.profit is None else BetweenOut(*told.profit),
            told.unknown,
            None if told.worth is None else WorthOut(*told.worth),
            {name: getattr(terms, field) for name, field in _TERMS.items()},
        )
    )


_BAND = (str, "low, medium or high, or several with commas")
_MIN_LOSS = (Cost, "least expected loss, in units of the house's currency")

ROUTES = (
    Route(
        "GET", "/v1/churn", list_churn, "Who is leaving: the last sweep, page by page", "churn",
        query={
            "band": _BAND,
            "min_loss": _MIN_LOSS,
            "min_probability": (Share, "least probability"),
            "sort": (
                Literal["expected_loss", "probability", "value", "user"],
                "highest first (users by name); default expected_loss",
            ),
            "limit": (int, f"1 to {MAX_PAGE}, default {PAGE}; of a file, all unless given"),
            "cursor": (str, "from the page before, with the same conditions; valid for a day"),
            "format": (
                Literal["json", "ndjson", "csv"],
                "ndjson and csv are sent whole, as the header Accept asks for as well",
            ),
        },
        replies={200: ChurnPage}, errors=(404, 503),
        description=(
            "Before the first sweep a page is empty and says so in `fallback`; a file answers 404, "
            "code no_sweep. In CSV a text that a spreadsheet would take for a formula begins with "
            "an apostrophe. A cursor that was changed, is a day old, or whose sweep is gone "
            "answers 400, code bad_cursor."
        ),
    ),
    Route(
        "GET", "/v1/churn/estimate", estimate_churn, "What contacting some of them would bring",
        "churn",
        query={
            "threshold": (Share, "least probability"),
            "band": _BAND,
            "min_loss": _MIN_LOSS,
            "contact_cost": (Cost, "of one contact; default 1"),
            "offer_cost": (Cost, "of one offer taken; default 10"),
            "success_rate": (Share, "of leavers who accept and stay; default 0.3"),
            "margin": (Share, "share of value that is earned; default 1"),
        },
        replies={200: EstimateReply}, errors=(404, 503),
        description=(
            "Costs as in Verbraken, Verbeke and Baesens (2013): everybody who would have stayed "
            "takes the offer. The defaults are the paper's."
        ),
    ),
)  # fmt: skip
"""The lines of the table for what rests on a sweep."""
