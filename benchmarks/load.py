"""A closed-loop HTTP load generator: so many connections, each with one request under way.

Raw asyncio protocols over uvloop with request bytes built beforehand, so that the generator
costs a few microseconds a request and is not what is measured. Checks every status code.
Knows HTTP/1.1 with Content-Length, and nothing of what is asked.
"""

import asyncio
import time
from array import array
from collections.abc import Callable
from typing import NamedTuple, cast

import numpy as np
import uvloop

from domain.errors import ScientistError

MakeRequest = Callable[[int], bytes]
"""Request number → the bytes to send."""

_END = b"\r\n\r\n"
_LENGTH = b"content-length: "


class Load(NamedTuple):
    """What one timed stretch showed; latencies are milliseconds.

    `next` is the number the next request would have had; `empty` how many answers had no content.
    """

    requests: int
    per_second: float
    p50_ms: float
    p99_ms: float
    next: int
    empty: int = 0


def post(path: str, body: bytes, content_type: str = "application/json") -> bytes:
    """Build the bytes of one POST request."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {content_type}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class _Counter:
    """What the connections of one run share: the next request's number and what was seen."""

    def __init__(self, make: MakeRequest, expect: int, first: int, *, nothing: bool) -> None:
        self.make = make
        self.nothing = nothing
        self.empty = 0
        self.expect = str(expect).encode()
        self.next = first
        self.latencies = array("d")
        self.wrong = 0
        self.open = 0
        self.stopped = False
        self.idle: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.failure = ""


class _Connection(asyncio.Protocol):
    """One connection: sends, waits for the whole answer, notes the time, sends again."""

    def __init__(self, counter: _Counter) -> None:
        self.counter = counter
        self.pending = b""
        self.need = 0
        self.sent_at = 0.0
        self.waiting = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are no subclasses of asyncio's; their methods are the same.
        self.transport = cast(asyncio.Transport, transport)
        self.counter.open += 1
        self.send()

    def send(self) -> None:
        counter = self.counter
        number = counter.next
        counter.next = number + 1
        self.waiting = True
        self.sent_at = time.perf_counter()
        self.transport.write(counter.make(number))

    def data_received(self, data: bytes) -> None:
        if self.pending:
            data = self.pending + data
        if not self.need:
            end = data.find(_END)
            if end < 0:
                self.pending = data
                return
            # uvicorn writes header names in lower case.
            start = data.find(_LENGTH, 0, end)
            if start < 0 and self.counter.nothing and data[9:12] == b"204":
                self.counter.empty += 1
                self.answered()
                return
            if start < 0:
                self.transport.abort()
                return
            start += len(_LENGTH)
            self.need = end + 4 + int(data[start : data.find(b"\r", start)])
        if len(data) < self.need:
            self.pending = data
            return
        counter = self.counter
        if data[9:12] != counter.expect:
            counter.wrong += 1
            counter.failure = counter.failure or data[:400].decode("latin-1")
        self.answered()

    def answered(self) -> None:
        """Note an answer, and ask on."""
        counter = self.counter
        counter.latencies.append(time.perf_counter() - self.sent_at)
        self.pending = b""
        self.need = 0
        self.waiting = False
        if counter.stopped:
            self.transport.close()
        else:
            self.send()

    def connection_lost(self, exc: Exception | None) -> None:
        counter = self.counter
        counter.open -= 1
        if self.waiting:
            counter.wrong += 1
            counter.failure = counter.failure or f"connection lost ({exc})"
        if not counter.open and not counter.idle.done():
            counter.idle.set_result(None)


async def _drive(
    address: tuple[str, int], counter: _Counter, connections: int, seconds: float
) -> float:
    loop = asyncio.get_running_loop()
    started = time.perf_counter()
    for _ in range(connections):
        await loop.create_connection(lambda: _Connection(counter), *address)
    await asyncio.wait([counter.idle], timeout=seconds)
    elapsed = time.perf_counter() - started
    counter.stopped = True
    await asyncio.wait_for(counter.idle, 30)
    return elapsed


def drive(
    address: tuple[str, int],
    make: MakeRequest,
    *,
    expect: int = 200,
    connections: int = 32,
    seconds: float = 4.0,
    warm_seconds: float = 1.0,
    first: int = 0,
    nothing: bool = False,
) -> Load:
    """Load `address` for `seconds` after a warm-up and answer what it showed.

    Requests are numbered from `first` on, without gaps, through the warm-up too. nothing: a 204
    is an answer as well, and counted.
    Raises ScientistError when any answer had another status than `expect`: a figure over
    refused requests would be worth nothing.
    """

    async def both() -> Load:
        warm = _Counter(make, expect, first, nothing=nothing)
        await _drive(address, warm, connections, warm_seconds)
        counter = _Counter(make, expect, warm.next, nothing=nothing)
        elapsed = await _drive(address, counter, connections, seconds)
        wrong = warm.wrong + counter.wrong
        if wrong:
            shown = (warm.failure or counter.failure).partition("\r\n\r\n")
            raise ScientistError(f"{wrong} answers were not {expect}: {shown[0][:60]} {shown[2]}")
        latencies = np.frombuffer(counter.latencies, np.float64) * 1e3
        p50, p99 = np.percentile(latencies, [50, 99])
        per_second = len(latencies) / elapsed
        return Load(len(latencies), per_second, float(p50), float(p99), counter.next, counter.empty)

    return uvloop.run(both())
