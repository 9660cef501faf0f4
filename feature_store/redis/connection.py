"""One socket shared by everybody: commands of the same event-loop turn leave together.

Replies come in the order of the commands, so a queue of futures is all the bookkeeping.
When the socket breaks every waiting command fails, and the connection is made again in the
background until it holds. Knows nothing of keys or of what the commands mean.
"""

import asyncio
import contextlib
import random
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, cast

import hiredis

from domain.errors import SanderlingError, StoreUnavailable
from feature_store.redis.address import Address
from feature_store.redis.replies import checked


@dataclass(slots=True, frozen=True)
class Limits:
    """How patient and how large a connection may be; times in seconds.

    patience: longest silence of a server that owes replies before those who wait for them, and
    who comes after, are told to come back later. A server that is slow but answers is waited for.
    reply: longest such silence before the connection counts as broken and is made again.
    dial: longest wait for a connection to be made and greeted.
    commands, unsent: most commands in flight, most bytes waiting to leave.
    """

    patience: float = 5.0
    reply: float = 5.0
    dial: float = 5.0
    commands: int = 16_384
    unsent: int = 64 * 1024 * 1024
    first_delay: float = 0.02
    last_delay: float = 1.0

    @property
    def look(self) -> float:
        """Seconds between two looks at a connection: an eighth of what is to be noticed."""
        return min(self.patience, self.reply) / 8


class _Wire(asyncio.Protocol):
    """One open socket: bytes out, replies in, in order."""

    def __init__(self, lost: Callable[["_Wire"], None]) -> None:
        self._reader = hiredis.Reader()
        self._lost = lost
        self._loop = asyncio.get_running_loop()
        self._out: list[bytes] = []
        self.waiting: deque[tuple[asyncio.Future[Any], float]] = deque()
        self.unsent = 0
        self.silent = False
        self._heard = self._loop.time()
        self._suspected = False
        self.transport: asyncio.Transport | None = None
        self.gone = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not isinstance: other event loops bring transports of their own.
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        reader, waiting = self._reader, self.waiting
        self._heard = self._loop.time()
        self._suspected = self.silent = False
        try:
            reader.feed(data)
            while (reply := reader.gets()) is not False:
                future, _ = waiting.popleft()
                if not future.done():
                    future.set_result(reply)
        except (hiredis.ProtocolError, IndexError):
            self.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self.transport = None
        self._out.clear()
        while self.waiting:
            future, _ = self.waiting.popleft()
            if not future.done():
                future.set_result(_LOST)
        self.gone.set()
        self._lost(self)

    def silence(self) -> float:
        """Answer for how many seconds the server has said nothing though it owes a reply."""
        if not self.waiting:
            return 0.0
        return self._loop.time() - max(self._heard, self.waiting[0][1])

    def suspect(self) -> bool:
        """Tell whether a silence was looked at before: what came in meanwhile is read first,
        so that a busy event loop is not taken for a silent server."""
        before, self._suspected = self._suspected, True
        return before

    def give_up(self) -> None:
        """Send those who wait away; the replies still owed are passed over when they come."""
        self.silent = True
        for future, _ in self.waiting:
            if not future.done():
                future.set_result(_SILENT)

    def send(self, packed: bytes) -> asyncio.Future[Any]:
        """Queue one packed command; the whole turn's commands are written at its end."""
        if not self._out:
            self._loop.call_soon(self._flush)
        self._out.append(packed)
        self.unsent += len(packed)
        future: asyncio.Future[Any] = self._loop.create_future()
        self.waiting.append((future, self._loop.time()))
        return future

    def _flush(self) -> None:
        if self.transport is not None and self._out:
            self.transport.write(b"".join(self._out))
            self._out.clear()
            self.unsent = self.transport.get_write_buffer_size()

    def abort(self) -> None:
        """Drop the socket at once; everything waiting fails."""
        if self.transport is not None:
            self.transport.abort()

    async def drop(self) -> None:
        """Drop the socket and wait until it is closed."""
        self.abort()
        await self.gone.wait()


class _Lost:
    """The reply of a command whose connection broke, or whose server fell silent."""


_LOST = _Lost()
_SILENT = _Lost()

_NO_ANSWER = "the store does not answer just now"

Pack = Callable[[tuple[str | bytes | int, ...]], bytes]
_pack = cast(Pack, hiredis.pack_command)  # pyright: ignore[reportUnknownMemberType]


