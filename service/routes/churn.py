"""/v1/churn/{user} and POST /v1/churn: who is leaving, why, and what to do about it, now.

Consent is decided before a history is looked at; whatever is missing costs a mark in the answer,
never the answer. Knows the JSON; the answer itself is made by models.churn.answer.
"""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Literal, NamedTuple

import msgspec
from msgspec import Meta

from domain.decisions import Decision
from domain.ids import is_valid_id, new_id, user_entity
from domain.scores import Band, Score
from domain.users import Purpose, may_use
from feature_store.store import EntityState
from models.churn.answer import Answered, Person
from service.codec import OneDecoder
from service.context import Context
from service.http import Reply, Request, Route, json_reply
from service.live_churn import Desk, Effect, effects_of
from service.membership import Seen, segments_of
from service.routes.churn_rows import ReasonOut, SurvivalOut, UpliftOut
from service.shapes import Id, check_id
from service.states import moments, read_each, view_rows

PATH, MANY = "/v1/churn/{user}", "/v1/churn"
FAMILY = "churn"
MAX_USERS = 1_000
MAX_BODY = 1 << 19
TOGETHER = 32
"""Users answered in one go: some milliseconds, after which other requests have their turn."""
TURNS = 5
FRESH_MS = 3_600_000
"""A cached score of the same band and model is left alone for this long."""

Chance = Annotated[float, Meta(ge=0, le=1)]


class ChurnOut(msgspec.Struct, frozen=True, gc=False):
    """One user; null where a number is not known.

    probability: calibrated, that what `definition` says happens between lead_days and lead_days
    + horizon_days after as_of (epoch milliseconds; events before it count). band: by expected
    loss as in the last sweep, by probability before the first (`basis`), and slow to change back.
    survival: the chance to stay silent (inactivity) or under contract for so many days. reasons:
    associations in the past, not causes. uplift, recommended_action: null unless a model of a
    randomised trial is released. fallback: null for the model's own answer; `prevalence` is the
    share that left in the model's tests, `cached` what was said at as_of by `model`, `none` no
    number at all; `reason` says why, or what else is amiss. segments: the saved segments they are
    in as of now; none where nothing was looked at.
    """

    decision_id: str
    user: str
    probability: Chance | None
    confidence: Chance
    band: Band | None
    basis: Literal["loss", "probability"] | None
    survival: tuple[SurvivalOut, ...]
    value: float | None
    expected_loss: float | None
    reasons: tuple[ReasonOut, ...]
    uplift: UpliftOut | None
    recommended_action: Literal["contact", "leave_alone", "wait"] | None
    as_of: int
    horizon_days: float | None
    lead_days: float | None
    history_days: float | None
    active_days: float | None
    definition: Literal["inactivity", "contractual"] | None
    model: str | None
    fallback: Literal["prevalence", "cached", "none"] | None = None
    reason: Literal[
        "", "consent", "lapsed", "no_history", "no_model", "store_unavailable", "unknown_user"
    ] = ""
    segments: tuple[str, ...] = ()


class UsersIn(msgspec.Struct, forbid_unknown_fields=True):
    """Whom to answer for."""

    users: Annotated[list[Id], Meta(min_length=1, max_length=MAX_USERS)]


class ManyOut(msgspec.Struct, frozen=True):
    """The answers, in the order of the question; a user named twice is answered twice."""

    users: list[ChurnOut]


class _Meaning(NamedTuple):
    """What travels with every answer, in ChurnOut's order."""

    horizon_days: float | None
    lead_days: float | None
    history_days: float | None
    active_days: float | None
    definition: Literal["inactivity", "contractual"] | None
    model: str | None


class _When(NamedTuple):
    """As of when somebody was looked at, what was amiss, and the segments they were in."""

    as_of: int
    reason: Literal["", "lapsed"]
    segments: tuple[str, ...]


