"""Pouring: all of it once, whatever is poured again, cut, mixed or broken off in the middle."""

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from domain.clock import Clock, FixedClock
from domain.errors import StoreUnavailable
from domain.events import Event, Kind
from feature_store.memory import MemoryStore
from feature_store.opening import open_store
from feature_store.records import H_COUNT
from feature_store.settings import Home
from feature_store.store import Appended, Store, StoreSettings
from training.importing import patience, pouring
from training.importing.canonical import canonical, with_event_ids
from training.importing.draining import Drain
from training.importing.landing import Landing, RejectsFile
from training.importing.pouring import SourceFrame, pour
from training.importing.readers import FAULT, ROW

NOW = 1_700_000_000_000
COLUMNS = {"user": pl.col("u"), "kind": pl.lit("click"), "item": pl.col("i"), "at": pl.col("t")}


def log_of(rows: int, users: int, seed: int = 1) -> pl.DataFrame:
    """Rows of few users, some of them identical, one in fifty without a time."""
    chance = np.random.default_rng(seed)
    return pl.DataFrame(
        {
            "u": chance.integers(0, users, rows).astype(str),
            "i": chance.integers(0, 9, rows).astype(str),
            "t": NOW - chance.integers(1, 1_000, rows) * 1_000,
        }
    ).with_columns(
        pl.when(pl.int_range(pl.len()) % 50 != 7).then("t").alias("t"),
        pl.int_range(1, rows + 1, dtype=pl.Int64).alias(ROW),
        pl.lit("").alias(FAULT),
    )


def frames(log: pl.DataFrame, size: int = 400) -> Iterator[SourceFrame]:
    parts = (log.slice(start, size) for start in range(0, log.height, size))
    for frame in with_event_ids((canonical(part, COLUMNS) for part in parts), "test"):
        yield SourceFrame("log", frame, 1)


async def clicks(store: Store, users: int) -> list[int]:
    read = await store.read([f"u{user}" for user in range(users)])
    return [int(state.lifetime[H_COUNT + Kind.click]) for state in read.states]


def expected(log: pl.DataFrame, users: int) -> list[int]:
    right = log.filter(pl.col("t").is_not_null())
    return [(right["u"] == str(user)).sum() for user in range(users)]


async def test_every_row_is_accounted_for(landing: Landing, store: MemoryStore) -> None:
    log = log_of(1_000, 5)
    told: list[int] = []
    counts = await pour(frames(log), landing, told.append)
    assert (counts.read, counts.accepted, counts.duplicates, counts.skipped) == (1_003, 980, 0, 3)
    assert counts.rejected == {"missing": 20}
    assert sum(told) == counts.read
    assert await clicks(store, 5) == expected(log, 5)


async def test_pouring_again_shuffled_and_recut_changes_nothing(
    landing: Landing, store: MemoryStore
) -> None:
    log = log_of(1_000, 5)
    await pour(frames(log), landing, id)
    before = await store.read([f"u{user}" for user in range(5)])
    again = await pour(frames(log.sample(fraction=1, shuffle=True, seed=4), 77), landing, id)
    assert (again.accepted, again.duplicates) == (0, 980)
    after = await store.read([f"u{user}" for user in range(5)])
    for old, new in zip(before.states, after.states, strict=True):
        assert old.records.tobytes() == new.records.tobytes()
        assert old.lifetime.tobytes() == new.lifetime.tobytes()


class _Failing(MemoryStore):
    """Goes away after a number of appends, like a server that is killed."""

    def __init__(self, appends: int) -> None:
        super().__init__(StoreSettings(buckets=8))
        self.left = appends

    async def append(self, events: Sequence[Event], now_ms: int) -> list[Appended]:
        self.left -= 1
        if self.left < 0:
            raise StoreUnavailable("gone")
        return await super().append(events, now_ms)


async def test_a_break_in_the_middle_is_made_good_by_a_second_run(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pouring, "APPEND_EVENTS", 50)
    monkeypatch.setattr(patience, "WAITS_S", ())
    log, store = log_of(1_000, 5), _Failing(appends=9)
    with RejectsFile(tmp_path / "rejects.csv") as rejects:
        landing = Landing(store, clock, rejects)
        with pytest.raises(StoreUnavailable):
            await pour(frames(log), landing, id)
        assert 0 < sum(await clicks(store, 5)) < 980
        store.left = 10_000
        counts = await pour(frames(log), landing, id)
    assert counts.accepted + counts.duplicates == 980
    assert await clicks(store, 5) == expected(log, 5)


async def test_users_beyond_the_history_cap_are_not_counted_twice(
    tmp_path: Path, clock: Clock
) -> None:
    store = MemoryStore(StoreSettings(history_cap=16))
    log = log_of(1_500, 2)
    with RejectsFile(tmp_path / "rejects.csv") as rejects:
        await pour(frames(log), Landing(store, clock, rejects), id)
        again = await pour(frames(log), Landing(store, clock, rejects), id)
    assert again.accepted == 0
    assert await clicks(store, 2) == expected(log, 2)


async def test_the_real_store_takes_it_just_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REDIS_URL", raising=False)
    log = log_of(4_000, 7)
    store = await open_store(StoreSettings(buckets=4, history_cap=64), Home(tmp_path))
    try:
        with RejectsFile(tmp_path / "rejects.csv") as rejects:
            landing = Landing(store, FixedClock(NOW), rejects)
            first = await pour(frames(log), landing, id)
            again = await pour(frames(log, 999), landing, id)
        assert (first.accepted, again.accepted) == (3_920, 0)
        assert await clicks(store, 7) == expected(log, 7)
    finally:
        await store.close()


async def test_drains_now_and_then_and_at_the_end(landing: Landing) -> None:
    runs: list[str] = []
    drain = Drain(lambda: runs.append("drained"), every=700)
    whole = Landing(landing.store, landing.clock, landing.rejects, drain)
    await pour(frames(log_of(2_000, 3)), whole, id)
    assert len(runs) == 3


async def test_reading_ahead_stays_two_frames_ahead_of_a_slow_store(
    landing: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory is bounded: frames are made as they are taken."""
    made: list[int] = []
    ahead: list[int] = []
    taken = 0

    def counted() -> Iterator[SourceFrame]:
        for place, source in enumerate(frames(log_of(2_000, 3), 200)):
            made.append(place)
            yield source

    append = landing.store.append

    async def slow(events: Sequence[Event], now_ms: int) -> list[Appended]:
        nonlocal taken
        for _ in range(20):
            await asyncio.sleep(0)
        ahead.append(len(made) - taken)
        taken += 1
        return await append(events, now_ms)

    monkeypatch.setattr(landing.store, "append", slow)
    await pour(counted(), landing, id)
    assert max(ahead) <= 2
