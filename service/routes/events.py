"""POST /v1/events: rows in, each kept or refused with its reason, acknowledged once durable.

Also POST /v1/users/{user}/identify, which carries a session's history over. Knows the JSON
of an event; what makes one valid is the domain's business, keeping it the store's.
"""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from domain.errors import BadField
from domain.events import (
    MAX_PROPERTIES_BYTES,
    MAX_QUANTITY,
    Event,
    Kind,
    check_event,
)
from feature_store.store import Appended
from service.codec import MAX_DEPTH, OneDecoder, Rejected, Rows, RowsDecoder, depth_within
from service.context import Context
from service.http import Reply, Request, Route, header, json_reply
from service.shapes import Amount, At, Id, OptionalId, check_id

MAX_BODY = 1 << 20
_TOLERANCE = "at most five minutes ahead of the server's clock; absent: now"


class EventIn(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """One event as sent. It needs a user or a session; anything extra goes into properties."""

    kind: Annotated[str, Meta(extra_json_schema={"enum": [kind.name for kind in Kind]})]
    event_id: Annotated[
        OptionalId, Meta(description="makes a retry harmless; without it every send counts")
    ] = None
    user: OptionalId = None
    session: Annotated[OptionalId, Meta(description="an anonymous visit")] = None
    item: OptionalId = None
    at: Annotated[At | None, Meta(description=_TOLERANCE)] = None
    value: Annotated[Amount | None, Meta(description="total of the event in units")] = None
    currency: (
        Annotated[
            str,
            Meta(description="ISO 4217; empty: the house's", extra_json_schema={
                "pattern": "^([A-Z]{3})?$"}),
        ]
        | None
    ) = None  # fmt: skip
    quantity: (
        Annotated[
            float,
            Meta(extra_json_schema={"exclusiveMinimum": 0, "maximum": MAX_QUANTITY}),
        ]
        | None
    ) = None
    channel: OptionalId = None
    campaign: OptionalId = None
    decision_id: Annotated[OptionalId, Meta(description="the answer this came of")] = None
    properties: Annotated[
        dict[str, Any] | None,
        Meta(
            description=f"any JSON object of at most {MAX_PROPERTIES_BYTES:,} characters, nested "
            f"at most {MAX_DEPTH} deep; in a refund, `refunds` is the event_id it undoes"
        ),
    ] = None


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
_encode = msgspec.json.Encoder().encode


def _properties(row: EventIn) -> tuple[str, str]:
    """Answer the properties as JSON text and, for a refund, the event_id it undoes."""
    properties = row.properties
    if not properties:
        return "", ""
    if not depth_within(properties):
        raise BadField(f"nested at most {MAX_DEPTH} deep", field="properties", code="too_deep")
    refunds: object = properties.get("refunds") if row.kind == "refund" else None
    if refunds is not None and not isinstance(refunds, str):
        raise BadField("the event_id of a purchase", field="properties.refunds", code="bad_type")
    try:
        return _encode(properties).decode(), refunds or ""
    except (OverflowError, msgspec.MsgspecError) as error:
        raise BadField("a number out of range", field="properties") from error


def event_of(row: EventIn, now_ms: int) -> Event:
    """Check one row as sent and answer its Event; raises BadField."""
    properties, refunds = _properties(row)
    try:
        return check_event(
            now_ms=now_ms,
            kind=row.kind,
            user=row.user,
            session=row.session,
            event_id=row.event_id,
            item=row.item,
            at=row.at,
            value=row.value,
            currency=row.currency,
            quantity=row.quantity,
            channel=row.channel,
            campaign=row.campaign,
            decision_id=row.decision_id,
            refunds=refunds,
            properties=properties,
        )
    except OverflowError as error:
        raise BadField("a number out of range", field="at") from error


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
