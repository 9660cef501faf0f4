"""/v1/recommendations: what to show to a user, a session, a history, or anybody.

Consent is decided before a history is looked at; a store that does not answer in time costs
the personal part of the answer and nothing else. Knows the JSON of questions and answers;
the slate itself is made by models.recommend.policy.
"""

import asyncio
from typing import Annotated

import msgspec
from msgspec import Meta

from domain.decisions import Decision
from domain.errors import SanderlingError
from domain.ids import new_id, session_entity, user_entity
from domain.slates import Fallback, Slate, Sources
from domain.users import Purpose, may_use
from feature_store.store import EntityState
from feature_store.views.purchases import standing
from models.recommend.ask import NOBODY, Asker, Origin, moment, remembered
from models.recommend.policy import recommend
from service.asking import QUERY, AskIn, ask_of, ask_of_body, ask_of_query, asker_of, entity_of
from service.context import Context
from service.http import Reply, Request, Route, json_reply
from service.logs import log_unexpected

PATH = "/v1/recommendations"
MAX_BODY = 1 << 19
FAMILY = "recommend"
DOWN_TIMEOUT_S = 0.02
_encode = msgspec.json.Encoder().encode

Mark = Annotated[
    str, Meta(description="how it was filled when not from the asker's own history",
              extra_json_schema={"enum": [fallback.value for fallback in Fallback]})
]  # fmt: skip


class SourceOut(msgspec.Struct, frozen=True, gc=False):
    """A member that proposed the item and its share, the strongest first.

    With `explain` also the items of the history it rests on, and a sentence.
    """

    member: str
    share: float
    because: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET
    text: str | msgspec.UnsetType = msgspec.UNSET


class PlaceOut(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One place; scores compare within the same fallback. `known` is false for an item that
    is in the log but not in the catalogue."""

    item: str
    score: float
    fallback: Mark | None = None
    known: bool = True
    sources: tuple[SourceOut, ...] = ()


class Answer(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """The slate, best first. `as_of` is epoch milliseconds: events before it count.

    `model` is the family and version, null when there is none yet. `fallback` is the furthest
    any place fell; `reason` says why, or what else was amiss. `unknown_items` counts the items
    of the question and its history that neither catalogue nor model knows.
    """

    decision_id: str
    items: list[PlaceOut]
    model: str | None
    as_of: int
    fallback: Mark | None = None
    reason: Annotated[
        str,
        Meta(extra_json_schema={"enum": [
            "anonymous", "catalogue_behind", "consent", "few_items", "no_history", "no_model",
            "session", "store_unavailable",
        ]}),
    ] = ""  # fmt: skip
    unknown_items: int = 0


class _Found:
    """Whose history an answer rests on after the store and consent have been asked."""

    __slots__ = ("as_of", "asker", "entity", "reason")

    def __init__(self, asker: Asker, as_of: int, entity: str, reason: str) -> None:
        self.asker, self.as_of, self.entity, self.reason = asker, as_of, entity, reason


async def post_recommendations(context: Context, request: Request) -> Reply:
    """Answer a question sent as JSON."""
    return await _answer(context, ask_of_body(request) if request.body else AskIn())


async def get_recommendations(context: Context, request: Request) -> Reply:
    """Answer a question sent as a query string."""
    return await _answer(context, ask_of_query(request))


async def _answer(context: Context, sent: AskIn) -> Reply:
    origin, name = entity_of(sent)
    ask = ask_of(sent)
    now = context.clock()
    given = asker_of(sent.history, now) if sent.history else NOBODY
    found = await _find(context, origin, name, now, given)
    desk = context.catalogue.desk
    slate = recommend(desk, ask, found.asker, found.as_of)
    answer = _shape(slate, desk.name, found, desk.model is not None)
    if answer.fallback is not None:
        context.metrics.fallbacks.labels(PATH, answer.fallback).inc()
    context.decisions.put(_decision(answer, slate, found, sent, now))
    return json_reply(answer)


async def _find(context: Context, origin: Origin, name: str, now: int, given: Asker) -> _Found:
    """Answer whose history may be used, once the store and consent have been asked."""
    if origin not in (Origin.user, Origin.session):
        _, reason = await _read(context, ())
        return _Found(given, moment(given, now), "", reason)
    entity = user_entity(name) if origin is Origin.user else session_entity(name)
    state, reason = await _read(context, (entity,))
    if state is None:
        return _Found(NOBODY, now, "", reason)
    if not may_use(state.profile, Purpose.personalisation, unanswered=context.settings.unanswered):
        return _Found(NOBODY, now, "", "consent")
    if state.linked_user:
        origin, entity = Origin.user, user_entity(state.linked_user)
    records, cap = standing(state.records, state.lifetime), context.store.settings.history_cap
    asker = remembered(origin, records["item"], records["kind"], records["at"], cap)
    if asker.ats.size:
        context.metrics.observe_age(PATH, max(0, now - int(asker.ats[-1])) / 1000)
    return _Found(asker, moment(asker, now), entity, reason)


async def _read(context: Context, entities: tuple[str, ...]) -> tuple[EntityState | None, str]:
    """Read in time and bring the catalogue in step; answer the state and what went wrong."""
    state: EntityState | None = None
    reason = "store_unavailable"
    # While the store is known to be down, asking it is a formality that must cost little.
    patience = context.settings.store_timeout_s if context.watch.up else DOWN_TIMEOUT_S
    try:
        read = await context.store.read(entities, patience)
        state = read.states[0] if entities else None
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
    return state, reason


def _shape(slate: Slate, model: str, found: _Found, has_model: bool) -> Answer:
    reason = found.reason
    if slate.fallback is not None and not reason:
        reason = _why(slate, found.asker, has_model)
    columns = zip(slate.ids, slate.scores, slate.marks, slate.listed, slate.sources, strict=True)
    places = [
        PlaceOut(
            item, score, mark, listed, _tell(sources) if sources.wire is None else sources.wire
        )
        for item, score, mark, listed, sources in columns
    ]
    return Answer(
        new_id(), places, model or None, found.as_of, slate.fallback, reason, slate.unknown_items
    )


def _tell(sources: Sources) -> tuple[SourceOut, ...]:
    """Answer the sources of a place as they are sent; those without reasons are kept ready."""
    if sources and sources[0].text:
        return tuple([SourceOut(*source) for source in sources])
    # JSON within an answer's JSON: no tuple, but msgspec writes it as the one it stands for.
    sources.wire = msgspec.Raw(
        _encode([SourceOut(source.member, source.share) for source in sources])
    )
    return sources.wire


def _why(slate: Slate, asker: Asker, has_model: bool) -> str:
    """Answer why a slate is not personal throughout though nothing failed."""
    if asker.origin is Origin.nobody:
        return "anonymous"
    if slate.marks and slate.marks[0] in (None, Fallback.session):
        return "session" if slate.fallback is Fallback.session else "few_items"
    return "no_history" if has_model else "no_model"


def _decision(answer: Answer, slate: Slate, found: _Found, sent: AskIn, now: int) -> Decision:
    sent.user = sent.session = None
    return Decision(
        answer.decision_id,
        now,
        FAMILY,
        found.entity,
        answer.model or "",
        found.as_of,
        slate.ids,
        slate.scores,
        (1.0,) * len(slate.ids),
        answer.fallback or "",
        "",
        _encode(sent).decode(),
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
