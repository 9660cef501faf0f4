"""Cursors: where a listing goes on, as opaque text that is checked when it comes back.

A cursor holds the place, the time it was given out and a checksum over both, so that one
that was cut, edited, taken from another listing or is a day old is refused. It guards
against accidents and grants nothing: whoever may read the listing may read all of it.
"""

import base64
import binascii
import struct
from hashlib import blake2b

from domain.clock import DAY_MS
from domain.errors import BadField

_AT = struct.Struct(">Q")
_CHECK_BYTES = 8
LIFETIME_MS = DAY_MS
MAX_CHARS = 1_024


def _check(listing: str, body: bytes) -> bytes:
    return blake2b(body, digest_size=_CHECK_BYTES, person=listing.encode()).digest()


def make_cursor(listing: str, place: str, now_ms: int) -> str:
    """Wrap a place of `listing` (a short ASCII name of at most 16 bytes)."""
    body = _AT.pack(now_ms) + place.encode()
    return base64.urlsafe_b64encode(_check(listing, body) + body).decode().rstrip("=")


def read_cursor(listing: str, cursor: str, now_ms: int) -> str:
    """Answer the place in a cursor; raises BadField (code bad_cursor) when it is not valid."""
    try:
        if len(cursor) > MAX_CHARS or not cursor.isascii():
            raise ValueError("too long")
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True)
        check, body = raw[:_CHECK_BYTES], raw[_CHECK_BYTES:]
        if check != _check(listing, body):
            raise ValueError("checksum differs")
        given = _AT.unpack_from(body)[0]
        place = body[_AT.size :].decode()
    except (ValueError, binascii.Error, struct.error) as error:
        raise BadField(
            "not a cursor of this listing; start again without one",
            field="cursor",
            code="bad_cursor",
        ) from error
    if not now_ms - LIFETIME_MS <= given <= now_ms + LIFETIME_MS:
        raise BadField(
            "this cursor expired; start again without one", field="cursor", code="bad_cursor"
        )
    return place