_NO_MEANING = _Meaning(None, None, None, None, None, None)
_decode = OneDecoder(UsersIn)


async def get_churn(context: Context, request: Request) -> Reply:
    """Answer one user."""
    user = check_id(request.param, "user")
    states = await read_each(context, (user_entity(user),), PATH)
    return json_reply(_answers(context, [user], states, PATH)[0])


async def post_churn(context: Context, request: Request) -> Reply:
    """Answer up to MAX_USERS users, some at a time so that others are not kept waiting."""
    users = _decode(request.body).users
    for place, user in enumerate(users):
        if not is_valid_id(user):
            check_id(user, f"users[{place}]")
    entities = [user_entity(user) for user in users]
    states = await read_each(context, entities, MANY, turns=TURNS)
    out: list[ChurnOut] = []
    for start in range(0, len(users), TOGETHER):
        some = slice(start, start + TOGETHER)
        out += _answers(context, users[some], states[some], MANY)
        await asyncio.sleep(0)
    return json_reply(ManyOut(out))


def _answers(
    context: Context, users: Sequence[str], states: Sequence[EntityState | None], route: str
) -> list[ChurnOut]:
    """Answer users whose states were read, None where one could not be."""
    now, live = context.clock(), context.churn
    desk = live.current
    unanswered = context.settings.unanswered
    out: list[ChurnOut | None] = [None] * len(users)
    good: list[int] = []
    own: list[EntityState] = []
    for place, state in enumerate(states):
        if state is None:
            out[place] = _fallback(desk, users[place], now, "store_unavailable")
        elif not may_use(state.profile, Purpose.analytics, unanswered=unanswered):
            out[place] = _fallback(desk, users[place], now, "consent")
        elif not state.found:
            out[place] = _fallback(desk, users[place], now, "unknown_user", state)
        elif desk is None:
            out[place] = _fallback(None, users[place], now, "no_model", state)
        else:
            good.append(place)
            own.append(state)
    if good and desk is not None:
        asked = [users[place] for place in good]
        for place, answer in zip(good, _scored(context, desk, asked, own, now), strict=True):
            out[place] = answer
    answered = [answer for answer in out if answer is not None]
    for answer in answered:
        _note(context, answer, now, route)
    return answered


def _scored(
    context: Context, desk: Desk, users: Sequence[str], states: Sequence[EntityState], now: int
) -> list[ChurnOut]:
    """Answer users by the model; it may have nothing to go by for some."""
    as_ofs = moments(states, now)
    cap = context.store.settings.history_cap
    rows = view_rows(context.churn.views, states, as_ofs, cap)
    people = [_person(state) for state in states]
    told = desk.desk.answers(rows, people)
    attributes = [person.attributes for person in people]
    effects = effects_of(desk.uplift, rows, attributes, [one.value for one in told])
    known, lapsed = desk.desk.known(rows), desk.desk.lapsed(rows)
    out: list[ChurnOut] = []
    for place, user in enumerate(users):
        state = states[place]
        if not known[place]:
            out.append(_fallback(desk, user, now, "no_history", state))
            continue
        reason = "lapsed" if lapsed[place] else ""
        seen = Seen(state, as_ofs[place], told[place], effects[place])
        when = _When(as_ofs[place], reason, segments_of(context, rows, place, seen))
        out.append(_shape(desk, user, told[place], effects[place], when))
        _cache(context, desk, user, out[-1], state.scores.get(FAMILY))
    return out


def _person(state: EntityState) -> Person:
    attributes = {} if state.profile is None else state.profile.attributes
    held = state.scores.get(FAMILY)
    return Person(attributes) if held is None else Person(attributes, held.band, held.value)


def _meaning(desk: Desk) -> _Meaning:
    words = desk.desk.model.definition
    return _Meaning(
        words["horizon_days"],
        words["lead_days"],
        words.get("history_days"),
        words.get("active_days"),
        words["definition"],
        f"{FAMILY}/{desk.version}",
    )


