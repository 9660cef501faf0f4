"""/v1/recommendations: what to show to a user, a session, a history, or anybody.

Consent is decided before a history is looked at; a store that does not answer in time costs
the personal part of the answer and nothing else. Knows the JSON of questions and answers;
the slate itself is made by models.recommend.policy.
"""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from domain.decisions import Decision
from domain.errors import NotFound, SanderlingError
from domain.ids import new_id, session_entity, user_entity
from domain.slates import Fallback, Slate
from domain.users import Purpose, may_use
from feature_store.membership import member_of
from feature_store.store import EntityState
from feature_store.views.purchases import standing
from models.recommend.ask import NOBODY, Ask, Asker, Origin, moment, remembered
from models.recommend.controls import PERSONAL, Task
from models.recommend.exploring import Question
from service.asking import (
    QUERY,
    AskIn,
    ask_of,
    ask_of_body,
    ask_of_query,
    asker_of,
    entity_of,
    scene_of,
)
from service.context import Context
from service.http import Reply, Request, Route, json_reply
from service.logs import log_unexpected
from service.recommend_learning import Mixed, told
from service.routes.recommendation_rows import Answer, answer_of

PATH = "/v1/recommendations"
MAX_BODY = 1 << 19
FAMILY = "recommend"
DOWN_TIMEOUT_S = 0.02
_encode = msgspec.json.Encoder().encode


class Named(NamedTuple):
    """Whom a question is for: `entities` holds the store's name of one, or of nobody; `given`
    the history that came with it."""

    origin: Origin
    entities: tuple[str, ...]
    now: int
    given: Asker


class Found(NamedTuple):
    """Whose history an answer rests on after the store and consent have been asked."""

    asker: Asker
    as_of: int
    entity: str
    reason: str


async def post_recommendations(context: Context, request: Request) -> Reply:
    """Answer a question sent as JSON."""
    return await answer_to(context, ask_of_body(request) if request.body else AskIn())


async def get_recommendations(context: Context, request: Request) -> Reply:
    """Answer a question sent as a query string."""
    return await answer_to(context, ask_of_query(request))


async def answer_to(context: Context, sent: AskIn) -> Reply:
    """Answer one question, and log it."""
    origin, name = entity_of(sent)
    ask = ask_of(sent)
    check_segment(context, ask)
    now = context.clock()
    given = asker_of(sent.history, now) if sent.history else NOBODY
    entities = entities_of(origin, name)
    read, reason = await read_in_time(context, entities)
    state = read[0] if read else None
    found = find(context, Named(origin, entities, now, given), state, reason)
    await lay_out(context, ask)
    return json_reply(answer_for(context, ask, found, sent, now))


def check_segment(context: Context, ask: Ask) -> None:
    """Refuse a question about a segment that nobody saved; raises NotFound."""
    name = ask.controls.segment
    if name and all(one.name != name for one in context.segments.current):
        raise NotFound("no segment has this name", field="segment", code="no_segment")


def _segments(context: Context, state: EntityState, now: int) -> tuple[str, ...]:
    """Answer which of the segments that trends are counted of somebody is in."""
    counted = context.catalogue.desk.segments
    if counted is None or not (state.found or state.scores):
        return ()
    named = [one for one in context.segments.current if one.name in counted.names]
    cap, unanswered = context.store.settings.history_cap, context.settings.unanswered
    return member_of(named, state, now, cap, unanswered)


def entities_of(origin: Origin, name: str) -> tuple[str, ...]:
    """Answer the store's name of whom a question is for, nobody's for none."""
    if origin is Origin.user:
        return (user_entity(name),)
    return (session_entity(name),) if origin is Origin.session else ()


def find(context: Context, named: Named, state: EntityState | None, reason: str) -> Found:
    """Answer whose history may be used, once the store and consent have been asked.

    reason: what went wrong with the store, "" for nothing.
    """
    origin, now = named.origin, named.now
    if not named.entities:
        return Found(named.given, moment(named.given, now), "", reason)
    entity = named.entities[0]
    if state is None:
        return Found(NOBODY, now, "", reason)
    if not may_use(state.profile, Purpose.personalisation, unanswered=context.settings.unanswered):
        return Found(NOBODY, now, "", "consent")
    if state.linked_user:
        origin, entity = Origin.user, user_entity(state.linked_user)
    records, cap = standing(state.records, state.lifetime), context.store.settings.history_cap
    asker = remembered(origin, records["item"], records["kind"], records["at"], cap)
    if asker.ats.size:
        context.metrics.observe_age(PATH, max(0, now - int(asker.ats[-1])) / 1000)
    elif origin is Origin.user:
        asker = asker._replace(segments=_segments(context, state, now))
    return Found(asker, moment(asker, now), entity, reason)


