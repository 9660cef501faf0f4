"""In a server bids that were shown have a key each, and the server lets go of them in time."""

import time

from feature_store import keys
from feature_store.opening import open_store
from feature_store.redis.shown import RedisShown
from feature_store.redis.store import RedisStore
from feature_store.shown import KEPT_MS, Shown
from feature_store.store import StoreSettings
from tests.feature_store.servers import RunningServer, wait_for

BID = Shown("b1", "c1", "cr", 1_760_000_000_000, b"about")


async def test_the_server_forgets_in_time(server: RunningServer) -> None:
    store = await open_store(StoreSettings(), url=server.url)
    assert isinstance(store, RedisStore)
    client = server.client()
    await store.shown.put([BID])
    left = client.pttl(keys.shown("b1", 64))
    assert isinstance(left, int)
    assert KEPT_MS - 60_000 < left <= KEPT_MS
    assert left > 8 * 86_400_000, "an outcome may take eight days"
    brief = RedisShown(store._server, 64, kept_ms=30)
    await brief.put([BID._replace(bid="b2")])
    started = time.monotonic()
    wait_for(lambda: not client.exists(keys.shown("b2", 64)))
    assert time.monotonic() - started < 5
    assert await brief.get(["b2", "b1"]) == [None, BID]
    client.close()
    await store.close()


async def test_another_value_under_the_key_is_no_bid(server: RunningServer) -> None:
    store = await open_store(StoreSettings(), url=server.url)
    client = server.client()
    client.set(keys.shown("b1", 64), b"\x01\xff\xff")
    assert await store.shown.get(["b1"]) == [None]
    client.close()
    await store.close()
