"""/v1/intent: is the visitor about to buy? For a user, a session, or events sent along.

Consent is decided before a history is looked at; whatever is missing costs a mark in the answer,
never the answer. Knows the JSON; the score itself is made by models.intent.
"""

from typing import Annotated, Literal

import msgspec
import numpy as np
from msgspec import Meta

from domain.decisions import Decision
from domain.errors import BadField
from domain.events import FUTURE_TOLERANCE_MS, Kind, parse_at, parse_kind
from domain.ids import hash64, new_id, session_entity, user_entity
from domain.money import to_micros
from domain.scores import Score
from domain.users import Purpose, may_use
from feature_store.store import EntityState
from models.intent.model import IntentModel
from service.bundles import Loaded
from service.codec import OneDecoder
from service.context import Context
from service.http import Reply, Request, Route, json_reply
from service.live_intent import FAMILY, Asked, Now, asked_of, now_of, score_of
from service.membership import segments_now
from service.shapes import Amount, At, OptionalId, check_id
from service.states import read_states

PATH = "/v1/intent"
MAX_EVENTS = 1_000
MAX_BODY = 1 << 19

Chance = Annotated[float, Meta(ge=0, le=1)]
Reason = Literal[
    "", "consent", "no_events", "no_model", "session_over", "store_unavailable", "unknown"
]