async def lay_out(context: Context, ask: Ask) -> None:
    """Lay out beforehand, off the event loop, what only some questions need."""
    desk = context.catalogue.desk
    if ask.controls.task in (Task.basket, Task.bought_together) and not desk.laid_out:
        await asyncio.to_thread(lambda: desk.together)


def answer_for(context: Context, ask: Ask, found: Found, sent: AskIn, now: int) -> Answer:
    """Make one answer and put it into the log of decisions."""
    desk = context.catalogue.desk
    question, decision = Question(desk, ask, found.asker, found.as_of), new_id()
    page, device = scene_of(sent)
    mixed = context.recommending.answer(
        question, decision, page=page, device=device, share=sent.explore
    )
    slate = mixed.slate
    reason = found.reason or _why(slate, ask, found.asker, desk.model is not None)
    answer = answer_of(slate, desk.name, found.as_of, reason, decision, mixed.explored)
    if answer.fallback is not None:
        context.metrics.fallbacks.labels(PATH, answer.fallback).inc()
    context.decisions.put(_decision(answer, mixed, found, sent, now))
    return answer


async def read_in_time(
    context: Context, entities: Sequence[str]
) -> tuple[Sequence[EntityState], str]:
    """Read in time and bring the catalogue in step; answer the states and what went wrong.

    There are no states when the store did not answer.
    """
    states: Sequence[EntityState] = ()
    reason = "store_unavailable"
    # While the store is known to be down, asking it is a formality that must cost little.
    patience = context.settings.store_timeout_s if context.watch.up else DOWN_TIMEOUT_S
    try:
        read = await context.store.read(entities, patience)
        states = read.states
        if not context.catalogue.in_step(read.items_version):
            reason = "catalogue_behind"
            async with asyncio.timeout(patience):
                await context.catalogue.catch_up(read.items_version)
        reason = ""
    except (SanderlingError, TimeoutError):
        pass
    except Exception as error:
        # What cannot be read is not used: the answer goes out without it.
        log_unexpected(error, route=PATH)
        context.metrics.unexpected.labels(PATH).inc()
    return states, reason


def _why(slate: Slate, ask: Ask, asker: Asker, has_model: bool) -> str:
    """Answer why a slate is not throughout what was asked for though nothing failed."""
    aside = slate.aside
    if aside is not None and aside.short and (slate.fallback is None or aside.passed_over):
        return "few_items"
    if slate.fallback is None:
        return ""
    if ask.controls.task not in PERSONAL:
        return "few_items"
    if asker.origin is Origin.nobody:
        return "anonymous"
    if slate.marks and slate.marks[0] in (None, Fallback.session):
        return "session" if slate.fallback is Fallback.session else "few_items"
    return "no_history" if has_model else "no_model"


def _decision(answer: Answer, mixed: Mixed, found: Found, sent: AskIn, now: int) -> Decision:
    sent.user = sent.session = None
    slate = mixed.slate
    return Decision(
        answer.decision_id,
        now,
        FAMILY,
        found.entity,
        answer.model or "",
        found.as_of,
        slate.ids,
        slate.scores,
        mixed.propensities,
        answer.fallback or "",
        mixed.mix if mixed.learning else "",
        told(_encode(sent).decode(), mixed),
    )


_NOTE = (
    "Places are filled from the asker's history, then by likeness to the item in view, by what "
    "is trending, popular, newest; every place says so. It is never empty while items may be "
    "shown, and a store that does not answer costs the personal part only."
)

ROUTES = (
    Route(
        "POST", PATH, post_recommendations, "What to show", "recommendations",
        body=AskIn, replies={200: Answer}, body_cap=MAX_BODY, description=_NOTE,
    ),
    Route(
        "GET", PATH, get_recommendations, "What to show, for simple callers", "recommendations",
        replies={200: Answer}, query=QUERY, description=_NOTE,
    ),
)  # fmt: skip
