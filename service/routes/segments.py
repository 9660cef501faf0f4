"""/v1/segments: named audiences, saved as conditions; what they may name; how many they reach.

A condition is read before it is saved and kept with names in full. Counting looks at the last
sweep; asking of one user looks at what is known of them now. Knows nothing of pages.
"""

import asyncio
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
import numpy as np
from msgspec import Meta

from domain.condition_text import MAX_CHARS, parse_condition
from domain.conditions import Condition, judge, names_in, text_of
from domain.errors import BadField, NotFound
from domain.ids import user_entity
from domain.users import Purpose, may_use
from feature_store import segments as saved
from feature_store.audiences import VOCABULARY, missing, sweep_lookup
from feature_store.segments import MAX_SEGMENTS, Segment
from feature_store.store import EntityState
from feature_store.sweeps.reading import Sweep
from service.codec import OneDecoder
from service.context import Context
from service.http import Reply, Request, Route, json_reply, query_of
from service.membership import segments_now
from service.routes.listing import NO_SWEEP
from service.shapes import check_id
from service.states import moments, read_states

MAX_BODY = 1 << 14
MAX_ABOUT = 500
OF_USER = "/v1/users/{user}/segments"
_VERSION = "of the segment that is to be changed, 0 for none; left out: whatever there is"

Where = Annotated[str, Meta(max_length=MAX_CHARS, description="the language is told at PUT")]
Version = Annotated[int, Meta(ge=0, description=_VERSION)]


class SegmentIn(msgspec.Struct, forbid_unknown_fields=True):
    """A condition to be saved; `about` is for people."""

    where: Where
    about: Annotated[str, Meta(max_length=MAX_ABOUT)] = ""
    version: Version | None = None


class CountIn(msgspec.Struct, forbid_unknown_fields=True):
    """A condition to be counted; nothing is saved."""

    where: Where


class SegmentOut(msgspec.Struct, frozen=True):
    """A saved condition with names in full; times are epoch milliseconds. `version` grows with
    every change, also beyond a deletion."""

    name: str
    where: str
    about: str
    version: int
    created_at: int
    updated_at: int


class SegmentsReply(msgspec.Struct, frozen=True):
    """All segments in order of names; `revision` grows with every change of any of them."""

    segments: list[SegmentOut]
    revision: int


class ColumnOut(msgspec.Struct, frozen=True):
    """What a condition may name; `words` are its values in order, empty for a number. free: it
    stands for any name in place of its `*`, and for any number or word."""

    name: str
    unit: str
    about: str
    words: tuple[str, ...]
    free: bool


class ColumnsReply(msgspec.Struct, frozen=True):
    """Everything that a condition may name."""

    columns: list[ColumnOut]


class CountReply(msgspec.Struct, frozen=True):
    """How many users of the last sweep a condition holds for, as of when that sweep looked.

    unknown: for how many it cannot be told because something is not known of them; they are not
    in. value, expected_loss: sums over those it holds for, null where nothing is known. notes:
    what the condition names and the sweep knows of nobody, and why.
    """

    where: str
    users: int
    of: int
    share: float
    unknown: int
    value: float | None
    expected_loss: float | None
    sweep: str
    as_of: int
    notes: tuple[str, ...] = ()


class MembershipReply(msgspec.Struct, frozen=True):
    """The segments that a user is in as of now; churn scores are those of `scored_at` (epoch
    milliseconds), unknown when null. `reason` says why nothing is told."""

    user: str
    segments: tuple[str, ...]
    as_of: int
    scored_at: int | None
    fallback: Literal["none"] | None = None
    reason: Literal["", "consent", "store_unavailable", "unknown_user"] = ""


class Found(NamedTuple):
    """The rows of a sweep that a condition holds for, and for how many it cannot be told."""

    rows: np.ndarray[Any, np.dtype[np.int64]]
    unknown: int


_decode = OneDecoder(SegmentIn)
_decode_count = OneDecoder(CountIn)
_COLUMNS = json_reply(ColumnsReply([ColumnOut(*column) for column in VOCABULARY.values()]))


def checked_name(text: str) -> str:
    """Answer a segment's name; raises BadField for another text."""
    if not saved.is_name(text):
        raise BadField("1 to 64 of a-z, 0-9, - and _", field="name")
    return text


def find(sweep: Sweep, condition: Condition) -> Found:
    """Answer whom in a sweep a condition holds for, highest expected loss first; blocking."""
    verdict = judge(condition, sweep_lookup(sweep))
    rows = np.flatnonzero(verdict.yes)
    return Found(rows, len(sweep.table) - len(rows) - int(np.count_nonzero(verdict.no)))


async def put_segment(context: Context, request: Request) -> Reply:
    """Save a condition under a name."""
    name = checked_name(request.param)
    sent = _decode(request.body)
    where = text_of(parse_condition(sent.where, VOCABULARY))
    made = await saved.put(
        context.store, name, where, context.clock(), about=sent.about, version=sent.version
    )
    await context.segments.look()
    return json_reply(_out(made))


async def list_segments(context: Context, request: Request) -> Reply:
    """Answer all segments."""
    query_of(request, frozenset())
    held = await saved.load(context.store)
    return json_reply(SegmentsReply([_out(one) for one in held.by_name.values()], held.revision))


async def get_segment(context: Context, request: Request) -> Reply:
    """Answer one segment."""
    held = await saved.load(context.store)
    return json_reply(_out(saved.one(held, checked_name(request.param))))