def _shape(
    desk: Desk,
    user: str,
    told: Answered,
    effect: Effect | None,
    when: _When,
) -> ChurnOut:
    uplift, action = None, None
    if effect is not None and desk.uplift is not None:
        uplift = UpliftOut(*effect[:3], f"{desk.uplift.family}/{desk.uplift.version}")
        action = effect.action
    return ChurnOut(
        new_id(),
        user,
        told.probability,
        told.confidence,
        told.band,
        desk.basis,
        tuple(map(SurvivalOut, desk.desk.days, told.survival)),
        told.value,
        told.expected_loss,
        tuple([ReasonOut(*reason) for reason in told.reasons]),
        uplift,
        action,
        when.as_of,
        *_meaning(desk),
        None,
        when.reason,
        when.segments,
    )


def _fallback(
    desk: Desk | None,
    user: str,
    now: int,
    reason: Literal["consent", "no_history", "no_model", "store_unavailable", "unknown_user"],
    state: EntityState | None = None,
) -> ChurnOut:
    """Answer without the model: what was said before when there is no model now, else the share
    that left in its tests."""
    held = state.scores.get(FAMILY) if desk is None and state is not None else None
    rate = None if desk is None else desk.desk.base_rate
    meaning = _NO_MEANING if desk is None else _meaning(desk)
    if held is not None:
        meaning = _NO_MEANING._replace(model=f"{FAMILY}/{held.model}")
    return ChurnOut(
        new_id(),
        user,
        rate if held is None else held.probability,
        0.0 if held is None else held.confidence,
        None if held is None else held.band,
        None,
        (),
        None if held is None else held.value,
        None if held is None else held.expected_loss,
        (),
        None,
        None,
        now if held is None else held.as_of,
        *meaning,
        "cached" if held is not None else "none" if rate is None else "prevalence",
        reason,
    )


def _cache(context: Context, desk: Desk, user: str, out: ChurnOut, held: Score | None) -> None:
    """Remember what was said, unless the same was said a short while ago."""
    if (
        held is not None
        and held.band is out.band
        and held.model == desk.version
        and 0 <= out.as_of - held.as_of < FRESH_MS
    ):
        return
    assert out.probability is not None
    score = Score(
        out.probability, out.confidence, out.as_of, desk.version, None, out.band, out.value,
        out.expected_loss,
    )  # fmt: skip
    context.scores.put(user_entity(user), FAMILY, score)


def _note(context: Context, out: ChurnOut, now: int, route: str) -> None:
    # Of no number at all there is nothing to learn from later, but that it was asked for.
    told = out.probability is not None
    if out.fallback is not None:
        context.metrics.fallbacks.labels(route, out.fallback).inc()
    context.decisions.put(
        Decision(
            out.decision_id,
            now,
            FAMILY,
            user_entity(out.user),
            out.model or "",
            out.as_of,
            (out.band.value if out.band is not None else "",) if told else (),
            () if out.probability is None else (out.probability,),
            (1.0,) if told else (),
            out.fallback or "",
        )
    )


_NOTE = (
    "Reasons are associations in the past, not causes: being at risk and being worth contacting "
    "are two things, and only an uplift measured in a randomised trial says the second. Without "
    "consent to analytics nothing of the user is looked at. Whatever is missing (a model, the "
    "user, the store) is marked in `fallback` and `reason`; the answer comes all the same."
)

ROUTES = (
    Route(
        "GET", PATH, get_churn, "Who is leaving, and why: one user", "churn",
        replies={200: ChurnOut},
        description=_NOTE + " A user called `estimate` is asked for with POST /v1/churn.",
    ),
    Route(
        "POST", MANY, post_churn, f"The same for up to {MAX_USERS:,} users", "churn",
        body=UsersIn, replies={200: ManyOut}, body_cap=MAX_BODY, description=_NOTE,
    ),
)  # fmt: skip
