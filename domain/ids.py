"""Identifiers: what a valid one looks like, how it is hashed, how users fall into buckets.

The hashes are part of the stored format: changing them orphans every history.
"""

import os
from binascii import b2a_base64
from hashlib import blake2b

MAX_ID_BYTES = 256
_URL_SAFE = bytes.maketrans(b"+/", b"-_")


def hash64(text: str) -> int:
    """Hash `text` to an unsigned 64-bit integer, never 0 (0 means "none" in a record).

    BLAKE2b (RFC 7693) with an 8-byte digest, read little-endian: the same on every
    machine and in every release.
    """
    value = int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little")
    return value or 1


def hash32(text: str) -> int:
    """Hash `text` to an unsigned 32-bit integer, never 0; for labels such as channels."""
    value = int.from_bytes(blake2b(text.encode(), digest_size=4).digest(), "little")
    return value or 1


def bucket_of(entity: str, buckets: int) -> int:
    """Answer the bucket, 0 … `buckets` - 1, that holds every key of `entity`."""
    return hash64(entity) % buckets


def new_id() -> str:
    """Make a fresh random identifier of 22 URL-safe characters (128 bits)."""
    return b2a_base64(os.urandom(16), newline=False).translate(_URL_SAFE)[:22].decode()


def is_valid_id(text: str) -> bool:
    """Tell whether `text` may name a thing: 1-256 UTF-8 bytes, printable, no edge blanks."""
    if not text or len(text) > MAX_ID_BYTES or not text.isprintable():
        return False
    if text.isascii():
        return text[0] != " " and text[-1] != " "
    return len(text.encode("utf-8", "surrogatepass")) <= MAX_ID_BYTES and text.strip() == text


def user_entity(user: str) -> str:
    """Answer the store's name for a known user."""
    return "u" + user


def session_entity(session: str) -> str:
    """Answer the store's name for an anonymous session."""
    return "s" + session
