"""Connections: answers are read whole, closed ones are replaced, and silence is an error."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from demo.exchange.connection import BROKEN, Connections


class Talker:
    """A server on a real socket: answers each request with its number, closes when told to."""

    def __init__(self, closes_after: int = 1_000) -> None:
        self.closes_after = closes_after
        self.connections = self.requests = self.now = self.most = 0
        self.heads: list[str] = []
        self.bodies: list[bytes] = []
        self.delay = 0.0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        for _ in range(self.closes_after):
            try:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
            except asyncio.IncompleteReadError:
                break
            self.heads.append(head)
            size = head.lower().partition("content-length: ")[2].partition("\r\n")[0]
            self.bodies.append(await reader.readexactly(int(size or 0)))
            self.requests += 1
            self.now += 1
            self.most = max(self.most, self.now)
            await asyncio.sleep(self.delay)
            self.now -= 1
            body = str(self.requests).encode()
            writer.write(
                b"HTTP/1.1 200 OK\r\nX-Said: a: b\r\nContent-Length: %d\r\n\r\n" % len(body) + body
            )
        writer.close()


@asynccontextmanager
async def talking(talker: Talker) -> AsyncGenerator[str, None]:
    server = await asyncio.start_server(talker.serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        await server.wait_closed()


async def test_a_connection_is_used_again() -> None:
    talker = Talker()
    async with talking(talker) as base:
        connections = Connections(base)
        first = await connections.ask("POST", "/x?a=1", b"body", "content-type: text/plain\r\n")
        second = await connections.ask("GET", "/y")
        await connections.close()
    assert (first.status, first.body, second.body) == (200, b"1", b"2")
    assert first.headers["x-said"] == "a: b"
    assert first.ms > 0
    assert talker.connections == 1
    assert talker.bodies == [b"body", b""]
    assert talker.heads[0].startswith("POST /x?a=1 HTTP/1.1\r\nhost: 127.0.0.1\r\n")
    assert "content-type: text/plain\r\n" in talker.heads[0]
    assert "content-length" not in talker.heads[1]


async def test_one_closed_while_idle_is_replaced() -> None:
    talker = Talker(closes_after=1)
    async with talking(talker) as base:
        connections = Connections(base)
        answers = [(await connections.ask("GET", "/")).body for _ in range(3)]
        await connections.close()
    assert answers == [b"1", b"2", b"3"]
    assert talker.connections == 3


async def test_many_at_once_but_not_more_than_agreed() -> None:
    talker = Talker()
    talker.delay = 0.01
    async with talking(talker) as base:
        connections = Connections(base, most=3)
        await asyncio.gather(*[connections.ask("GET", "/") for _ in range(12)])
        await connections.close()
    assert talker.requests == 12
    assert talker.most == talker.connections == 3


async def test_nobody_there() -> None:
    async with talking(Talker()) as base:
        pass
    connections = Connections(base)
    with pytest.raises(BROKEN):
        await connections.ask("GET", "/")
    await connections.close()


async def test_a_server_that_hangs_up_at_once_is_an_error_not_an_endless_try() -> None:
    talker = Talker(closes_after=0)
    async with talking(talker) as base:
        connections = Connections(base)
        with pytest.raises(BROKEN):
            await connections.ask("GET", "/")
        await connections.close()
    assert talker.connections == 1
