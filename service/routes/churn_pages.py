"""/v1/churn: the last sweep by page or as a file; /v1/churn/estimate: whom it pays to reach.

A page's cursor belongs to one sweep, which never changes, so pages neither repeat nor skip
anybody while a new sweep comes in. Knows nothing of how anybody was scored.
"""

import asyncio
from collections.abc import Mapping
from math import isfinite
from typing import Annotated, Literal, NamedTuple

import msgspec
import numpy as np
from msgspec import Meta

from domain.errors import BadField
from domain.scores import Band
from feature_store.sweeps.pages import SORTS, Wanted, chosen
from feature_store.sweeps.reading import Sweep
from models.churn.reach import Reach, Terms, reach
from service.context import Context
from service.cursors import make_cursor, read_cursor
from service.http import Reply, Request, Route, json_reply, query_of
from service.routes.churn_rows import Rows, UserOut, action_counts, model_of
from service.routes.listing import (
    DESCRIPTION,
    MAX_FILE,
    NAMES,
    NO_SWEEP,
    file_of,
    format_of,
    gone,
    last_sweep,
    limit_of,
    listed,
    sweep_at,
)
from service.routes.listing import QUERY as LISTED

_LISTING = "churn"
_WANTED = ("band", "min_loss", "min_probability")
_PAGE_QUERY = NAMES | {*_WANTED, "sort"}
_TERMS = {"contact_cost": "contact", "offer_cost": "offer", "success_rate": "success",
          "margin": "margin"}  # fmt: skip
_ESTIMATE_QUERY = frozenset({"threshold", "band", "min_loss", *_TERMS})

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
    and save nothing. profit and worth are null when no value is known at all. actions: users by
    what is advised of each (contact, leave_alone, wait), null without a released uplift model:
    unlike all else here it rests on a randomised trial, and says whom contact would lose.
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
    actions: dict[str, int] | None


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


def _sweep_out(sweep: Sweep) -> SweepOut:
    s = sweep.summary
    return SweepOut(
        s.id, s.as_of, s.finished_at, s.users, model_of(s), s.horizon_days,
        str(s.definition.get("definition", "")), s.basis, s.limits, s.bands, s.left_out,
        s.expected_loss, s.crossings, s.grade,
    )  # fmt: skip


class _Part(NamedTuple):
    """The rows of a page, how many there are in all, and the cursor after them."""

    sweep: Sweep
    rows: Rows
    matched: int
    cursor: str


def _part(context: Context, asked: _Asked, cursor: str, limit: int, now: int) -> _Part | None:
    """Choose the rows of a page, None before the first sweep; blocking."""
    name, start = "", 0
    if cursor:
        name, place, mark = read_cursor(_LISTING, cursor, now).split(" ", 2)
        if mark != asked.mark():
            raise gone("this cursor is of another band, min_loss, min_probability or sort")
        start = int(place)
    sweep = sweep_at(context, name)
    if sweep is None:
        return None
    rows = context.sweeps.selected(sweep, asked.wanted, asked.sort)
    end = start + limit
    more = f"{sweep.summary.id} {end} {asked.mark()}" if end < len(rows) else ""
    return _Part(
        sweep, rows[start:end], len(rows), make_cursor(_LISTING, more, now) if more else ""
    )


async def list_churn(context: Context, request: Request) -> Reply:
    """Answer a page of the last sweep, or all of it as a file."""
    query = query_of(request, _PAGE_QUERY)
    asked, kind = _asked(query), format_of(query, request)
    if kind != "json":
        return await _export(context, request, query, asked, kind)
    limit, cursor, now = limit_of(query), query.get("cursor", ""), context.clock()
    part = await asyncio.to_thread(_part, context, asked, cursor, limit, now)
    if part is None:
        return json_reply(ChurnPage(None, [], 0, "", "no_sweep", NO_SWEEP))
    users = await listed(context, part.sweep, part.rows)
    return json_reply(ChurnPage(_sweep_out(part.sweep), users, part.matched, part.cursor))


async def _export(
    context: Context, request: Request, query: dict[str, str], asked: _Asked, kind: str
) -> Reply:
    limit = limit_of(query, MAX_FILE, MAX_FILE)
    sweep = await asyncio.to_thread(last_sweep, context)
    rows = await asyncio.to_thread(context.sweeps.selected, sweep, asked.wanted, asked.sort)
    return file_of(context, request, _LISTING, kind, (sweep, rows[:limit]))


def _terms(query: dict[str, str]) -> Terms:
    shares = ("success_rate", "margin")
    given = {
        field: _number(query, name, most=1.0 if name in shares else float("inf"))
        for name, field in _TERMS.items()
    }
    return Terms(**{field: value for field, value in given.items() if value is not None})


def _reached(context: Context, wanted: Wanted, terms: Terms) -> tuple[Sweep, Rows, Reach]:
    sweep = last_sweep(context)
    table = sweep.table
    rows = np.flatnonzero(chosen(table, wanted))
    error = sweep.summary.calibration_error or 0.0
    return sweep, rows, reach(table["probability"][rows], table["value"][rows], terms, error)


async def estimate_churn(context: Context, request: Request) -> Reply:
    """Answer what contacting the chosen users would bring."""
    query = query_of(request, _ESTIMATE_QUERY)
    wanted, terms = _wanted(query), _terms(query)
    if wanted == Wanted():
        raise BadField("say whom: threshold, band or min_loss", field="threshold", code="missing")
    sweep, rows, told = await asyncio.to_thread(_reached, context, wanted, terms)
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
            action_counts(sweep, rows),
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
            **LISTED,
        },
        replies={200: ChurnPage}, errors=(404, 503),
        description=DESCRIPTION,
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
