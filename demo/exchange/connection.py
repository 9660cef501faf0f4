"""Connections to one address, kept open and shared; as many as are needed at once, to a bound.

HTTP/1.1 as far as our own service speaks it. Knows nothing of what is asked.
"""

import asyncio
import time
from typing import NamedTuple
from urllib.parse import urlsplit

MOST = 24
PATIENCE_S = 10.0
BROKEN = (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError)
"""What `ask` raises when nobody answers."""


class Heard(NamedTuple):
    """One answer: status, headers (names in small letters), body, milliseconds it took."""

    status: int
    headers: dict[str, str]
    body: bytes
    ms: float


class Connections:
    """Asks the service at `base`, many questions at once."""

    def __init__(self, base: str, most: int = MOST) -> None:
        parts = urlsplit(base)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 80
        self._room = asyncio.Semaphore(most)
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def ask(self, method: str, path: str, body: bytes = b"", headers: str = "") -> Heard:
        """Send one request and read its answer; raises one of BROKEN when nobody answers.

        headers: further lines, each with its line end. A connection that the other side closed
        while it was idle is replaced once. The time counts from sending, not from waiting for
        a free connection.
        """
        size = f"content-length: {len(body)}\r\n" if body else ""
        head = f"{method} {path} HTTP/1.1\r\nhost: {self._host}\r\n{size}{headers}\r\n"
        sent = head.encode() + body
        async with self._room, asyncio.timeout(PATIENCE_S):
            if self._idle:
                try:
                    return await self._once(*self._idle.pop(), sent)
                except (ConnectionError, asyncio.IncompleteReadError):
                    pass
            return await self._once(*await asyncio.open_connection(self._host, self._port), sent)

    async def _once(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, sent: bytes
    ) -> Heard:
        started = time.perf_counter()
        try:
            writer.write(sent)
            first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            pairs = (line.partition(":") for line in lines if line)
            headers = {name.lower(): value.strip() for name, _, value in pairs}
            body = await reader.readexactly(int(headers.get("content-length", 0)))
        except BaseException:
            writer.close()
            raise
        self._idle.append((reader, writer))
        ms = (time.perf_counter() - started) * 1000
        return Heard(int(first.split(" ", 2)[1]), headers, body, ms)

    async def close(self) -> None:
        """Close every connection."""
        for _, writer in self._idle:
            writer.close()
        for _, writer in self._idle:
            try:
                await writer.wait_closed()
            except OSError:
                continue
        self._idle.clear()
