"""The JSON of an event and its way into domain.events.

A plain row, as nearly all are, is checked in one go; whatever is unusual about a row sends it
to the domain's own check, which also says what is wrong. Both give the same events.
"""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from domain.errors import BadField
from domain.events import (
    FUTURE_TOLERANCE_MS,
    MAX_PROPERTIES_BYTES,
    MAX_QUANTITY,
    Event,
    Kind,
    check_event,
    parse_at,
)
from domain.ids import MAX_ID_BYTES, session_entity, user_entity
from domain.money import to_micros
from service.codec import MAX_DEPTH, depth_within
from service.shapes import SECONDS_BELOW, Amount, At, OptionalId

_TOLERANCE = "at most five minutes ahead of the server's clock; absent: now"
_KINDS = {kind.name: kind for kind in Kind}
_encode = msgspec.json.Encoder().encode


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


def _properties(row: EventIn) -> tuple[str, str]:
    """Answer the properties as JSON text and, for a refund, the event_id it undoes."""
    properties = row.properties
    if not properties:
        return "", ""
    refunds: object = properties.get("refunds") if row.kind == "refund" else None
    if refunds is not None and not isinstance(refunds, str):
        raise BadField("the event_id of a purchase", field="properties.refunds", code="bad_type")
    try:
        text = _encode(properties).decode()
    except (OverflowError, msgspec.MsgspecError) as error:
        raise BadField("a number out of range", field="properties") from error
    # Few brackets cannot nest deep; only many are worth a walk.
    if text.count("{") + text.count("[") > MAX_DEPTH and not depth_within(properties):
        raise BadField(f"nested at most {MAX_DEPTH} deep", field="properties", code="too_deep")
    return text, refunds or ""


def event_of(row: EventIn, now_ms: int) -> Event:
    """Check one row as sent and answer its Event; raises BadField."""
    properties, refunds = _properties(row) if row.properties else ("", "")
    event = None if refunds else _plain(row, now_ms, properties)
    return _checked(row, now_ms, properties, refunds) if event is None else event


def _plain(row: EventIn, now_ms: int, properties: str) -> Event | None:
    """Answer the Event of a plain row, None when anything about it needs a closer look.

    The ids are looked at together: short ASCII text, no blank beside a seam.
    """
    kind = _KINDS.get(row.kind)
    event_id, user, session = row.event_id, row.user or "", row.session or ""
    item, channel, campaign = row.item or "", row.channel or "", row.campaign or ""
    decision = row.decision_id or ""
    ids = f"|{event_id}|{user}|{session}|{item}|{channel}|{campaign}|{decision}|"
    if (
        kind is None
        or not event_id
        or not (user or session)
        or len(ids) > MAX_ID_BYTES
        or not (ids.isascii() and ids.isprintable())
        or "| " in ids
        or " |" in ids
        or row.currency
        or len(properties) > MAX_PROPERTIES_BYTES
    ):
        return None
    at, value, quantity = row.at, row.value, row.quantity
    if at is None:
        at = now_ms
    elif type(at) is not int or at < SECONDS_BELOW:
        at = parse_at(at, now_ms)
    if at > now_ms + FUTURE_TOLERANCE_MS or not (quantity is None or 0 < quantity <= MAX_QUANTITY):
        return None
    if value is not None:
        try:
            value = to_micros(value)
        except ValueError:
            return None
    return Event._make(
        (
            event_id,
            user_entity(user) if user else session_entity(session),
            kind,
            at,
            item,
            value,
            "",
            1.0 if quantity is None else quantity,
            channel,
            campaign,
            decision,
            "",
            session if user else "",
            properties,
        ),
    )


def _checked(row: EventIn, now_ms: int, properties: str, refunds: str) -> Event:
    """Let the domain check a row."""
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
