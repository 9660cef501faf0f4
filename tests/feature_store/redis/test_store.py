import asyncio
import struct
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from domain.errors import StoreUnavailable
from domain.events import Event, Kind
from domain.ids import bucket_of
from domain.scores import Score
from domain.users import Profile
from feature_store import keys
from feature_store.opening import open_store
from feature_store.records import H_COUNT, HEADER_BYTES, LINK_KIND, RECORD_BYTES
from feature_store.redis import script_files as scripts
from feature_store.redis.connection import Limits
from feature_store.redis.script_files import Script
from feature_store.redis.server import Call, Server
from feature_store.redis.store import RedisStore
from feature_store.redis.streams import Streams
from feature_store.store import SLACK, SPARE, Appended, StoreSettings
from tests.feature_store.servers import DEADLINE_SECONDS, RunningServer

NOW = 1_700_000_000_000
DAY = 86_400_000
SETTINGS = StoreSettings(buckets=4, history_cap=32, remember=600)


def event(number: int, entity: str = "uada", **fields: Any) -> Event:
    return Event(f"e{number}", entity, Kind.click, NOW + number)._replace(**fields)


@pytest.fixture
async def store(server: RunningServer) -> AsyncIterator[RedisStore]:
    opened = await open_store(SETTINGS, url=server.url)
    assert isinstance(opened, RedisStore)
    yield opened
    await opened.close()


async def test_a_user_takes_the_documented_bytes(store: RedisStore, server: RunningServer) -> None:
    """A header and a record an event, up to cap + SLACK; 8 bytes an id, up to remember + 512."""
    bucket = bucket_of("uada", SETTINGS.buckets)
    history, forgotten = keys.history(bucket, "uada"), keys.forgotten(bucket, "uada")
    client = server.client()
    sizes = []
    for number in range(1, 2_000):
        await store.append([event(number)], NOW)
        if number <= SETTINGS.history_cap + SLACK:
            assert client.strlen(history) == HEADER_BYTES + number * RECORD_BYTES
        sizes.append((client.strlen(history) - HEADER_BYTES) / RECORD_BYTES)
        assert client.strlen(forgotten) <= 8 * (SETTINGS.remember + 512)
    assert max(sizes) == SETTINGS.history_cap + SLACK
    assert min(sizes[SETTINGS.history_cap + SLACK :]) == SETTINGS.history_cap + SPARE
    # Nothing else grows with a user; a string that grows is given up to twice its room.
    for key in (history, forgotten):
        assert client.memory_usage(key) <= 2 * client.strlen(key) + 200
    client.close()


async def test_one_entry_on_the_stream_a_bucket_and_call(
    store: RedisStore, server: RunningServer
) -> None:
    made = [event(number, f"u{number % 10}") for number in range(100)]
    await store.append(made, NOW)
    used = {bucket_of(one.entity, SETTINGS.buckets) for one in made}
    streams = Streams(server.url, SETTINGS)
    assert [len(streams.read(bucket, "", 10)) for bucket in range(4)] == [
        int(bucket in used) for bucket in range(4)
    ]
    streams.close()


async def test_time_to_live_is_set_and_renewed_once_a_day(
    store: RedisStore, server: RunningServer
) -> None:
    bucket = bucket_of("uada", SETTINGS.buckets)
    names = [keys.history(bucket, "uada"), keys.profile(bucket, "uada")]
    client = server.client()
    await store.put_profile("ada", Profile())
    await store.append([event(0)], NOW)
    for name in names:
        assert SETTINGS.ttl_ms - 60_000 < client.pttl(name) <= SETTINGS.ttl_ms
        client.pexpire(name, 1_000_000)
    await store.append([event(1)], NOW + DAY - 1)
    assert [client.pttl(name) <= 1_000_000 for name in names] == [True, True]
    for number in range(2, 200):
        await store.append([event(number)], NOW + DAY)
    assert all(client.pttl(name) <= 1_000_000 for name in names)
    names.append(keys.forgotten(bucket, "uada"))
    client.pexpire(names[2], 1_000_000)
    await store.append([event(200)], NOW + DAY + 1)
    assert all(client.pttl(name) > SETTINGS.ttl_ms - 60_000 for name in names)
    client.close()