async def delete_segment(context: Context, request: Request) -> Reply:
    """Delete a segment; answer it as it was."""
    name = checked_name(request.param)
    text = query_of(request, frozenset({"version"})).get("version")
    if text is not None and not (text.isascii() and text.isdigit() and len(text) < 16):
        raise BadField("a whole number", field="version")
    before = saved.one(await saved.load(context.store), name)
    await saved.delete(context.store, name, version=None if text is None else int(text))
    await context.segments.look()
    return json_reply(_out(before))


async def segment_columns(context: Context, request: Request) -> Reply:
    """Answer everything that a condition may name."""
    return _COLUMNS


async def count_segment(context: Context, request: Request) -> Reply:
    """Answer how many a condition holds for, before anything is saved."""
    condition = parse_condition(_decode_count(request.body).where, VOCABULARY)
    return json_reply(await asyncio.to_thread(_count, context, condition))


def _count(context: Context, condition: Condition) -> CountReply:
    sweep = context.sweeps.current()
    if sweep is None:
        raise NotFound(NO_SWEEP, code="no_sweep")
    rows, unknown = find(sweep, condition)
    return CountReply(
        text_of(condition),
        len(rows),
        len(sweep.table),
        len(rows) / max(len(sweep.table), 1),
        unknown,
        _sum(sweep.table["value"][rows]),
        _sum(sweep.table["expected_loss"][rows]),
        sweep.summary.id,
        sweep.summary.as_of,
        tuple(missing(sweep, names_in(condition))),
    )


def _sum(column: np.ndarray[Any, Any]) -> float | None:
    told = column[np.isfinite(column)]
    return float(told.sum()) if len(told) else None


async def user_segments(context: Context, request: Request) -> Reply:
    """Answer the segments that one user is in, by their history as it stands."""
    user = check_id(request.param, "user")
    states = await read_states(context, (user_entity(user),), OF_USER)
    return json_reply(_membership(context, user, None if states is None else states[0]))


def _membership(context: Context, user: str, state: EntityState | None) -> MembershipReply:
    now = context.clock()
    if state is None:
        return MembershipReply(user, (), now, None, "none", "store_unavailable")
    if not may_use(state.profile, Purpose.analytics, unanswered=context.settings.unanswered):
        return MembershipReply(user, (), now, None, "none", "consent")
    held = state.scores.get("churn")
    if not state.found and held is None:
        return MembershipReply(user, (), now, None, "none", "unknown_user")
    (as_of,) = moments([state], now)
    names = segments_now(context, state, as_of)
    return MembershipReply(user, names, as_of, None if held is None else held.as_of)


def _out(segment: Segment) -> SegmentOut:
    return SegmentOut(*segment)


_LANGUAGE = (
    "A condition compares columns with numbers or words (`=`, `!=`, `<`, `<=`, `>`, `>=`, "
    "`in (…)`, `not in (…)`, `between … and …`, `is known`, `is unknown`) and joins comparisons "
    "with `and`, `or`, `not` and brackets: `recency > 30 and churn.band = high`. What stands "
    "before a dot may be left out where only one column ends so. A comparison with what is not "
    "known (no order, so no recency) is neither true nor false, also under `not`: nobody is in on "
    "account of it. `attributes.plan = gold` asks of profiles: numbers, words and flags (true, "
    "false), not lists; a name that is no plain word stands in quotes after the dot. A refusal "
    "(codes bad_condition, unknown_name, too_long) begins with the place: `character 12: …`."
)

ROUTES = (
    Route(
        "GET", "/v1/segments", list_segments, "All saved segments", "segments",
        replies={200: SegmentsReply}, errors=(503,),
    ),
    Route(
        "PUT", "/v1/segments/{name}", put_segment, "Save a condition under a name", "segments",
        body=SegmentIn, replies={200: SegmentOut}, body_cap=MAX_BODY, errors=(409, 503),
        description=_LANGUAGE + f" At most {MAX_SEGMENTS} segments. With a `version` other than "
        "the one there is: 409, code version_conflict.",
    ),
    Route(
        "GET", "/v1/segments/{name}", get_segment, "One saved segment", "segments",
        replies={200: SegmentOut}, errors=(404, 503),
    ),
    Route(
        "DELETE", "/v1/segments/{name}", delete_segment, "Delete a segment", "segments",
        query={"version": (Version, _VERSION)},
        replies={200: SegmentOut}, errors=(404, 409, 503),
        description="Answers the segment as it was.",
    ),
    Route(
        "GET", "/v1/segments:columns", segment_columns, "What a condition may name", "segments",
        replies={200: ColumnsReply},
    ),
    Route(
        "POST", "/v1/segments:count", count_segment, "How many a condition would reach",
        "segments", body=CountIn, replies={200: CountReply}, body_cap=MAX_BODY,
        errors=(404, 503),
        description=_LANGUAGE + " Counted over the last sweep, as of its `as_of`; without one "
        "404, code no_sweep, and without its features 404, code no_features.",
    ),
    Route(
        "GET", OF_USER, user_segments, "The segments that a user is in now", "segments",
        replies={200: MembershipReply},
        description=(
            "Features are of this moment, churn scores as they were last told or swept, segments "
            "as saved some two seconds ago at the latest. The band of the sweep before is unknown "
            "here. Without consent to analytics nothing is looked at."
        ),
    ),
)  # fmt: skip
