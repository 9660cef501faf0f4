"""POST /v1/events: rows in, each kept or refused with its reason, acknowledged once durable.

Also POST /v1/users/{user}/identify, which carries a session's history over. Knows the JSON
of an event; what makes one valid is the domain's business, keeping it the store's.
"""

from typing import Annotated

import msgspec
from msgspec import Meta

from domain.errors import BadField
from domain.events import Event
from feature_store.store import Appended
from service.codec import OneDecoder, Rejected, Rows, RowsDecoder
from service.context import Context
from service.http import Reply, Request, Route, header, json_reply
from service.routes.event_rows import EventIn, event_of
from service.shapes import Id, check_id

MAX_BODY = 1 << 20


class EventsReply(msgspec.Struct, frozen=True):
    """What became of the rows; `rejected` ones are to be mended, not retried."""

    accepted: int
    duplicates: int
    rejected: list[Rejected]


class IdentifyIn(msgspec.Struct, forbid_unknown_fields=True):
    """The anonymous session that turned out to be this user."""

    session: Id


class IdentifyReply(msgspec.Struct, frozen=True):
    """How many events were carried over; 0 when it had been done before."""

    carried: int


def _named(name: str) -> dict[str, object]:
    """Say in JSON Schema that a field is there and not empty."""
    return {"required": [name], "properties": {name: {"type": "string", "minLength": 1}}}


_decode_events = RowsDecoder(EventIn)
_decode_identify = OneDecoder(IdentifyIn)


def check_rows(found: Rows[EventIn], now_ms: int) -> list[Event]:
    """Answer the events of the rows that pass; the others join `found.rejected`."""
    events: list[Event] = []
    for place, row in zip(found.places, found.rows, strict=True):
        try:
            events.append(event_of(row, now_ms))
        except BadField as error:
            if found.single:
                raise
            found.rejected.append(Rejected(place, error.code, error.field, error.message))
    return events


async def post_events(context: Context, request: Request) -> Reply:
    """Keep the good rows, answer 202 once they are durable, and say which were refused."""
    found = _decode_events(request.body, header(request, b"content-type"))
    events = check_rows(found, context.clock())
    outcomes = await context.store.append(events, context.clock()) if events else []
    accepted = outcomes.count(Appended.accepted)
    duplicates = len(outcomes) - accepted
    if accepted:
        context.intent.touch([event.entity for event in events])
    # Those told again too: what came of a bid counts once, and the first time may have been lost.
    context.learning.outcomes(events)
    context.recommending.outcomes(events)
    context.metrics.count_events(accepted, duplicates, len(found.rejected))
    if found.rejected:
        found.rejected.sort(key=lambda rejected: rejected.index)
        for rejected in found.rejected:
            context.metrics.rejects.labels("/v1/events", rejected.code).inc()
    return json_reply(EventsReply(accepted, duplicates, found.rejected), 202)


async def identify(context: Context, request: Request) -> Reply:
    """Carry the history of an anonymous session over to the user in the path, once."""
    user = check_id(request.param, "user")
    session = check_id(_decode_identify(request.body).session, "session")
    carried = await context.store.identify(session, user, context.clock())
    return json_reply(IdentifyReply(carried))


ROUTES = (
    Route(
        "POST",
        "/v1/events",
        post_events,
        "Tell what happened",
        "events",
        body=Annotated[
            EventIn, Meta(extra_json_schema={"anyOf": [_named("user"), _named("session")]})
        ],
        many=True,
        replies={202: EventsReply},
        body_cap=MAX_BODY,
        errors=(503,),
        description="One event, a JSON array of them, or one a line (NDJSON); plain or gzip; at "
        "most 1,000 events and 1 MiB. 202 means that every accepted event is durable and "
        "counts in the next answer. Refused rows come back with their index and the reason; "
        "they never cost a good neighbour. A body that is one bare event and refused answers "
        "400. A name given twice in one object counts with its last value. 503 acknowledges "
        "nothing: send the same body again.",
    ),
    Route(
        "POST",
        "/v1/users/{user}/identify",
        identify,
        "Say whose session it was",
        "users",
        body=IdentifyIn,
        replies={200: IdentifyReply},
        body_cap=16_384,
        errors=(409, 503),
        description="Carries the history of an anonymous session over to the user, once. Later "
        "events of the session join the user's history. 409 when the session belongs to "
        "another user.",
    ),
)
