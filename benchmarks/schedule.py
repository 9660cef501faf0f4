"""An open-loop HTTP load generator: requests leave on a schedule, whoever is still waiting.

What an overload is measured with: latency counts from the moment a request was due, so that a
server which stalls cannot hide it by being asked less. Knows HTTP/1.1 with Content-Length or 204,
and nothing of what is asked.
"""

import asyncio
import contextlib
import time
from array import array
from collections import Counter, deque
from typing import NamedTuple, cast

import numpy as np
import uvloop

from benchmarks.load import MakeRequest
from domain.errors import ScientistError

TICK_S = 0.001
_END = b"\r\n\r\n"
_LENGTH = b"content-length: "


class Kept(NamedTuple):
    """What one scheduled stretch showed; latencies are milliseconds from when it was due."""

    statuses: dict[int, int]
    per_second: float
    p50_ms: float
    p99_ms: float
    worst_ms: float
    late: int
    next: int


class _Run:
    """The requests that are due, the connections that are free, and what was seen."""

    def __init__(self, make: MakeRequest, first: int) -> None:
        self.make = make
        self.next = first
        self.due: deque[float] = deque()
        self.free: list[_Line] = []
        self.latencies = array("d")
        self.statuses: Counter[int] = Counter()
        self.failed = ""
        self.wanted = -1
        self.done = asyncio.Event()

    def serve(self) -> None:
        """Send what is due on connections that are free."""
        while self.due and self.free:
            self.free.pop().send(self.due.popleft())

    def seen(self) -> None:
        """Tell whoever waits when all that was wanted has come, or never will."""
        if self.failed or len(self.latencies) == self.wanted:
            self.done.set()


class _Line(asyncio.Protocol):
    """One connection with one request under way at most."""

    def __init__(self, run: _Run) -> None:
        self.run = run
        self.pending = b""
        self.due = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are no subclasses of asyncio's; their methods are the same.
        self.transport = cast(asyncio.Transport, transport)
        self.run.free.append(self)

    def send(self, due: float) -> None:
        run = self.run
        self.due = due
        self.transport.write(run.make(run.next))
        run.next += 1

    def data_received(self, data: bytes) -> None:
        data = self.pending + data
        end = data.find(_END)
        if end < 0:
            self.pending = data
            return
        status = int(data[9:12])
        if status != 204:
            start = data.find(_LENGTH, 0, end) + len(_LENGTH)
            if len(data) < end + 4 + int(data[start : data.find(b"\r", start)]):
                self.pending = data
                return
        self.pending = b""
        run = self.run
        run.latencies.append(time.perf_counter() - self.due)
        run.statuses[status] += 1
        run.free.append(self)
        run.serve()
        run.seen()

    def connection_lost(self, exc: Exception | None) -> None:
        self.run.failed = self.run.failed or f"connection lost ({exc})"
        self.run.seen()


async def _keep(
    address: tuple[str, int], run: _Run, rate: float, connections: int, seconds: float
) -> float:
    loop = asyncio.get_running_loop()
    lines = [
        (await loop.create_connection(lambda: _Line(run), *address))[1] for _ in range(connections)
    ]
    started = time.perf_counter()
    sent, total = 0, int(rate * seconds)
    while sent < total:
        now = time.perf_counter() - started
        while sent < total and sent / rate <= now:
            run.due.append(started + sent / rate)
            sent += 1
        run.serve()
        await asyncio.sleep(TICK_S)
    elapsed = time.perf_counter() - started
    run.wanted = total
    run.seen()
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(run.done.wait(), 30)
    failed = run.failed or ("" if len(run.latencies) == total else "answers are missing")
    for line in lines:
        line.transport.abort()
    if failed:
        raise ScientistError(f"the schedule could not be kept: {failed}")
    return elapsed


def keep(
    address: tuple[str, int],
    make: MakeRequest,
    *,
    rate: float,
    connections: int = 256,
    seconds: float = 4.0,
    late_ms: float = 25.0,
    first: int = 0,
) -> Kept:
    """Send `rate` requests a second to `address` and answer what came back, and how late.

    Raises ScientistError when a connection broke or an answer never came.
    """

    async def both() -> Kept:
        run = _Run(make, first)
        elapsed = await _keep(address, run, rate, connections, seconds)
        latencies = np.frombuffer(run.latencies, np.float64) * 1e3
        p50, p99 = np.percentile(latencies, [50, 99])
        return Kept(
            dict(run.statuses),
            len(latencies) / elapsed,
            float(p50),
            float(p99),
            float(latencies.max()),
            int((latencies > late_ms).sum()),
            run.next,
        )

    return uvloop.run(both())
