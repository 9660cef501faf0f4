"""Bodies: whole, within the cap, inflated no further than it, in time."""

import asyncio
import gzip
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message

from domain.errors import BadBody
from service.bodies import Disconnected, inflate, length_of, read_body
from service.http import Headers

CAP = 1_000


async def read(*chunks: bytes | None, headers: Headers = (), timeout_s: float = 5) -> bytes:
    waiting = list(chunks)

    async def receive() -> Message:
        if not waiting:
            await asyncio.Event().wait()
        chunk = waiting.pop(0)
        if chunk is None:
            return {"type": "http.disconnect"}
        more = bool(waiting) or (len(chunks) == 1 and chunk == b"unfinished")
        return {"type": "http.request", "body": chunk, "more_body": more}

    return await read_body(receive, headers, CAP, timeout_s)


async def refused(*chunks: bytes | None, headers: Headers = (), timeout_s: float = 5) -> str:
    with pytest.raises(BadBody) as caught:
        await read(*chunks, headers=headers, timeout_s=timeout_s)
    return caught.value.code


async def test_whole_and_in_pieces() -> None:
    assert await read(b"abc") == b"abc"
    assert await read(b"a", b"b", b"", b"c") == b"abc"
    assert await read(b"x" * CAP) == b"x" * CAP


async def test_too_large() -> None:
    assert await refused(b"x" * (CAP + 1)) == "body_too_large"
    assert await refused(*[b"x" * 400] * 3) == "body_too_large"
    announced = [(b"content-length", b"1001")]
    assert await refused(b"never read", headers=announced) == "body_too_large"


async def test_hanging_up() -> None:
    with pytest.raises(Disconnected):
        await read(None)
    with pytest.raises(Disconnected):
        await read(b"a", None)


async def test_too_slow() -> None:
    assert await refused(b"unfinished", timeout_s=0.01) == "request_timeout"


async def test_gzip_and_other_encodings() -> None:
    packed = gzip.compress(b"hello")
    for name in (b"gzip", b"GZIP ", b"x-gzip"):
        assert await read(packed, headers=[(b"content-encoding", name)]) == b"hello"
    assert await read(b"a", headers=[(b"content-encoding", b"identity")]) == b"a"
    for name in (b"br", b"deflate", b"gzip, gzip", b"zstd"):
        headers = [(b"content-encoding", name)]
        assert await refused(b"a", headers=headers) == "unsupported_encoding"


@given(st.lists(st.binary(max_size=300), max_size=3))
def test_inflating_undoes_gzip_of_any_members(parts: list[bytes]) -> None:
    assert inflate(b"".join(map(gzip.compress, parts)), CAP) == b"".join(parts)


@given(st.binary(max_size=200))
def test_any_bytes_inflate_or_are_refused(body: bytes) -> None:
    try:
        inflate(body, CAP)
    except BadBody as error:
        code = error.code
    else:
        code = ""
    assert code in {"", "bad_gzip", "body_too_large"}
    assert code or not body or body[:2] == b"\x1f\x8b"


def test_a_cut_stream_is_refused() -> None:
    packed = gzip.compress(bytes(range(256)))
    for end in range(1, len(packed)):
        with pytest.raises(BadBody) as caught:
            inflate(packed[:end], CAP)
        assert caught.value.code == "bad_gzip"


def test_a_bomb_takes_no_memory() -> None:
    bomb = gzip.compress(bytes(200_000_000), 9)
    tracemalloc.start()
    try:
        with pytest.raises(BadBody, match="inflation"):
            inflate(bomb, 1 << 20)
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()


def test_lengths() -> None:
    texts = (b"0", b"17", b"-1", b"x", b"", b"1" * 30)
    assert [length_of(text) for text in texts] == [0, 17, 0, 0, 0, 0]
