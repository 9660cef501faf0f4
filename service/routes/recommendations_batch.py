"""/v1/recommendations:batch: up to 100 questions at once, each answered or refused by itself.

All histories come in one read. Past its time the rest is answered without histories or
diversity, and says so. Knows nothing of how one question is answered: see recommendations.
"""

import asyncio
from dataclasses import replace
from typing import Annotated

import msgspec
from msgspec import Meta

from domain.errors import CallerError
from models.recommend.ask import NOBODY, Ask
from models.recommend.controls import settled
from service.asking import ask_of, ask_of_body, asker_of, entity_of
from service.codec import OneDecoder
from service.context import Context
from service.errors import ErrorDetail
from service.http import Reply, Request, Route, json_reply
from service.routes.recommendation_rows import Answer
from service.routes.recommendations import (
    Found,
    Named,
    answer_for,
    check_segment,
    entities_of,
    find,
    lay_out,
    read_in_time,
)

PATH = "/v1/recommendations:batch"
MAX_QUESTIONS = 100
MAX_BODY = 1 << 21
WITHIN_S = 0.25
"""After so long, what is left is answered without histories and in order of demand: a fraction of
the time."""


class Questions(msgspec.Struct, forbid_unknown_fields=True):
    """Questions as POST /v1/recommendations takes them; a wrong one costs no good neighbour."""

    questions: Annotated[
        list[msgspec.Raw],
        Meta(
            min_length=1,
            max_length=MAX_QUESTIONS,
            description="each as the body of POST /v1/recommendations (AskIn)",
        ),
    ]


class Answered(msgspec.Struct, frozen=True, omit_defaults=True):
    """An answer, or why there is none."""

    answer: Answer | None = None
    error: ErrorDetail | None = None


class Answers(msgspec.Struct, frozen=True):
    """One for each question, in their order."""

    answers: list[Answered]


class _Question:
    """One question that can be answered."""

    __slots__ = ("ask", "named", "sent")

    def __init__(self, context: Context, raw: bytes, now: int) -> None:
        """Check a question; raises CallerError."""
        self.sent = ask_of_body(Request("POST", PATH, body=raw))
        origin, name = entity_of(self.sent)
        self.ask: Ask = ask_of(self.sent)
        check_segment(context, self.ask)
        given = asker_of(self.sent.history, now) if self.sent.history else NOBODY
        self.named = Named(origin, entities_of(origin, name), now, given)


_decode = OneDecoder(Questions)


async def post_batch(context: Context, request: Request) -> Reply:
    """Answer many questions."""
    loop = asyncio.get_running_loop()
    until, now = loop.time() + WITHIN_S, context.clock()
    raws = _decode(request.body).questions
    told: list[Answered | None] = []
    questions: list[_Question] = []
    for raw in raws:
        try:
            questions.append(_Question(context, bytes(raw), now))
            told.append(None)
        except CallerError as error:
            context.metrics.rejects.labels(PATH, error.code).inc()
            told.append(Answered(error=ErrorDetail(error.code, error.field, error.message)))
        await asyncio.sleep(0)
    answers = iter(await _answers(context, questions, until))
    return json_reply(Answers([Answered(next(answers)) if one is None else one for one in told]))


async def _answers(context: Context, questions: list[_Question], until: float) -> list[Answer]:
    """Answer what can be answered; `until` is by the clock of the event loop."""
    loop = asyncio.get_running_loop()
    entities = tuple(dict.fromkeys([e for one in questions for e in one.named.entities]))
    states, reason = await read_in_time(context, entities)
    state_of = dict(zip(entities, states, strict=False))
    answers: list[Answer] = []
    for one in questions:
        named = one.named
        state = state_of.get(named.entities[0]) if named.entities else None
        found, ask = find(context, named, state, reason), one.ask
        if loop.time() > until:
            found = Found(NOBODY, named.now, "", found.reason or "late")
            ask = _plainly(ask)
        else:
            await lay_out(context, ask)
        answers.append(answer_for(context, ask, found, one.sent, named.now))
        # Others are answered in between.
        await asyncio.sleep(0)
    return answers


def _plainly(ask: Ask) -> Ask:
    """Answer a question without what takes long: many candidates that compete for each place."""
    if ask.diversity == 0 and not ask.controls.calibrated:
        return ask
    return replace(ask, diversity=0.0, controls=settled(replace(ask.controls, calibrated=False)))


ROUTES = (
    Route(
        "POST", PATH, post_batch, "What to show, up to 100 questions at once", "recommendations",
        body=Questions, replies={200: Answers}, body_cap=MAX_BODY,
        description="Each question is answered, or refused with a reason of its own, and costs "
        f"no other. All histories are read at once. After {WITHIN_S} s the rest is answered "
        "without histories and without diversity; the reason is then `late`.",
    ),
)  # fmt: skip
