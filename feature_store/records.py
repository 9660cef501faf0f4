"""The packed formats: a 56-byte record an event, a 272-byte header of lifetime numbers.

An entity's history is one byte string: the header, then its records in order of
(at, event). Parsing is two numpy views without a copy. Every number is little-endian.
"""

import struct
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from domain.events import KINDS, Event, Kind
from domain.ids import hash32, hash64, session_entity, user_entity
from domain.money import currency_code

RECORD = np.dtype(
    [
        ("at", "<i8"),
        ("event", "<u8"),
        ("item", "<u8"),
        ("value", "<i8"),
        ("ref", "<u8"),
        ("quantity", "<f4"),
        ("channel", "<u4"),
        ("campaign", "<u4"),
        ("kind", "u1"),
        ("flags", "u1"),
        ("currency", "<u2"),
    ]
)
"""One event. `event`, `item`: hash64 of the ids (0: none). `value`: micros. `ref`: hash64 of
the refunded event_id for a refund, else of the decision_id. `currency`: 0 is the house's."""

RECORD_BYTES = RECORD.itemsize
LINK_KIND = 255
"""The kind of a log row that links a session to a user; see pack_link."""
HAS_VALUE = 1
ANONYMOUS = 2

FORMAT_VERSION = 1
HEADER_FIELDS = 4 + 2 * KINDS
HEADER_BYTES = 8 * HEADER_FIELDS
"""int64 each: format version, last time-to-live refresh (ms), first seen (ms), last seen (ms),
then the count of each kind, then the value of each kind (micros of the house currency)."""

H_VERSION, H_REFRESHED, H_FIRST, H_LAST, H_COUNT = 0, 1, 2, 3, 4
H_VALUE = H_COUNT + KINDS

Records = npt.NDArray[np.void]
Lifetime = npt.NDArray[np.int64]
"""Array of HEADER_FIELDS int64, laid out as the header."""

NO_FIRST = 2**53 - 1
NO_LAST = -(2**53 - 1)
EMPTY_LIFETIME: Lifetime = np.zeros(HEADER_FIELDS, np.int64)
EMPTY_LIFETIME[[H_VERSION, H_FIRST, H_LAST]] = FORMAT_VERSION, NO_FIRST, NO_LAST
EMPTY_LIFETIME.flags.writeable = False
EMPTY_RECORDS: Records = np.zeros(0, RECORD)
EMPTY_RECORDS.flags.writeable = False

_pack = struct.Struct("<qQQqQfIIBBH").pack
_SEPARATOR = "\x1f"
PAYLOAD_FIELDS = (
    "event_id",
    "entity",
    "item",
    "channel",
    "campaign",
    "decision_id",
    "refunds",
    "session",
    "currency",
    "properties",
)
"""The texts that a record only holds as hashes, in the order they travel on the stream."""

_item_hash = lru_cache(maxsize=262_144)(hash64)
_label_hash = lru_cache(maxsize=65_536)(hash32)
_currency = lru_cache(maxsize=1_024)(currency_code)


def pack_record(event: Event, house_currency: str = "") -> bytes:
    """Pack an event into RECORD_BYTES bytes; its currency is 0 when it is the house's."""
    ref = event.refunds if event.kind == Kind.refund else event.decision_id
    currency = event.currency
    return _pack(
        event.at,
        hash64(event.event_id),
        _item_hash(event.item) if event.item else 0,
        event.value or 0,
        hash64(ref) if ref else 0,
        event.quantity,
        _label_hash(event.channel) if event.channel else 0,
        _label_hash(event.campaign) if event.campaign else 0,
        event.kind,
        (HAS_VALUE if event.value is not None else 0)
        | (ANONYMOUS if event.entity[0] == "s" else 0),
        0 if not currency or currency == house_currency else _currency(currency),
    )


def pack_payload(event: Event) -> bytes:
    """Join the event's texts for the stream; no id and no JSON text holds the separator."""
    return _SEPARATOR.join(
        (
            event.event_id,
            event.entity,
            event.item,
            event.channel,
            event.campaign,
            event.decision_id,
            event.refunds,
            event.session,
            event.currency,
            event.properties,
        )
    ).encode()


def pack_link(session: str, user: str, now_ms: int) -> tuple[bytes, bytes]:
    """Pack (record, payload) of the row that says `session` is `user` from `now_ms` on.

    Its kind is LINK_KIND and its `event` is hash64 of the session's entity, which is that
    session's entity_hash in the log; the payload's entity is the user's, its session `session`.
    Only the stream and the log hold such rows, never a history.
    """
    record = _pack(now_ms, hash64(session_entity(session)), 0, 0, 0, 0.0, 0, 0, LINK_KIND, 0, 0)
    texts = dict.fromkeys(PAYLOAD_FIELDS, "")
    texts |= {"entity": user_entity(user), "session": session}
    return record, _SEPARATOR.join(texts.values()).encode()


def unpack_payload(payload: bytes) -> list[str]:
    """Split a stream payload into its texts, in the order of PAYLOAD_FIELDS."""
    return payload.decode().split(_SEPARATOR)


def parse_history(blob: bytes) -> tuple[Lifetime, Records]:
    """View a history's bytes as (lifetime of HEADER_FIELDS, records in (at, event) order).

    No copy is made. Raises ValueError when the bytes are not whole records behind a header
    of this format version.
    """
    if (len(blob) - HEADER_BYTES) % RECORD_BYTES or len(blob) < HEADER_BYTES:
        raise ValueError("not a history: its length is not a header and whole records")
    lifetime = np.frombuffer(blob, np.int64, HEADER_FIELDS)
    if lifetime[H_VERSION] != FORMAT_VERSION:
        raise ValueError("a history of another format version")
    return lifetime, np.frombuffer(blob, RECORD, -1, HEADER_BYTES)
