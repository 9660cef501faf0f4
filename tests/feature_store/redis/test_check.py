import logging
from pathlib import Path

import pytest

from domain.errors import StoreMisconfigured, StoreUnavailable
from feature_store.opening import open_store
from feature_store.redis.check import check_info, parse_info
from feature_store.store import StoreSettings
from tests.feature_store.servers import PASSWORD, RunningServer, free_port, serving

SETTINGS = StoreSettings(buckets=4)
GOOD = {"redis_version": "7.0.15", "maxmemory_policy": "noeviction", "aof_enabled": "1"}


def test_info_is_read() -> None:
    text = b"# Server\r\nredis_version:7.2.4\r\nexecutable:/a:b\r\n\r\n"
    assert parse_info(text) == {"redis_version": "7.2.4", "executable": "/a:b"}


def test_a_good_server_passes() -> None:
    assert check_info(GOOD | {"role": "master"}) == []


@pytest.mark.parametrize("version", ["6.2.14", "5.0.7", "x"])
def test_an_old_redis_is_refused(version: str) -> None:
    with pytest.raises(StoreMisconfigured, match=r"upgrade it to Redis 7\.0"):
        check_info(GOOD | {"redis_version": version})


def test_any_valkey_will_do() -> None:
    assert check_info(GOOD | {"redis_version": "6.2.0", "valkey_version": "7.2.5"}) == []


@pytest.mark.parametrize(
    "policy", ["allkeys-lru", "volatile-ttl", "volatile-lru", "allkeys-random"]
)
async def test_a_policy_that_evicts_is_refused(server: RunningServer, policy: str) -> None:
    client = server.client()
    client.config_set("maxmemory-policy", policy)
    client.close()
    with pytest.raises(StoreMisconfigured, match="set maxmemory-policy to noeviction") as refused:
        await open_store(SETTINGS, url=server.url)
    assert policy in str(refused.value)


async def test_a_missing_append_only_file_is_a_warning(
    server: RunningServer, caplog: pytest.LogCaptureFixture
) -> None:
    client = server.client()
    client.config_set("appendonly", "no")
    client.close()
    with caplog.at_level(logging.WARNING):
        store = await open_store(SETTINGS, url=server.url)
    assert "set appendonly to yes" in caplog.text
    await store.close()


async def test_a_replica_is_refused(server: RunningServer) -> None:
    client = server.client()
    client.execute_command("REPLICAOF", "127.0.0.1", str(free_port()))
    with pytest.raises(StoreMisconfigured, match="primary"):
        await open_store(SETTINGS, url=server.url)
    client.close()


async def test_nobody_listens() -> None:
    with pytest.raises(StoreUnavailable, match="REDIS_URL"):
        await open_store(SETTINGS, url=f"redis://127.0.0.1:{free_port()}")


@pytest.mark.parametrize("given", ["", ":wrongsecret@", "nosuchuser:wrongsecret@"])
async def test_a_wrong_password_is_named_but_not_repeated(tmp_path: Path, given: str) -> None:
    with serving(tmp_path, "--requirepass", PASSWORD, tcp=True) as server:
        with pytest.raises(StoreMisconfigured, match="password") as refused:
            await open_store(SETTINGS, url=server.url.replace("//", f"//{given}"))
        assert "wrongsecret" not in str(refused.value)
        assert PASSWORD not in str(refused.value)


@pytest.mark.parametrize(
    "rules",
    [["~other*", "+@all"], ["~*", "+@read", "+@connection", "+info"], ["~*", "+@all", "-xadd"]],
)
async def test_missing_rights_are_named(server: RunningServer, rules: list[str]) -> None:
    client = server.client()
    client.execute_command("ACL", "SETUSER", "app", "on", ">pw", *rules)
    client.close()
    with pytest.raises(StoreMisconfigured, match="right"):
        await open_store(SETTINGS, url=server.url.replace("unix://", "unix://app:pw@"))


async def test_the_buckets_are_fixed_at_first_use(server: RunningServer) -> None:
    store = await open_store(SETTINGS, url=server.url)
    await store.close()
    with pytest.raises(StoreMisconfigured, match="set SANDERLING_BUCKETS to 4"):
        await open_store(StoreSettings(buckets=8), url=server.url)
    again = await open_store(SETTINGS, url=server.url)
    await again.close()


async def test_a_store_of_another_release_is_refused(server: RunningServer) -> None:
    client = server.client()
    client.set("format{items}", "format=99 buckets=4")
    client.close()
    with pytest.raises(StoreMisconfigured, match="another release"):
        await open_store(SETTINGS, url=server.url)