async def test_scores_live_for_a_while_after_the_last(
    store: RedisStore, server: RunningServer
) -> None:
    name = keys.scores(bucket_of("uada", SETTINGS.buckets), "uada")
    client = server.client()
    await store.put_scores({"uada": {"churn": Score(0.5, 1.0, NOW)}})
    assert SETTINGS.scores_ttl_ms - 60_000 < client.pttl(name) <= SETTINGS.scores_ttl_ms
    client.pexpire(name, 1_000_000)
    # One that comes too late renews nothing.
    await store.put_scores({"uada": {"churn": Score(0.5, 1.0, NOW - 1)}})
    assert client.pttl(name) <= 1_000_000
    await store.put_scores({"uada": {"intent": Score(0.5, 1.0, NOW)}})
    assert client.pttl(name) > SETTINGS.scores_ttl_ms - 60_000
    assert client.strlen(name) < 150
    client.close()


async def test_no_score_of_a_session_outlives_its_identification(
    store: RedisStore, server: RunningServer
) -> None:
    name = keys.scores(bucket_of("scart", SETTINGS.buckets), "scart")
    await store.put_scores({"scart": {"intent": Score(0.5, 1.0, NOW)}})
    await store.identify("cart", "ada", NOW)
    client = server.client()
    assert not client.exists(name)
    client.close()


class Crashing:
    """A server that dies, for its caller, after a number of script runs."""

    def __init__(self, server: Server, runs: int) -> None:
        self._server = server
        self._left = runs

    async def run(self, script: Script, calls: Sequence[Call]) -> list[Any]:
        if self._left == 0:
            raise StoreUnavailable("crashed")
        self._left -= 1
        return await self._server.run(script, calls)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._server, name)


@pytest.mark.parametrize("runs", [1, 2])
@pytest.mark.parametrize("mend", ["identify", "append", "read"])
async def test_an_identification_cut_short_is_mended(
    store: RedisStore, server: RunningServer, runs: int, mend: str
) -> None:
    await store.append([event(number, "scart") for number in range(10)], NOW)
    crashing = RedisStore(Crashing(store._server, runs), SETTINGS)
    with pytest.raises(StoreUnavailable):
        await crashing.identify("cart", "ada", NOW)
    if mend == "identify":
        await store.identify("cart", "ada", NOW)
    elif mend == "append":
        assert await store.append([event(3, "scart")], NOW) == [Appended.duplicate]
    else:
        assert len((await store.read(["uada", "scart"])).states[1].records) == 10
    user, session = (await store.read(["uada", "scart"])).states
    assert session.linked_user == "ada"
    assert user.lifetime[H_COUNT + Kind.click] == 10
    assert len(user.records) == 10
    streams = Streams(server.url, SETTINGS)
    kinds = [
        struct.unpack_from("B", entry.records, place * RECORD_BYTES + 52)[0]
        for bucket in range(4)
        for entry in streams.read(bucket, "", 100)
        for place in range(len(entry.payloads))
    ]
    streams.close()
    assert kinds.count(LINK_KIND) == 1
    assert len(kinds) == 11
    bucket = bucket_of("scart", SETTINGS.buckets)
    client = server.client()
    assert client.exists(keys.history(bucket, "scart")) == 0
    client.close()


GARBLED = [b"", b"x", b"x" * 271, b"x" * 300, b"x" * (272 + 56 * 70 + 1)]
"""What no release ever wrote: shorter than a header, or with half a record."""