class HappenedIn(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """One event of a session that came with the question."""

    kind: Annotated[str, Meta(extra_json_schema={"enum": [kind.name for kind in Kind]})]
    item: OptionalId = None
    at: Annotated[At | None, Meta(description="absent: now")] = None
    value: Annotated[Amount | None, Meta(description="total of the event in units")] = None


class IntentIn(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A question about a user's or a session's running visit, or about the events sent along."""

    user: OptionalId = None
    session: OptionalId = None
    events: (
        Annotated[list[HappenedIn], Meta(max_length=MAX_EVENTS, description="of one session")]
        | None
    ) = None
    trajectory: Annotated[bool, Meta(description="answer after every event, not the last only")] = (
        False
    )


class StepOut(msgspec.Struct, frozen=True, gc=False):
    """What was to be said just after one event: nothing later was looked at."""

    at: int
    probability: Chance
    confidence: Chance


class IntentOut(msgspec.Struct, frozen=True, omit_defaults=True):
    """How likely the visit ends as `target` says, within it or horizon_hours more.

    confidence: how far the number may be trusted, apart from how high it is; below one half act
    as if nothing were known. as_of: epoch milliseconds; events before it count. fallback: absent
    for the model's own answer; `prevalence` is how often it was so in training, `cached` what was
    said at as_of, `none` no number at all; `reason` says why, or what else is amiss. segments: the
    saved segments they are in as of now, absent when none.
    """

    decision_id: str
    probability: Chance | None
    confidence: Chance
    events_seen: int
    as_of: int
    model: str | None
    target: Literal["purchase", "add_to_cart", "abandon"] | None = None
    horizon_hours: float | None = None
    trajectory: tuple[StepOut, ...] | msgspec.UnsetType = msgspec.UNSET
    fallback: Literal["prevalence", "cached", "none"] | None = None
    reason: Reason = ""
    segments: tuple[str, ...] = ()


_decode = OneDecoder(IntentIn)


async def post_intent(context: Context, request: Request) -> Reply:
    """Answer a question about one visit."""
    sent = _decode(request.body)
    entity = _entity_of(sent)
    now = context.clock()
    loaded = context.bundles.current(FAMILY)
    if sent.events is not None:
        out = _inline(loaded, sent.events, now, trajectory=sent.trajectory)
    else:
        states = await read_states(context, (entity,), PATH)
        state = None if states is None else states[0]
        if state is not None and state.linked_user:
            entity = user_entity(state.linked_user)
        out = _remembered(context, loaded, state, entity, trajectory=sent.trajectory)
        segments = segments_now(context, state, now, _told(out))
        out = msgspec.structs.replace(out, segments=segments) if segments else out
    if out.fallback is not None:
        context.metrics.fallbacks.labels(PATH, out.fallback).inc()
    context.decisions.put(_decision(out, entity, now, trajectory=sent.trajectory))
    return json_reply(out)


def _entity_of(sent: IntentIn) -> str:
    """Answer whom it is about, "" for events sent along; raises BadField unless it is one."""
    given = [name for name in ("user", "session") if getattr(sent, name)]
    if sent.events is not None:
        given.append("events")
    if len(given) != 1:
        code, field = ("contradiction", given[1]) if given else ("missing", "user")
        raise BadField("exactly one of user, session and events", field=field, code=code)
    if sent.user:
        return user_entity(check_id(sent.user, "user"))
    return session_entity(check_id(sent.session, "session")) if sent.session else ""


def _inline(
    loaded: Loaded | None, events: list[HappenedIn], now: int, *, trajectory: bool
) -> IntentOut:
    """Answer about events sent along, as of just after the last of them."""
    rows = [_happened(event, place, now) for place, event in enumerate(events)]
    # Stable: the given order decides among equal times.
    rows.sort(key=lambda row: row[2])
    if loaded is None:
        return _fallback(None, now, "no_model")
    if not rows:
        return _fallback(loaded, now, "no_events")
    model: IntentModel = loaded.scorer
    kinds, items, ats, values = zip(*rows, strict=True)
    columns = model.columns(
        np.array(kinds, np.int8), np.array(items, np.uint64), np.array(ats), np.array(values)
    )
    as_of = ats[-1] + 1
    visit = model.visit(columns, as_of)
    if trajectory:
        return _scored(loaded, *_steps(model, Asked(visit, as_of)), "")
    told = Now(*model.score_of(visit, as_of), as_of)
    return _scored(loaded, told, msgspec.UNSET, "")


def _happened(event: HappenedIn, place: int, now: int) -> tuple[int, int, int, int]:
    """Answer (kind, item, at, value) of an event sent along; raises BadField."""
    item = event.item or ""
    if item:
        check_id(item, f"events[{place}].item")
    try:
        kind = parse_kind(event.kind)
        at = now if event.at is None else parse_at(event.at, now)
    except BadField as error:
        name = f"events[{place}].{error.field}"
        raise BadField(error.message, field=name, code=error.code) from error
    except OverflowError as error:
        raise BadField("outside 1970 to 2200", field=f"events[{place}].at") from error
    if at > now + FUTURE_TOLERANCE_MS:
        raise BadField("in the future", field=f"events[{place}].at", code="in_future")
    try:
        value = 0 if event.value is None else to_micros(event.value)
    except ValueError as error:
        raise BadField("an amount of at most 1e9 units", field=f"events[{place}].value") from error
    return int(kind), hash64(item) if item else 0, at, value


def _remembered(
    context: Context,
    loaded: Loaded | None,
    state: EntityState | None,
    entity: str,
    *,
    trajectory: bool,
) -> IntentOut:
    """Answer about the last session that the store remembers of somebody."""
    now = context.clock()
    if state is None:
        return _fallback(loaded, now, "store_unavailable")
    if not may_use(state.profile, Purpose.personalisation, unanswered=context.settings.unanswered):
        return _fallback(loaded, now, "consent")
    held = state.scores.get(FAMILY)
    if loaded is None:
        return _fallback(None, now, "no_model", held)
    if not len(state.records):
        return _fallback(loaded, now, "no_events" if state.found else "unknown")
    cap = context.store.settings.history_cap
    if trajectory:
        asked = asked_of(loaded.scorer, state.records, now, cap)
        told, steps = _steps(loaded.scorer, asked)
    else:
        told, steps = now_of(loaded, state.records, now, cap), msgspec.UNSET
    last = int(state.records["at"][-1])
    context.metrics.observe_age(PATH, max(0, now - last) / 1000)
    over = told.as_of - last > loaded.scorer.gap_ms
    if held is None or held.as_of <= last or held.model != loaded.version:
        context.scores.put(entity, FAMILY, score_of(loaded, told))
    return _scored(loaded, told, steps, "session_over" if over else "")


def _steps(model: IntentModel, asked: Asked) -> tuple[Now, tuple[StepOut, ...]]:
    """Answer what is said after the last event of a visit that has one, and after each."""
    visit, as_of = asked
    found = model.trajectory_of(visit, as_of)
    chances, trust = found.probability.tolist(), found.confidence.tolist()
    # Of a very long session the first events are scored; the last of these stands for the rest.
    steps = tuple(map(StepOut, visit.columns.ats.tolist(), chances, trust))
    return Now(chances[-1], trust[-1], visit.events, as_of), steps


def _scored(
    loaded: Loaded,
    told: Now,
    steps: tuple[StepOut, ...] | msgspec.UnsetType,
    reason: Literal["", "session_over"],
) -> IntentOut:
    return IntentOut(
        new_id(),
        told.probability,
        told.confidence,
        told.events,
        told.as_of,
        f"{FAMILY}/{loaded.version}",
        *_question(loaded.scorer),
        steps,
        None,
        reason,
    )


_TARGETS: dict[str, Literal["purchase", "add_to_cart", "abandon"]] = {
    "purchase": "purchase",
    "add_to_cart": "add_to_cart",
    "abandon": "abandon",
}


def _question(
    model: IntentModel,
) -> tuple[Literal["purchase", "add_to_cart", "abandon"] | None, float]:
    return _TARGETS.get(model.target), model.horizon_hours


def _fallback(
    loaded: Loaded | None, now: int, reason: Reason, held: Score | None = None
) -> IntentOut:
    """Answer without looking at a visit: what was said before when there is no model now, else
    how often it was so in training."""
    if held is not None:
        model, fallback = f"{FAMILY}/{held.model}", "cached"
        found = (held.probability, held.confidence, 0, held.as_of)
        return IntentOut(new_id(), *found, model, fallback=fallback, reason=reason)
    if loaded is None:
        return IntentOut(new_id(), None, 0.0, 0, now, None, fallback="none", reason=reason)
    return IntentOut(
        new_id(),
        loaded.scorer.rate,
        0.0,
        0,
        now,
        f"{FAMILY}/{loaded.version}",
        *_question(loaded.scorer),
        fallback="prevalence",
        reason=reason,
    )


def _told(out: IntentOut) -> Score | None:
    """Answer what the model just said, for segments that ask for it."""
    if out.probability is None or out.fallback is not None:
        return None
    return Score(out.probability, out.confidence, out.as_of)


def _decision(out: IntentOut, entity: str, now: int, *, trajectory: bool) -> Decision:
    told = () if out.probability is None else (out.probability,)
    return Decision(
        out.decision_id,
        now,
        FAMILY,
        entity,
        out.model or "",
        out.as_of,
        (out.target or "",) if told else (),
        told,
        (1.0,) * len(told),
        out.fallback or "",
        "",
        '{"trajectory":true}' if trajectory else "{}",
    )


ROUTES = (
    Route(
        "POST", PATH, post_intent, "Is the visitor about to buy?", "intent",
        body=IntentIn, replies={200: IntentOut}, body_cap=MAX_BODY,
        description=(
            "The visit is the last stretch of events without a longer pause than half an hour (or "
            "what the model was fitted with). Of a user, what came before counts too; events sent "
            "along are taken as somebody's whole history and answered as of just after the last. "
            "Without consent to personalisation nothing remembered is looked at. Whatever is "
            "missing is marked in `fallback` and `reason`; the answer comes all the same. The "
            "score is also kept in the store as events arrive, for bids and recommendations."
        ),
    ),
)  # fmt: skip
