import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from domain.decisions import Decision
from domain.errors import StoreMisconfigured, StoreUnavailable
from domain.events import Event, Kind
from domain.ids import bucket_of, hash64
from domain.scores import Score
from domain.users import Profile
from feature_store.opening import open_store
from feature_store.records import LINK_KIND, RECORD, pack_payload, pack_record, unpack_payload
from feature_store.redis.streams import Streams, after, split_payloads
from feature_store.store import StoreSettings, StreamEntry
from tests.feature_store.servers import (
    DEADLINE_SECONDS,
    RunningServer,
    serving_cluster,
)

NOW = 1_700_000_000_000
SETTINGS = StoreSettings(buckets=3)
BUCKET = bucket_of("uada", 3)


async def fill(url: str, batches: int = 5) -> list[Event]:
    store = await open_store(SETTINGS, url=url)
    made = [Event(f"e{n}", "uada", Kind.click, NOW + n) for n in range(3 * batches)]
    for start in range(0, len(made), 3):
        await store.append(made[start : start + 3], NOW)
    await store.put_profile("ada", Profile(attributes={"level": "gold"}))
    await store.put_scores({"ubob": {"churn": Score(0.5, 0.5, NOW)}})
    await store.close()
    return made


def check_reading(url: str, made: list[Event]) -> None:
    streams = Streams(url, SETTINGS)
    entries = streams.read(BUCKET, "", 100)
    assert b"".join(entry.records for entry in entries) == b"".join(map(pack_record, made))
    assert [text for entry in entries for text in entry.payloads] == list(map(pack_payload, made))
    assert streams.length(BUCKET) == len(entries) == 5
    assert streams.read(BUCKET, "", 2) == entries[:2]
    assert streams.read(BUCKET, entries[1].stream_id, 100) == entries[2:]
    assert streams.read(BUCKET, entries[-1].stream_id, 100) == []
    check_reading_all(streams, entries)
    check_states(streams, made)
    assert streams.trim(BUCKET, entries[1].stream_id) == 2
    assert streams.trim(BUCKET, entries[1].stream_id) == 0
    assert streams.read(BUCKET, "", 100) == entries[2:]
    streams.put_blob("cursor", b"\x01")
    assert streams.get_blob("cursor") == b"\x01"
    assert streams.get_blob("other") is None
    streams.close()


def check_states(streams: Streams, made: list[Event]) -> None:
    for histories in (True, False):
        ada, bob, nobody = streams.read_states(["uada", "ubob", "unobody"], histories)
        assert len(ada.records) == len(made) * histories
        assert ada.profile is not None
        assert ada.profile.attributes == {"level": "gold"}
        assert (bob.profile, bob.scores["churn"].probability) == (None, 0.5)
        assert not nobody.found
    assert streams.read_states([], True) == []


def check_reading_all(streams: Streams, entries: list[StreamEntry]) -> None:
    everywhere = dict.fromkeys(range(SETTINGS.buckets), "")
    assert streams.read_new(everywhere, 100) == {BUCKET: entries}
    assert streams.read_new(everywhere, 2) == {BUCKET: entries[:2]}
    after_some = dict.fromkeys(everywhere, "0-0") | {BUCKET: entries[1].stream_id}
    assert streams.read_new(after_some, 100) == {BUCKET: entries[2:]}
    assert streams.read_new({BUCKET: entries[-1].stream_id}, 100) == {}
    assert streams.read_new({}, 100) == {}
    assert streams.read_new_decisions(everywhere, 100) == {}