@pytest.mark.parametrize("garbled", GARBLED)
@pytest.mark.parametrize("count", [1, 3])
async def test_a_garbled_history_costs_no_neighbour_and_is_mended(
    store: RedisStore, server: RunningServer, garbled: bytes, count: int
) -> None:
    names = [f"u{n}" for n in range(40)]
    bad = [name for name in names if bucket_of(name, 4) == 0][1]
    client = server.client()
    client.set(keys.history(0, bad), garbled)
    client.close()
    made = [event(n, name, event_id=f"{name}-{n}") for name in names for n in range(count)]
    # Late ones of the same entities come with them, so that no short way is taken.
    for batch in (made[::-1], [event(-5, name, event_id=f"{name}-l") for name in names]):
        assert all(await store.append(batch, NOW))
        assert not any(await store.append(batch, NOW))
    states = (await store.read(names)).states
    assert [len(state.records) for state in states] == [count + 1] * len(names)
    streams = Streams(server.url, SETTINGS)
    logged = [len(one.payloads) for bucket in range(4) for one in streams.read(bucket, "", 100)]
    streams.close()
    assert sum(logged) == len(names) * (count + 1)


@pytest.mark.parametrize("garbled", GARBLED[1:])
@pytest.mark.parametrize("entity", ["uada", "scart"])
async def test_a_garbled_history_does_not_stop_an_identification(
    store: RedisStore, server: RunningServer, garbled: bytes, entity: str
) -> None:
    other = {"uada": "scart", "scart": "uada"}[entity]
    await store.append([event(1, other), event(2, other)], NOW)
    client = server.client()
    client.set(keys.history(bucket_of(entity, 4), entity), garbled)
    client.close()
    assert await store.identify("cart", "ada", NOW) == (2 if entity == "uada" else 0)
    assert await store.identify("cart", "ada", NOW) == 0
    user, session = (await store.read(["uada", "scart"])).states
    assert (len(user.records), session.linked_user) == (2, "ada")


async def test_what_was_acknowledged_survives_kill_9(server: RunningServer) -> None:
    store = await open_store(SETTINGS, url=server.url, limits=Limits(last_delay=0.05))
    acknowledged: list[int] = []
    enough = asyncio.Event()

    async def send(start: int) -> None:
        for number in range(start, start + 4_000, 20):
            batch = [event(n, f"u{n % 50}") for n in range(number, number + 20)]
            try:
                answers = await store.append(batch, NOW)
            except StoreUnavailable:
                return
            assert all(answers)
            acknowledged.extend(range(number, number + 20))
            if len(acknowledged) >= 2_000:
                enough.set()

    async def kill() -> None:
        await enough.wait()
        server.kill()

    await asyncio.gather(kill(), *[send(100_000 * n) for n in range(8)])
    assert len(acknowledged) >= 2_000
    with pytest.raises(StoreUnavailable):
        await store.read(["uada"])
    await asyncio.to_thread(server.start)
    async with asyncio.timeout(DEADLINE_SECONDS):
        while True:
            try:
                await store.ping()
                break
            except StoreUnavailable:
                await asyncio.sleep(0.01)
    again = [event(n, f"u{n % 50}") for n in acknowledged]
    for start in range(0, len(again), 1_000):
        assert not any(await store.append(again[start : start + 1_000], NOW))
    await store.close()


async def test_scripts_never_leave_their_bucket(store: RedisStore) -> None:
    seen: list[set[str]] = []

    class Watching(Crashing):
        async def run(self, script: Script, calls: Sequence[Call]) -> list[Any]:
            for names, _ in calls:
                seen.append({name[name.index("{") : name.index("}")] for name in names})
            return await super().run(script, calls)

    watching = RedisStore(Watching(store._server, -1), SETTINGS)
    await watching.append([event(n, f"u{n}") for n in range(40)], NOW)
    await watching.append([event(n, f"s{n}") for n in range(40)], NOW)
    for number in range(10):
        await watching.identify(str(number), f"x{number}", NOW)
    await watching.patch_profile("ada", NOW, {"a": 1})
    assert all(len(tags) == 1 for tags in seen)
    assert scripts.APPEND.name == "append"
