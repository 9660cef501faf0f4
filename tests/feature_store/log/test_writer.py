"""The writer: every accepted event in the log exactly once, wherever it is killed."""

import random
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from domain.clock import FixedClock, system_clock
from domain.decisions import Decision
from domain.errors import StoreUnavailable
from domain.events import Event, Kind
from feature_store.log.drain import drain_now
from feature_store.log.files import log_files
from feature_store.log.notes import leave_note
from feature_store.log.reader import read_log
from feature_store.log.writer import Writer, WriterSettings
from feature_store.memory import MemoryStore
from feature_store.opening import open_store, open_streams
from feature_store.redis.streams import Streams
from feature_store.settings import Home
from feature_store.store import DecisionEntry, Store, StoreSettings, StreamEntry
from feature_store.trends import BLOB_NAME, parse
from tests.feature_store.log.crashing import STEPS, start
from tests.feature_store.making import T0

SETTINGS = StoreSettings(buckets=3)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


@pytest.fixture
async def store(home: Home) -> AsyncIterator[Store]:
    opened = await open_store(SETTINGS, home)
    yield opened
    await opened.close()


class Feeder:
    """Appends numbered clicks and decisions; remembers what was accepted."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.count = 0

    async def feed(self, count: int) -> None:
        """Append `count` new events in uneven batches, with repeats, and as many decisions."""
        chance = random.Random(self.count)
        fresh = [
            Event(f"e{n}", f"u{n % 11}", Kind.click, T0 + n, item="tea")
            for n in range(self.count, self.count + count)
        ]
        self.count += count
        while fresh:
            size = chance.randrange(1, 9)
            batch, fresh = fresh[:size], fresh[size:]
            await self.store.append(batch + batch[:1], T0)
            await self.store.log_decisions(
                [
                    Decision(f"d{e.event_id}", e.at, "recommend", e.entity, "m", T0, (), (), ())
                    for e in batch
                ]
            )

    def expected(self) -> list[str]:
        """Answer the ids of everything accepted so far."""
        return sorted(f"e{n}" for n in range(self.count))


def _decision_ids(home: Home) -> list[str]:
    tables = [pq.read_table(file.path, partitioning=None) for file in log_files(home.decisions)]
    return sorted(name for table in tables for name in table["decision_id"].to_pylist())


def _assert_exactly_once(home: Home, feeder: Feeder) -> None:
    streams = open_streams(SETTINGS, home)
    try:
        drain_now(streams, home)
        assert sorted(read_log(home.log, ["event_id"])["event_id"]) == feeder.expected()
        assert _decision_ids(home) == [f"d{name}" for name in feeder.expected()]
        assert not any(streams.length(bucket) for bucket in range(SETTINGS.buckets))
        trends = parse(streams.get_blob(BLOB_NAME))
        assert trends.items == ("tea",)
        assert trends.deeds is not None
        assert trends.deeds[0].tolist() == [float(feeder.count)]
        assert trends.popular.tolist() == pytest.approx([float(min(feeder.count, 11))])
    finally:
        streams.close()
    assert not list(home.log.rglob("*.tmp"))


async def test_an_idle_turn_asks_the_store_twice(home: Home) -> None:
    """Once for events and once for decisions, however many buckets there are."""
    settings = StoreSettings(buckets=64)
    store = await open_store(settings, home)
    feeder = Feeder(store)
    await feeder.feed(200)
    streams = open_streams(settings, home)
    writer = Writer(streams, home.log, home.decisions, 64, system_clock)
    writer.drain()
    asked: list[object] = []
    call = streams._do
    streams._do = lambda work: asked.append(work) or call(work)
    assert not writer.turn()
    assert len(asked) == 2
    await feeder.feed(20)
    writer.drain()
    streams.close()
    await store.close()
    assert sorted(read_log(home.log, ["event_id"])["event_id"]) == feeder.expected()


async def test_a_busy_bucket_is_read_on_in_the_same_turn(tmp_path: Path) -> None:
    memory = MemoryStore(SETTINGS)
    for n in range(100):
        await memory.append([Event(f"e{n}", "u1", Kind.click, T0, "tea")], T0)
    streams = Flaky(memory)
    streams.trims = 1
    writer = Writer(streams, tmp_path / "log", tmp_path / "d", 3, FixedClock(T0))
    assert not writer.turn()
    assert writer.events.pending_rows == 100


@pytest.mark.parametrize("step", STEPS)
async def test_killed_at_each_step_nothing_is_lost_or_doubled(
    home: Home, store: Store, step: str
) -> None:
    feeder = Feeder(store)
    for passes in (0, 3):
        await feeder.feed(60)
        process = start(home.root, SETTINGS, step, passes)
        process.join(30)
        assert process.exitcode == -9
        process.close()
    _assert_exactly_once(home, feeder)


async def test_killed_at_random_moments_nothing_is_lost_or_doubled(
    home: Home, store: Store
) -> None:
    feeder = Feeder(store)
    chance = random.Random(5)
    for _ in range(12):
        process = start(home.root, SETTINGS)
        await feeder.feed(chance.randrange(120))
        process.join(chance.random() * 0.15)
        assert process.is_alive()
        process.kill()
        process.join(10)
        process.close()
    _assert_exactly_once(home, feeder)


async def test_a_refused_disk_keeps_rows_and_the_next_turn_writes_them(
    home: Home, store: Store
) -> None:
    feeder = Feeder(store)
    await feeder.feed(30)
    refuse = [True]

    def full(name: str) -> None:
        if name == "before sync" and refuse[0]:
            raise OSError(28, "No space left on device")

    streams = open_streams(SETTINGS, home)
    now = WriterSettings(age_ms=0)
    writer = Writer(streams, home.log, home.decisions, 3, system_clock, now, step=full)
    with pytest.raises(OSError, match="No space"):
        writer.turn()
    refuse.clear()
    refuse.append(False)
    writer.turn()
    writer.flush()
    streams.close()
    _assert_exactly_once(home, feeder)


class Flaky:
    """Streams of a MemoryStore that fail when told."""

    def __init__(self, store: MemoryStore) -> None:
        self.settings = store.settings
        self.events = {bucket: list(store.streams[bucket]) for bucket in range(3)}
        self.blobs: dict[str, bytes] = {}
        self.down = 0
        self.trims = 0

    def read(self, bucket: int, after_id: str, count: int) -> list[StreamEntry]:
        if self.down > 0:
            self.down -= 1
            raise StoreUnavailable("down")
        ms, seq = (int(part) for part in after_id.split("-"))
        return [
            entry
            for entry in self.events[bucket]
            if tuple(map(int, entry.stream_id.split("-"))) > (ms, seq)
        ][:count]

    def read_new(self, after_ids: Mapping[int, str], count: int) -> dict[int, list[StreamEntry]]:
        found = {bucket: self.read(bucket, after, count) for bucket, after in after_ids.items()}
        return {bucket: entries for bucket, entries in found.items() if entries}

    def trim(self, bucket: int, up_to_id: str) -> None:
        self.trims += 1
        if self.trims == 1:
            raise StoreUnavailable("down")
        end = tuple(map(int, up_to_id.split("-")))
        held = self.events[bucket]
        self.events[bucket] = [
            entry for entry in held if tuple(map(int, entry.stream_id.split("-"))) > end
        ]

    def read_decisions(self, bucket: int, after_id: str, count: int) -> list[DecisionEntry]:
        return []

    def read_new_decisions(
        self, after_ids: Mapping[int, str], count: int
    ) -> dict[int, list[DecisionEntry]]:
        return {}

    def trim_decisions(self, bucket: int, up_to_id: str) -> None:
        raise AssertionError("there are no decisions")

    def get_blob(self, name: str) -> bytes | None:
        return self.blobs.get(name)

    def put_blob(self, name: str, value: bytes) -> None:
        self.blobs[name] = value


async def test_run_waits_out_an_outage_and_writes_what_it_holds_when_stopped(
    tmp_path: Path,
) -> None:
    memory = MemoryStore(SETTINGS)
    await memory.append([Event(f"e{n}", f"u{n}", Kind.click, T0, "tea") for n in range(20)], T0)
    streams = Flaky(memory)
    streams.down = 2
    streams.trims = 1
    clock = FixedClock(T0)
    writer = Writer(streams, tmp_path / "log", tmp_path / "decisions", 3, clock)
    pauses: list[float] = []
    writer.run(lambda: len(pauses) >= 4, pauses.append)
    assert pauses[:2] == [WriterSettings().retry_s] * 2
    assert len(read_log(tmp_path / "log", ["event_id"])) == 20


async def test_a_store_that_is_down_at_the_end_keeps_the_rest(tmp_path: Path) -> None:
    memory = MemoryStore(SETTINGS)
    await memory.append([Event(f"e{n}", f"u{n}", Kind.click, T0, "tea") for n in range(20)], T0)
    streams = Flaky(memory)
    stops = iter([False, True])
    Writer(streams, tmp_path / "log", tmp_path / "d", 3, FixedClock(T0)).run(
        lambda: next(stops), lambda seconds: None
    )
    again = Writer(streams, tmp_path / "log", tmp_path / "d", 3, FixedClock(T0))
    again.drain()
    assert len(read_log(tmp_path / "log")) == 20
    assert parse(streams.blobs[BLOB_NAME]).popular.tolist() == [20.0]


async def test_a_refused_trim_is_made_good_by_the_next_turn(tmp_path: Path) -> None:
    memory = MemoryStore(SETTINGS)
    await memory.append([Event("e", "u1", Kind.click, T0, "tea")], T0)
    streams = Flaky(memory)
    writer = Writer(
        streams,
        tmp_path / "log",
        tmp_path / "decisions",
        3,
        FixedClock(T0),
        WriterSettings(age_ms=0),
    )
    with pytest.raises(StoreUnavailable):
        writer.turn()
    writer.turn()
    assert not any(streams.events.values())
    assert len(read_log(tmp_path / "log")) == 1


async def test_rows_wait_for_size_or_age(tmp_path: Path) -> None:
    memory = MemoryStore(SETTINGS)
    await memory.append([Event(f"e{n}", "u1", Kind.click, T0, "tea") for n in range(9)], T0)
    streams = Flaky(memory)
    streams.trims = 1
    clock = FixedClock(T0)
    settings = WriterSettings(rows=10, age_ms=5_000)
    writer = Writer(streams, tmp_path / "log", tmp_path / "decisions", 3, clock, settings)
    writer.turn()
    assert writer.events.pending_rows == 9
    clock.advance(4_999)
    writer.turn()
    assert not list(log_files(tmp_path / "log"))
    clock.advance(1)
    writer.turn()
    assert writer.events.pending_rows == 0
    assert len(read_log(tmp_path / "log")) == 9


async def test_the_fullest_bucket_is_written_when_too_much_is_held(tmp_path: Path) -> None:
    memory = MemoryStore(SETTINGS)
    for n in range(40):
        await memory.append([Event(f"e{n}", f"u{n % 5}", Kind.click, T0, "tea")], T0)
    streams = Flaky(memory)
    streams.trims = 1
    settings = WriterSettings(held=15)
    writer = Writer(streams, tmp_path / "log", tmp_path / "d", 3, FixedClock(T0), settings)
    writer.turn()
    assert writer.events.pending_rows < 15
    assert len(read_log(tmp_path / "log")) == 40 - writer.events.pending_rows


async def test_a_note_makes_a_running_writer_write_at_once(tmp_path: Path) -> None:
    memory = MemoryStore(SETTINGS)
    await memory.append([Event("e", "u1", Kind.click, T0, "tea")], T0)
    streams = Flaky(memory)
    streams.trims = 1
    log = tmp_path / "log"
    writer = Writer(streams, log, tmp_path / "d", 3, FixedClock(T0))
    note = leave_note(log)
    seen: list[int] = []

    def stopped() -> bool:
        seen.append(len(list(log_files(log))))
        return len(seen) == 2

    writer.run(stopped, lambda seconds: None)
    assert seen == [0, 1]
    assert not note.exists()


async def test_unreadable_trends_are_counted_afresh(home: Home, store: Store) -> None:
    await store.put_blob(BLOB_NAME, b"rubbish")
    feeder = Feeder(store)
    await feeder.feed(5)
    _assert_exactly_once(home, feeder)


def test_streams_of_the_store_are_what_the_writer_asks_for() -> None:
    streams: Streams = Streams("redis://127.0.0.1:1", SETTINGS)
    with pytest.raises(StoreUnavailable):
        Writer(streams, Path("log"), Path("decisions"), 3, system_clock)


async def test_one_user_does_not_lead_however_often_the_writer_begins_anew(
    home: Home, store: Store
) -> None:
    """Each writer learns from the files and the streams who has counted already."""
    crowd = [Event(f"c{n}", f"u{n}", Kind.click, T0, item="tea") for n in range(5)]
    await store.append(crowd, T0)
    streams = open_streams(SETTINGS, home)
    for first in range(0, 400, 50):
        some = range(first, first + 50)
        await store.append(
            [Event(f"e{n}", "umallory", Kind.purchase, T0 + n, item="mine") for n in some], T0
        )
        writer = Writer(streams, home.log, home.decisions, SETTINGS.buckets, system_clock)
        while writer.turn():
            pass
        if first % 100:
            writer.flush()
        else:
            # As if killed: counted and published, but still on the stream.
            writer._publish()
    trends = parse(streams.get_blob(BLOB_NAME))
    streams.close()
    shown = dict(zip(trends.items, trends.rising[0].tolist(), strict=True))
    summed = dict(zip(trends.items, trends.trending[0].tolist(), strict=True))
    assert trends.deeds is not None
    assert trends.deeds.sum(axis=1).tolist() == [5.0, 400.0]
    assert summed["mine"] == pytest.approx(5.0, rel=0.01)
    assert shown["mine"] == 0
    assert shown["tea"] == pytest.approx(4.0, rel=0.01)
