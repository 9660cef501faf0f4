import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from domain.errors import StoreMisconfigured, StoreUnavailable
from domain.events import Event, Kind
from feature_store.opening import open_store
from feature_store.redis import keeper
from feature_store.redis.embedded import Embedded
from feature_store.settings import Home
from feature_store.store import StoreSettings
from tests.feature_store.servers import DEADLINE_SECONDS, wait_for

NOW = 1_700_000_000_000
SETTINGS = StoreSettings(buckets=4)
ROOT = Path(__file__).resolve().parents[3]
USER = """
import sys
from pathlib import Path
from feature_store.redis.embedded import Embedded
joined = Embedded(Path(sys.argv[1]))
joined.ensure_running()
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def home() -> Iterator[Home]:
    """A short place, so that the socket lies beside the data."""
    with tempfile.TemporaryDirectory(prefix="sd", dir="/tmp") as folder:
        home = Home(Path(folder))
        yield home
        wait_for(lambda: stopped(home))


def stopped(home: Home) -> bool:
    """Tell whether neither a server nor a keeper is left."""
    if not home.valkey.exists():
        return True
    for name in (keeper.SERVER, keeper.KEEPER, keeper.LEASE):
        held = keeper.lock(home.valkey / name, 6)
        if held is None:
            return False
        os.close(held)
    return True


def server_pid(embedded: Embedded) -> int:
    """Answer the server's process id, 0 when it does not answer."""
    with contextlib.closing(redis.Redis.from_url(embedded.url)) as client:
        try:
            return int(client.info("server")["process_id"])
        except redis.exceptions.ConnectionError:
            return 0


def parent_of(pid: int) -> int:
    status = subprocess.run(
        ["ps", "-o", "ppid=", "-p", str(pid)], check=True, capture_output=True, text=True
    )
    return int(status.stdout)


@contextlib.contextmanager
def user_process(home: Home) -> Iterator["subprocess.Popen[bytes]"]:
    with subprocess.Popen(
        [sys.executable, "-c", USER, str(home.valkey)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


async def test_what_was_written_is_there_the_next_time(home: Home) -> None:
    store = await open_store(SETTINGS, home)
    await store.append([Event("e1", "uada", Kind.click, NOW)], NOW)
    await store.close()
    wait_for(lambda: stopped(home))
    store = await open_store(SETTINGS, home)
    assert len((await store.read(["uada"])).states[0].records) == 1
    await store.close()


def test_its_settings_keep_every_acknowledged_event(home: Home) -> None:
    joined = Embedded(home.valkey)
    joined.ensure_running()
    with contextlib.closing(redis.Redis.from_url(joined.url)) as client:
        told = client.config_get("append*", "maxmemory-policy", "save", "port", "dir")
    joined.close()
    assert told["appendonly"] == "yes"
    assert told["appendfsync"] == "always"
    assert (told["maxmemory-policy"], told["save"], told["port"]) == ("noeviction", "", "0")
    assert Path(told["dir"]).resolve() == home.valkey.resolve()


def test_a_server_is_shared_and_goes_with_its_last_user(home: Home) -> None:
    one, two = Embedded(home.valkey), Embedded(home.valkey)
    one.ensure_running()
    pid = server_pid(one)
    two.ensure_running()
    assert server_pid(two) == pid
    one.close()
    one.close()
    assert server_pid(two) == pid
    two.close()
    wait_for(lambda: stopped(home))
    assert not Path(two.path).exists()


def test_many_that_start_at_once_start_one_server(home: Home) -> None:
    with contextlib.ExitStack() as stack:
        users = [stack.enter_context(user_process(home)) for _ in range(6)]
        for user in users:
            assert user.stdout is not None
            assert user.stdout.readline() == b"ready\n"
        log = (home.valkey / "server.log").read_text()
        assert log.count("Ready to accept connections") == 1


def test_users_that_die_by_sigkill_leave_nothing_behind(home: Home) -> None:
    with user_process(home) as one, user_process(home) as two:
        for user in (one, two):
            assert user.stdout is not None
            assert user.stdout.readline() == b"ready\n"
        one.kill()
        one.wait()
        joined = Embedded(home.valkey)
        assert server_pid(joined) > 0
        joined.close()
        two.kill()
        two.wait()
        wait_for(lambda: stopped(home))


async def until_back(store: object) -> None:
    async with asyncio.timeout(DEADLINE_SECONDS):
        while True:
            try:
                await store.ping()  # type: ignore[attr-defined]
                return
            except StoreUnavailable:
                await asyncio.sleep(0.01)


@pytest.mark.parametrize("victim", ["server", "keeper", "both"])
async def test_a_killed_server_or_keeper_comes_back_with_the_data(home: Home, victim: str) -> None:
    store = await open_store(SETTINGS, home)
    await store.append([Event("e1", "uada", Kind.click, NOW)], NOW)
    watching = Embedded(home.valkey)
    server = server_pid(watching)
    parent = parent_of(server)
    if victim in ("keeper", "both"):
        os.kill(parent, signal.SIGKILL)
    if victim in ("server", "both"):
        os.kill(server, signal.SIGKILL)
    if victim == "keeper" and sys.platform != "linux":
        # The server stays, and the next keeper takes it over.
        os.kill(server, signal.SIGKILL)
    wait_for(lambda: server_pid(watching) != server)
    await until_back(store)
    assert server_pid(watching) != server
    assert len((await store.read(["uada"])).states[0].records) == 1
    assert not any(await store.append([Event("e1", "uada", Kind.click, NOW)], NOW))
    watching.close()
    await store.close()


def test_a_stale_socket_is_no_obstacle(home: Home) -> None:
    home.valkey.mkdir(parents=True)
    (home.valkey / "valkey.sock").write_text("left behind")
    joined = Embedded(home.valkey)
    joined.ensure_running()
    assert server_pid(joined) > 0
    joined.close()


def test_a_long_path_gets_a_short_socket(home: Home) -> None:
    deep = Home(home.root / ("long" * 30))
    one = Embedded(deep.valkey)
    assert len(os.fsencode(one.path)) <= 100
    assert not one.path.startswith(str(deep.root))
    one.ensure_running()
    two = Embedded(deep.valkey)
    assert (two.path, server_pid(two)) == (one.path, server_pid(one))
    assert Path(one.path).parent.stat().st_mode & 0o077 == 0
    one.close()
    two.close()
    wait_for(lambda: stopped(deep))


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(StoreMisconfigured, match="SANDERLING_HOME"):
        Embedded(blocked / "valkey")


def test_a_server_that_cannot_start_is_unavailable(home: Home) -> None:
    joined = Embedded(home.valkey)
    (home.valkey / "appendonlydir").write_text("not a directory")
    with pytest.raises(StoreUnavailable, match="see valkey/server"):
        joined.ensure_running(0.7)
    joined.close()


def test_the_keeper_needs_no_package() -> None:
    """It runs isolated: whatever it imports must be in the standard library."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import runpy; runpy.run_path({keeper.__file__!r})"],
        check=False,
        capture_output=True,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert json.dumps({}) == "{}"
