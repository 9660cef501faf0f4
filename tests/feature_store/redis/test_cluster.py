import asyncio
import contextlib
import time
from collections.abc import Iterator

import pytest

from domain.errors import StoreMisconfigured, StoreUnavailable
from feature_store.opening import open_store
from feature_store.redis.cluster import Cluster
from feature_store.redis.script_files import COMPARE_AND_SET
from feature_store.store import StoreSettings
from tests.feature_store.servers import DEADLINE_SECONDS, RunningServer, free_port, serving_cluster


@pytest.fixture(scope="module")
def cluster_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with serving_cluster(tmp_path_factory.mktemp("c")) as running:
        yield running


async def test_keys_of_every_node_in_one_read(cluster_server: RunningServer) -> None:
    cluster = Cluster(cluster_server.url, 5.0)
    await cluster.start()
    names = [f"k{{{number}}}" for number in range(100)]
    await cluster.call_all([("SET", name, name) for name in names])
    values = await cluster.mget([*names, "missing{1}"])
    assert values == [*[name.encode() for name in names], None]
    assert len(await cluster.infos()) == 3
    await cluster.close()


async def test_scripts_reach_every_node(cluster_server: RunningServer) -> None:
    cluster = Cluster(cluster_server.url, 5.0)
    await cluster.start()
    calls = [([f"n{{{number}}}"], [b"", b"v", 60_000]) for number in range(30)]
    assert await cluster.run(COMPARE_AND_SET, calls) == [b""] * 30
    assert await cluster.run(COMPARE_AND_SET, calls) == [b"v"] * 30
    await cluster.close()


async def test_error_replies_keep_ids_to_themselves(cluster_server: RunningServer) -> None:
    cluster = Cluster(cluster_server.url, 5.0)
    await cluster.start()
    await cluster.call("SET", "text{1}", "x")
    with pytest.raises(StoreUnavailable) as failed:
        await cluster.call("INCR", "text{1}")
    assert "text" not in str(failed.value)
    await cluster.close()


async def test_the_check_looks_at_every_node(cluster_server: RunningServer) -> None:
    cluster = Cluster(cluster_server.url, 5.0)
    await cluster.start()
    node = cluster._client.get_primaries()[2]
    await cluster._client.execute_command(
        "CONFIG SET", "maxmemory-policy", "allkeys-lru", target_nodes=node
    )
    try:
        with pytest.raises(StoreMisconfigured, match="noeviction"):
            await open_store(StoreSettings(), url=cluster_server.url)
    finally:
        await cluster._client.execute_command(
            "CONFIG SET", "maxmemory-policy", "noeviction", target_nodes=node
        )
    await cluster.close()


async def test_callers_of_a_silent_node_are_sent_away_in_time(
    cluster_server: RunningServer,
) -> None:
    cluster = Cluster(cluster_server.url, 5.0, 0.4)
    await cluster.start()
    names = [f"w{{{number}}}" for number in range(60)]
    calls = [("SET", name, name) for name in names]
    await cluster.call_all(calls)
    cluster_server.pause()
    try:
        started = time.monotonic()
        with pytest.raises(StoreUnavailable):
            await cluster.call_all(calls)
        assert 0.4 <= time.monotonic() - started < 1.5
    finally:
        cluster_server.resume()
    async with asyncio.timeout(DEADLINE_SECONDS):
        while True:
            with contextlib.suppress(StoreUnavailable):
                assert await cluster.mget(names) == [name.encode() for name in names]
                break
    await cluster.close()


async def test_nobody_listens() -> None:
    cluster = Cluster(f"redis://127.0.0.1:{free_port()}", 0.5)
    with pytest.raises(StoreUnavailable):
        await asyncio.wait_for(cluster.start(), 20)
    await cluster.close()
