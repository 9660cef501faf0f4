"""The open-loop generator: requests leave when they are due, and lateness counts from then."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from benchmarks.load import post
from benchmarks.schedule import keep
from domain.errors import ScientistError

REPLY = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"
NOTHING = b"HTTP/1.1 204 No Content\r\ndate: now\r\n\r\n"


@contextmanager
def server(answer: "list[bytes]", delay: float = 0.0) -> Iterator[tuple[str, int]]:
    """Answer requests with what is given, in turn, each `delay` seconds after the one before."""
    ready, stop = threading.Event(), threading.Event()
    address: list[tuple[str, int]] = []

    async def serve() -> None:
        lock, count = asyncio.Lock(), 0
        writers: list[asyncio.StreamWriter] = []

        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal count
            writers.append(writer)
            while head := await _head(reader):
                await reader.readexactly(int(head.split(b"Content-Length: ")[1].split()[0]))
                async with lock:
                    await asyncio.sleep(delay)
                count += 1
                reply = answer[count % len(answer)]
                if not reply:
                    writer.close()
                    return
                writer.write(reply)

        listening = await asyncio.start_server(talk, "127.0.0.1", 0)
        address.append(listening.sockets[0].getsockname())
        ready.set()
        await asyncio.to_thread(stop.wait)
        listening.close()
        for writer in writers:
            writer.transport.abort()
        await asyncio.sleep(0.05)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    ready.wait()
    try:
        yield address[0]
    finally:
        stop.set()
        thread.join()


async def _head(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return b""


def make(number: int) -> bytes:
    return post("/", b"{}")


def test_as_many_as_are_due_are_sent_and_counted_by_status() -> None:
    with server([REPLY, NOTHING]) as address:
        kept = keep(address, make, rate=200, connections=8, seconds=0.5, first=40)
    assert kept.statuses == {200: 50, 204: 50}
    assert kept.next == 140
    assert kept.p50_ms <= kept.p99_ms <= kept.worst_ms


def test_lateness_counts_from_when_a_request_was_due() -> None:
    # 10 ms each, one after the other: at 200 a second the last of 40 is due long before its turn.
    with server([REPLY], 0.01) as address:
        kept = keep(address, make, rate=200, connections=4, seconds=0.2, late_ms=25.0)
    assert kept.worst_ms > 100
    assert kept.late > 20


def test_a_broken_connection_is_no_figure() -> None:
    with server([REPLY, b""]) as address, pytest.raises(ScientistError, match="connection lost"):
        keep(address, make, rate=200, connections=2, seconds=0.2)
