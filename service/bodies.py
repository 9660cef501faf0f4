"""Reading a request's body whole, never holding more than its cap, inflated or not.

Knows gzip and nothing of what the bytes mean.
"""

import asyncio
import zlib

from starlette.types import Message, Receive

from domain.errors import BadBody
from service.http import Headers

_GZIP = 16 + zlib.MAX_WBITS


class Disconnected(Exception):
    """The caller went away before its body was whole."""


def _too_large(cap: int) -> BadBody:
    return BadBody(f"at most {cap:,} bytes after inflation", field="body", code="body_too_large")


def length_of(value: bytes) -> int:
    """Answer the number in a content-length header, 0 when it is none."""
    return int(value) if value.isdigit() and len(value) < 20 else 0


async def read_body(receive: Receive, headers: Headers, cap: int, timeout_s: float) -> bytes:
    """Read the body and undo its gzip; an announced length over the cap is not even read.

    Raises BadBody (body_too_large, unsupported_encoding, request_timeout, bad_gzip) and
    Disconnected.
    """
    encoding = _encoding(headers, cap)
    message = await receive()
    body = _chunk(message)
    if message.get("more_body"):
        try:
            async with asyncio.timeout(timeout_s):
                body = await _rest(receive, body, cap)
        except TimeoutError as error:
            raise too_slow() from error
    return _plain(body, encoding, cap)


def take_body(headers: Headers, body: bytes, cap: int) -> bytes:
    """Answer a body that has come whole, its gzip undone; raises BadBody as `read_body` does."""
    return _plain(body, _encoding(headers, cap), cap)


def too_slow() -> BadBody:
    """Answer the error of a body that does not arrive."""
    return BadBody("the body took too long to arrive", field="body", code="request_timeout")


def _encoding(headers: Headers, cap: int) -> bytes:
    encoding = b""
    for name, value in headers:
        if name == b"content-encoding":
            encoding = value.strip().lower()
        elif name == b"content-length" and length_of(value) > cap:
            raise _too_large(cap)
    if encoding not in (b"", b"identity", b"gzip", b"x-gzip"):
        raise BadBody("gzip or nothing", field="content-encoding", code="unsupported_encoding")
    return encoding


def _plain(body: bytes, encoding: bytes, cap: int) -> bytes:
    if len(body) > cap:
        raise _too_large(cap)
    return inflate(body, cap) if encoding in (b"gzip", b"x-gzip") else body


def _chunk(message: Message) -> bytes:
    if message["type"] == "http.disconnect":
        raise Disconnected
    return message.get("body", b"")


async def _rest(receive: Receive, first: bytes, cap: int) -> bytes:
    chunks = [first]
    size = len(first)
    more = True
    while more:
        message = await receive()
        chunk = _chunk(message)
        size += len(chunk)
        if size > cap:
            raise _too_large(cap)
        chunks.append(chunk)
        more = bool(message.get("more_body"))
    return b"".join(chunks)


def inflate(body: bytes, cap: int) -> bytes:
    """Undo gzip (RFC 1952, any number of members), stopping as soon as `cap` is passed.

    Raises BadBody when it is no whole gzip stream or inflates past the cap; a bomb is cut
    off after `cap` bytes and never inflated further.
    """
    whole = b""
    rest = body
    while rest:
        member = zlib.decompressobj(_GZIP)
        try:
            whole += member.decompress(rest, cap - len(whole) + 1)
        except zlib.error as error:
            raise BadBody("not a gzip stream", field="body", code="bad_gzip") from error
        if len(whole) > cap:
            raise _too_large(cap)
        if not member.eof:
            raise BadBody("the gzip stream is cut short", field="body", code="bad_gzip")
        rest = member.unused_data
    return whole
