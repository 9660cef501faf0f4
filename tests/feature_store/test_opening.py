import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from domain.errors import StoreMisconfigured
from domain.events import Event, Kind
from feature_store.opening import open_store, open_streams
from feature_store.redis.cluster import Cluster
from feature_store.redis.server import Single
from feature_store.redis.store import RedisStore
from feature_store.settings import Home
from feature_store.store import StoreSettings
from tests.feature_store.servers import RunningServer

NOW = 1_700_000_000_000
SETTINGS = StoreSettings(buckets=2)


async def test_the_environment_says_where(
    monkeypatch: pytest.MonkeyPatch, servers: Callable[[str], RunningServer]
) -> None:
    server = servers("valkey")
    server.empty()
    monkeypatch.setenv("REDIS_URL", server.url)
    monkeypatch.setenv("SANDERLING_BUCKETS", "2")
    store = await open_store()
    assert store.settings.buckets == 2
    await store.append([Event("e1", "uada", Kind.click, NOW)], NOW)
    await store.close()
    streams = open_streams()
    assert sum(streams.length(bucket) for bucket in range(2)) == 1
    streams.close()


async def test_a_home_means_the_embedded_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://nobody.invalid")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        home = Home(Path(folder))
        store = await open_store(SETTINGS, home)
        await store.append([Event("e1", "uada", Kind.click, NOW)], NOW)
        streams = open_streams(SETTINGS, home)
        await store.close()
        # The streams hold the server too: it does not go with the store.
        assert sum(streams.length(bucket) for bucket in range(2)) == 1
        streams.close()
        streams.close()


@pytest.mark.parametrize(("shape", "kind"), [("valkey", Single), ("cluster", Cluster)])
async def test_a_cluster_is_recognised(
    servers: Callable[[str], RunningServer], shape: str, kind: type
) -> None:
    server = servers(shape)
    server.empty()
    settings = StoreSettings(buckets=8) if shape == "cluster" else SETTINGS
    store = await open_store(settings, url=server.url)
    assert isinstance(store, RedisStore)
    assert isinstance(store._server, kind)
    await store.close()


async def test_a_bad_url_is_refused() -> None:
    with pytest.raises(StoreMisconfigured):
        await open_store(SETTINGS, url="nonsense")
    with pytest.raises(StoreMisconfigured):
        open_streams(SETTINGS, url="nonsense")