class Connection:
    """A connection that heals itself; safe to share by every task of one event loop."""

    def __init__(
        self,
        address: Address,
        limits: Limits | None = None,
        before_dial: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """`before_dial` runs before every attempt: the embedded server is started there."""
        self._address = address
        self._limits = limits or Limits()
        self._before_dial = before_dial
        self._wire: _Wire | None = None
        self._healing: asyncio.Task[None] | None = None
        self._watch: asyncio.TimerHandle | None = None
        self._closed = False

    async def start(self) -> None:
        """Connect for the first time; raises StoreUnavailable or StoreMisconfigured."""
        await self._dial()

    def send(self, *command: str | bytes | int) -> asyncio.Future[Any]:
        """Send a command; await `finish(future)` for its reply.

        Raises StoreUnavailable at once when there is no connection, when the server is silent,
        or when too much is in flight.
        """
        wire = self._wire
        if wire is None:
            raise StoreUnavailable("the store cannot be reached just now")
        if wire.silent:
            raise StoreUnavailable(_NO_ANSWER)
        if len(wire.waiting) >= self._limits.commands or wire.unsent > self._limits.unsent:
            raise StoreUnavailable("the store is too slow just now: too much is in flight")
        return wire.send(_pack(command))

    async def finish(self, future: asyncio.Future[Any]) -> Any:
        """Answer the raw reply (an error reply is a value).

        Raises StoreUnavailable when it is lost or does not come in time: what was asked for may
        then have been done, or may yet be.
        """
        reply = await future
        if reply is _SILENT:
            raise StoreUnavailable(_NO_ANSWER)
        if reply is _LOST:
            raise StoreUnavailable("the connection to the store broke")
        return reply

    async def call(self, *command: str | bytes | int) -> Any:
        """Send a command and answer its reply; raises what an error reply stands for."""
        return checked(await self.finish(self.send(*command)))

    async def close(self) -> None:
        """Drop the connection for good; commands in flight fail."""
        self._closed = True
        if self._watch is not None:
            self._watch.cancel()
        if self._healing is not None:
            self._healing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._healing
        wire, self._wire = self._wire, None
        if wire is not None:
            await wire.drop()

    async def _dial(self) -> None:
        address = self._address
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._limits.dial):
                if self._before_dial is not None:
                    await self._before_dial()
                if address.path:
                    _, wire = await loop.create_unix_connection(
                        lambda: _Wire(self._on_lost), address.path
                    )
                else:
                    _, wire = await loop.create_connection(
                        lambda: _Wire(self._on_lost),
                        address.host,
                        address.port,
                        ssl=address.tls,
                    )
                try:
                    await self._greet(wire)
                except BaseException:
                    await wire.drop()
                    raise
        except (OSError, TimeoutError) as error:
            raise StoreUnavailable(
                "the store cannot be reached: is the server of REDIS_URL running, and are its "
                "host, port and TLS setting right?"
            ) from error
        if self._closed:
            await wire.drop()
            return
        self._wire = wire
        self._watch = loop.call_later(self._limits.look, self._look)

    async def _greet(self, wire: _Wire) -> None:
        address = self._address
        greeting: list[tuple[str | int, ...]] = []
        if address.username:
            greeting.append(("AUTH", address.username, address.password))
        elif address.password:
            greeting.append(("AUTH", address.password))
        if address.db:
            greeting.append(("SELECT", address.db))
        greeting.append(("PING",))
        futures = [wire.send(_pack(command)) for command in greeting]
        for future in futures:
            checked(await self.finish(future))

    def _on_lost(self, wire: _Wire) -> None:
        if wire is not self._wire:
            return
        self._wire = None
        if self._watch is not None:
            self._watch.cancel()
        if not self._closed:
            self._healing = asyncio.get_running_loop().create_task(self._heal())

    async def _heal(self) -> None:
        delay = self._limits.first_delay
        while not self._closed:
            try:
                return await self._dial()
            except SanderlingError:
                # Spread the workers out, so that a returning server is not met by all at once.
                await asyncio.sleep(delay * random.uniform(0.5, 1.0))
                delay = min(delay * 2, self._limits.last_delay)

    def _look(self) -> None:
        """Send those away whom the server lets wait; break a connection that stays silent."""
        wire, limits = self._wire, self._limits
        if wire is None:
            return
        again = limits.look
        silence = wire.silence()
        if silence > min(limits.patience, limits.reply):
            if not wire.suspect():
                again /= 4
            elif silence > limits.reply:
                wire.abort()
                return
            else:
                wire.give_up()
        self._watch = asyncio.get_running_loop().call_later(again, self._look)