async def test_all_buckets_are_read_in_one_command(server: RunningServer) -> None:
    many = StoreSettings(buckets=64)
    store = await open_store(many, url=server.url)
    made = [Event(f"e{n}", f"u{n}", Kind.click, NOW + n) for n in range(300)]
    await store.append(made, NOW)
    owners = [f"u{n}" for n in range(40)]
    for owner in owners:
        await store.log_decisions([Decision(owner, NOW, "recommend", owner, "m", NOW, (), (), ())])
    await store.close()
    streams = Streams(server.url, many)
    client = server.client()
    client.config_resetstat()
    everywhere = dict.fromkeys(range(64), "0-0")
    events = streams.read_new(everywhere, 10)
    decisions = streams.read_new_decisions(everywhere, 10)
    assert client.info("commandstats")["cmdstat_xread"]["calls"] == 2
    assert "cmdstat_xrange" not in client.info("commandstats")
    client.close()
    found = {bucket: len(entry.payloads) for bucket, (entry,) in events.items()}
    expected = Counter(bucket_of(f"u{n}", 64) for n in range(300))
    assert found == expected
    told = [one for some in decisions.values() for entry in some for one in entry.decisions]
    assert sorted(one.decision_id for one in told) == sorted(owners)
    streams.close()


async def test_entries_are_read_and_trimmed_in_order(server: RunningServer) -> None:
    check_reading(server.url, await fill(server.url))


async def test_the_same_on_a_cluster(tmp_path: Path) -> None:
    with serving_cluster(tmp_path) as server:
        made = await fill(server.url)
        before = open_sockets()
        check_reading(server.url, made)
        assert open_sockets() <= before


def open_sockets() -> int:
    """Answer how many sockets this process holds open (0 where that cannot be told)."""
    folder = Path("/proc/self/fd")
    return sum("socket:" in target(each) for each in folder.iterdir()) if folder.is_dir() else 0


def target(descriptor: Path) -> str:
    try:
        return str(descriptor.readlink())
    except FileNotFoundError:
        return ""


async def test_a_link_is_a_row(server: RunningServer) -> None:
    store = await open_store(SETTINGS, url=server.url)
    await store.identify("cart", "ada", NOW)
    await store.close()
    streams = Streams(server.url, SETTINGS)
    (entry,) = streams.read(BUCKET, "", 10)
    streams.close()
    (record,) = np.frombuffer(entry.records, RECORD)
    assert (record["kind"], record["at"], record["event"]) == (LINK_KIND, NOW, hash64("scart"))
    texts = unpack_payload(entry.payloads[0])
    assert (texts[0], texts[1], texts[7]) == ("", "uada", "cart")


async def test_decisions_are_read_and_trimmed(server: RunningServer) -> None:
    store = await open_store(SETTINGS, url=server.url)
    made = [
        Decision(f"d{n}", NOW, "recommend", "uada", "m", NOW, ("a",), (0.5,), (1.0,))
        for n in range(4)
    ]
    await store.log_decisions(made[:3])
    await store.log_decisions(made[3:])
    await store.close()
    streams = Streams(server.url, SETTINGS)
    entries = streams.read_decisions(BUCKET, "", 10)
    assert [entry.decisions for entry in entries] == [made[:3], made[3:]]
    assert streams.trim_decisions(BUCKET, entries[0].stream_id) == 1
    assert streams.read_decisions(BUCKET, "", 10) == entries[1:]
    streams.close()


async def test_a_dead_server_is_unavailable_until_it_returns(server: RunningServer) -> None:
    await fill(server.url)
    revived: list[int] = []
    streams = Streams(server.url, SETTINGS, revive=lambda: revived.append(1))
    assert streams.length(BUCKET) == 5
    server.kill()
    with pytest.raises(StoreUnavailable):
        streams.length(BUCKET)
    server.start()
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        try:
            assert streams.length(BUCKET) == 5
            break
        except StoreUnavailable:
            continue
    assert len(revived) >= 2
    streams.close()


def test_a_bad_url_is_refused_at_once() -> None:
    with pytest.raises(StoreMisconfigured):
        Streams("nonsense", SETTINGS)


def test_small_matters() -> None:
    assert after("5-3") == "5-4"
    assert after("5") == "5-1"
    assert split_payloads(b"") == []
