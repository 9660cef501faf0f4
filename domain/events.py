"""Events: the kinds, the checked Event, and the one function that checks a raw row.

The HTTP door and the importer both build events here, so that a row means the same
wherever it came from. Knows nothing of JSON, files or storage.
"""

from datetime import UTC, datetime
from enum import IntEnum
from typing import NamedTuple

from domain.clock import DAY_MS, MINUTE_MS
from domain.errors import BadField
from domain.ids import is_valid_id, new_id, session_entity, user_entity
from domain.money import currency_code, to_micros


class Kind(IntEnum):
    """What happened. The numbers are part of the stored format: append, never renumber."""

    impression = 0
    seen = 1
    click = 2
    add_to_cart = 3
    remove_from_cart = 4
    purchase = 5
    refund = 6
    rating = 7
    search = 8
    login = 9
    subscribe = 10
    renew = 11
    cancel = 12
    support = 13
    custom = 14


KINDS = len(Kind)
_BY_NAME = {kind.name: kind for kind in Kind}

FUTURE_TOLERANCE_MS = 5 * MINUTE_MS
"""How far ahead of our clock `at` may be: other people's clocks run fast too."""

MAX_QUANTITY = 1e9
MAX_PROPERTIES_BYTES = 8_192
_SECONDS_BELOW = 100_000_000_000
"""Numbers below this are epoch seconds (to the year 5138), above it milliseconds (from 1973)."""

MAX_AT_MS = 4_102_444_800_000 + 100 * 365 * DAY_MS


class Event(NamedTuple):
    """Something that happened, checked.

    `entity` is the store's name of whose history it joins (see domain.ids); `at` is UTC
    milliseconds; `value` is the total of the event in micros of `currency` ("" is the
    house currency), or None; `refunds` is the event_id a refund undoes, if it said so;
    `properties` is a JSON object as text, or "".
    """

    event_id: str
    entity: str
    kind: Kind
    at: int
    item: str = ""
    value: int | None = None
    currency: str = ""
    quantity: float = 1.0
    channel: str = ""
    campaign: str = ""
    decision_id: str = ""
    refunds: str = ""
    session: str = ""
    properties: str = ""


def parse_at(at: str | float | int | None, now_ms: int) -> int:
    """Answer UTC milliseconds for ISO 8601 text, epoch seconds or epoch milliseconds.

    None means now. ISO text without an offset is taken as UTC.
    Raises BadField when it cannot be read, is before 1970, or is beyond any calendar.
    """
    if at is None:
        return now_ms
    if isinstance(at, str):
        try:
            number = float(at) if at[:1].isdigit() and "-" not in at and ":" not in at else None
            if number is None:
                moment = datetime.fromisoformat(at)
                if moment.tzinfo is None:
                    moment = moment.replace(tzinfo=UTC)
                ms = round(moment.timestamp() * 1000)
                return _in_range(ms)
        except (ValueError, OverflowError) as error:
            raise BadField("not an ISO 8601 time or an epoch number", field="at") from error
        at = number
    # Not math.isfinite: a whole number may be too long for a float. NaN is in no range.
    if isinstance(at, bool) or not -1e18 < at < 1e18:
        raise BadField("not an ISO 8601 time or an epoch number", field="at")
    return _in_range(round(at * 1000) if abs(at) < _SECONDS_BELOW else round(at))


def _in_range(ms: int) -> int:
    if not 0 <= ms <= MAX_AT_MS:
        raise BadField("outside 1970 to 2200", field="at")
    return ms


def _id(text: str | None, field: str) -> str:
    if text is None or text == "":
        return ""
    if not is_valid_id(text):
        raise BadField("1 to 256 bytes of printable text without blanks at either end", field=field)
    return text


def parse_kind(kind: str) -> Kind:
    """Answer the Kind named `kind`; raises BadField (code unknown_kind) when there is none."""
    try:
        return _BY_NAME[kind]
    except KeyError:
        raise BadField(
            "unknown kind; one of " + ", ".join(_BY_NAME), field="kind", code="unknown_kind"
        ) from None


def check_event(
    *,
    now_ms: int,
    kind: str,
    user: str | None = None,
    session: str | None = None,
    event_id: str | None = None,
    item: str | None = None,
    at: str | float | int | None = None,
    value: float | int | str | None = None,
    currency: str | None = None,
    quantity: float | int | None = None,
    channel: str | None = None,
    campaign: str | None = None,
    decision_id: str | None = None,
    refunds: str | None = None,
    properties: str = "",
    future_tolerance_ms: int = FUTURE_TOLERANCE_MS,
) -> Event:
    """Check one raw row and answer the Event it stands for.

    An event with a user joins that user's history; with a session alone, the session's.
    Without `event_id` a random one is given, so a retry cannot be recognised.
    Raises BadField with the field, a code and the reason.
    """
    user = _id(user, "user")
    session = _id(session, "session")
    if user:
        entity = user_entity(user)
    elif session:
        entity = session_entity(session)
    else:
        raise BadField("user or session is required", field="user", code="missing")
    at_ms = parse_at(at, now_ms)
    if at_ms > now_ms + future_tolerance_ms:
        raise BadField("in the future", field="at", code="in_future")
    micros = None
    if value is not None:
        try:
            micros = to_micros(value)
        except (ValueError, TypeError) as error:
            raise BadField("a finite amount of at most 1e9 units", field="value") from error
    if currency:
        try:
            currency_code(currency)
        except ValueError as error:
            raise BadField("three capital letters (ISO 4217)", field="currency") from error
    amount = 1.0
    if quantity is not None:
        if not 0 < quantity <= MAX_QUANTITY:
            raise BadField("a number above 0 and at most 1e9", field="quantity")
        amount = float(quantity)
    if len(properties) > MAX_PROPERTIES_BYTES:
        raise BadField("at most 8,192 characters of JSON", field="properties", code="too_large")
    return Event(
        event_id=_id(event_id, "event_id") or new_id(),
        entity=entity,
        kind=parse_kind(kind),
        at=at_ms,
        item=_id(item, "item"),
        value=micros,
        currency=currency or "",
        quantity=amount,
        channel=_id(channel, "channel"),
        campaign=_id(campaign, "campaign"),
        decision_id=_id(decision_id, "decision_id"),
        refunds=_id(refunds, "properties.refunds"),
        session=session if user else "",
        properties=properties,
    )
