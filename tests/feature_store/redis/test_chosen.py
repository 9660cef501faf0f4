"""In a server answers that were given and their marks have a key each, and end in time."""

import time
from collections.abc import Sequence
from typing import Any

from domain.errors import StoreUnavailable
from feature_store import keys
from feature_store.chosen import Chosen
from feature_store.opening import open_store
from feature_store.redis.chosen import RedisChosen
from feature_store.redis.script_files import Script
from feature_store.redis.server import Argument, Call, Server
from feature_store.redis.store import RedisStore
from feature_store.store import StoreSettings
from tests.feature_store.servers import RunningServer, wait_for

ONE = Chosen("d1", 1_760_000_000_000, "home", 1, (1.0,), (5, 6))
HOUR = 3_600_000


async def test_the_server_forgets_both_in_time(server: RunningServer) -> None:
    store = await open_store(StoreSettings(), url=server.url)
    assert isinstance(store, RedisStore)
    client = server.client()
    await store.chosen.put([ONE], HOUR)
    assert await store.chosen.mark([("d1", 3), ("d1", 3)], HOUR) == [True, False]
    for name in (keys.chosen("d1", 64), keys.rewarded("d1", 64)):
        left = client.pttl(name)
        assert isinstance(left, int)
        assert HOUR - 60_000 < left <= HOUR
    await store.chosen.put([ONE._replace(decision="d2")], 30)
    assert await store.chosen.mark([("d2", 0)], 30) == [True]
    started = time.monotonic()
    names = [keys.chosen("d2", 64), keys.rewarded("d2", 64)]
    wait_for(lambda: not any(client.exists(name) for name in names))
    assert time.monotonic() - started < 5
    assert await store.chosen.get(["d2", "d1"]) == [None, ONE]
    await store.close()


class Dying:
    """A server that answers one exchange and is not heard of again."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.exchanges = 0

    async def call_all(self, commands: Sequence[Sequence[Argument]]) -> list[Any]:
        self._once()
        return await self._server.call_all(commands)

    async def run(self, script: Script, calls: Sequence[Call]) -> list[Any]:
        self._once()
        return await self._server.run(script, calls)

    def _once(self) -> None:
        self.exchanges += 1
        if self.exchanges > 1:
            raise StoreUnavailable("gone")


async def test_a_mark_never_stands_without_a_time_to_live(server: RunningServer) -> None:
    store = await open_store(StoreSettings(), url=server.url)
    assert isinstance(store, RedisStore)
    assert isinstance(store.chosen, RedisChosen)
    dying: Any = Dying(store.chosen._server)
    assert await RedisChosen(dying, 64).mark([("d9", 3), ("d9", 70)], HOUR) == [True, True]
    left = server.client().pttl(keys.rewarded("d9", 64))
    assert isinstance(left, int)
    assert HOUR - 60_000 < left <= HOUR
    await store.close()
