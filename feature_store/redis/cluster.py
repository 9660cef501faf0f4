"""A cluster behind the same few commands as one server: each goes to the node of its slot.

Uses redis-py's cluster client, which follows moved slots by itself. Reads are grouped by
slot. Knows nothing of histories.
"""

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Any

import redis.asyncio
from redis.crc import key_slot
from redis.exceptions import (
    AuthenticationError,
    NoPermissionError,
    NoScriptError,
    RedisClusterException,
    RedisError,
    ResponseError,
)

from domain.errors import StoreUnavailable
from feature_store.redis.address import parse_address
from feature_store.redis.replies import error_of
from feature_store.redis.script_files import Script
from feature_store.redis.server import Argument, Call

_MOST_AT_ONCE = 4_096
"""Commands in flight a process: beyond it callers are told to come back later."""


class Cluster:
    """Commands on a cluster; see feature_store.redis.server.Server."""

    def __init__(self, url: str, reply_seconds: float, patience: float | None = None) -> None:
        """`patience`: seconds after which a caller is told to come back (None: no bound but the
        client's own, several times `reply_seconds`)."""
        parse_address(url)
        self._client: Any = redis.asyncio.RedisCluster.from_url(
            url, socket_timeout=reply_seconds, socket_connect_timeout=reply_seconds
        )
        self._running = 0
        self._patience = patience

    async def start(self) -> None:
        """Learn the cluster's layout; raises StoreUnavailable or StoreMisconfigured."""
        await self._guarded(self._client.initialize())

    async def _guarded(self, awaitable: Awaitable[Any]) -> Any:
        try:
            return await awaitable
        except (AuthenticationError, NoPermissionError) as error:
            word = "NOPERM" if isinstance(error, NoPermissionError) else "WRONGPASS"
            raise error_of(word) from error
        except NoScriptError:
            raise
        except ResponseError as error:
            raise error_of(str(error)) from error
        except (RedisError, RedisClusterException, OSError, TimeoutError) as error:
            raise StoreUnavailable("the cluster cannot be reached just now") from error

    async def call(self, *command: Argument) -> Any:
        if self._running >= _MOST_AT_ONCE:
            raise StoreUnavailable("the store is too slow just now: too much is in flight")
        self._running += 1
        try:
            async with asyncio.timeout(self._patience):
                return await self._guarded(self._client.execute_command(*command))
        except TimeoutError as error:
            raise StoreUnavailable("the cluster does not answer just now") from error
        finally:
            self._running -= 1

    async def call_all(self, commands: Sequence[Sequence[Argument]]) -> list[Any]:
        return await _all([self.call(*command) for command in commands])

    async def mget(self, keys: Sequence[str]) -> list[bytes | None]:
        slots: dict[int, list[int]] = {}
        for place, key in enumerate(keys):
            slots.setdefault(key_slot(key.encode()), []).append(place)
        replies = await self.call_all(
            [("MGET", *[keys[place] for place in places]) for places in slots.values()]
        )
        values: list[bytes | None] = [None] * len(keys)
        for places, reply in zip(slots.values(), replies, strict=True):
            for place, value in zip(places, reply, strict=True):
                values[place] = value
        return values

    async def run(self, script: Script, calls: Sequence[Call]) -> list[Any]:
        return await _all([self._run(script, keys, args) for keys, args in calls])

    async def _run(self, script: Script, keys: Sequence[str], args: Sequence[Argument]) -> Any:
        rest = (len(keys), *keys, *args)
        try:
            return await self.call("EVALSHA", script.sha, *rest)
        except NoScriptError:
            # The node of this slot has not met the script yet: bring its text along.
            return await self.call("EVAL", script.text, *rest)

    async def infos(self) -> list[bytes]:
        nodes: list[Any] = self._client.get_primaries()
        parts = ("server", "memory", "replication", "persistence")
        return [
            "\r\n".join(f"{name}:{value}" for name, value in info.items()).encode()
            for info in await _all([self._guarded(self._info(node, parts)) for node in nodes])
        ]

    async def _info(self, node: Any, parts: tuple[str, ...]) -> dict[str, Any]:
        merged: dict[str, Any] = {}
        for part in parts:
            merged |= await self._client.execute_command("INFO", part, target_nodes=node)
        return merged

    async def close(self) -> None:
        await self._client.aclose()


async def _all(awaitables: Sequence[Awaitable[Any]]) -> list[Any]:
    """Run together and wait for every one, then raise the first failure if there is one."""
    results = await asyncio.gather(*awaitables, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return list(results)
