"""The few things the store asks of a server, for one server and for a cluster alike.

`Single` speaks over the shared connection. A cluster is in `feature_store.redis.cluster`.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, Protocol

import hiredis

from feature_store.redis.connection import Connection
from feature_store.redis.replies import checked
from feature_store.redis.script_files import Script

Argument = str | bytes | int
Call = tuple[Sequence[str], Sequence[Argument]]
"""The keys and the arguments of one run of a script."""


class Server(Protocol):
    """Commands on keys of one hash tag, reads over any, and scripts."""

    async def call(self, *command: Argument) -> Any:
        """Run one command whose keys share a hash tag."""
        ...

    async def call_all(self, commands: Sequence[Sequence[Argument]]) -> list[Any]:
        """Run commands together, in no promised order; the replies are in order."""
        ...

    async def mget(self, keys: Sequence[str]) -> list[bytes | None]:
        """Read string values of any keys."""
        ...

    async def run(self, script: Script, calls: Sequence[Call]) -> list[Any]:
        """Run a script several times together, each over keys of one hash tag."""
        ...

    async def infos(self) -> list[bytes]:
        """Answer INFO of every server that holds data."""
        ...

    async def close(self) -> None:
        """Let go of the connections."""
        ...


class Single:
    """One server behind the shared connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def call(self, *command: Argument) -> Any:
        return await self._connection.call(*command)

    async def call_all(self, commands: Sequence[Sequence[Argument]]) -> list[Any]:
        connection = self._connection
        return await self._settle([connection.send(*command) for command in commands])

    async def mget(self, keys: Sequence[str]) -> list[bytes | None]:
        return await self._connection.call("MGET", *keys)

    async def run(self, script: Script, calls: Sequence[Call]) -> list[Any]:
        send = self._connection.send
        futures = [send("EVALSHA", script.sha, len(keys), *keys, *args) for keys, args in calls]
        replies = await self._settle(futures, raw=True)
        missing = [
            place
            for place, reply in enumerate(replies)
            if isinstance(reply, hiredis.ReplyError) and str(reply).startswith("NOSCRIPT")
        ]
        if missing:
            # The server was restarted or its scripts were flushed: bring the text along.
            await self._connection.call("SCRIPT", "LOAD", script.text)
            again = await self.run(script, [calls[place] for place in missing])
            for place, reply in zip(missing, again, strict=True):
                replies[place] = reply
        return [checked(reply) for reply in replies]

    async def infos(self) -> list[bytes]:
        return [await self._connection.call("INFO")]

    async def close(self) -> None:
        await self._connection.close()

    async def _settle(self, futures: Sequence[asyncio.Future[Any]], raw: bool = False) -> list[Any]:
        finish = self._connection.finish
        replies = [await finish(future) for future in futures]
        return replies if raw else [checked(reply) for reply in replies]
