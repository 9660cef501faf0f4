"""The latest rows: the newest files first in line, given in order of arrival."""

import struct
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from domain.clock import FixedClock, system_clock
from domain.events import Event, Kind
from domain.ids import hash64
from feature_store.log import latest
from feature_store.log.latest import latest_rows
from feature_store.log.writer import Writer
from feature_store.memory import MemoryStore
from feature_store.opening import open_store, open_streams
from feature_store.records import PAYLOAD_FIELDS, unpack_payload
from feature_store.settings import Home
from feature_store.store import Store, StoreSettings, StreamEntry
from feature_store.trends import BLOB_NAME, parse
from tests.feature_store.log.test_writer import SETTINGS as BUCKETS
from tests.feature_store.log.test_writer import Flaky
from tests.feature_store.making import T0

SETTINGS = StoreSettings(buckets=1)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await open_store(SETTINGS, Home(tmp_path))
    yield opened
    await opened.close()


async def _fill(store: Store, home: Home, files: int) -> None:
    streams = open_streams(SETTINGS, home)
    writer = Writer(streams, home.log, home.decisions, 1, system_clock)
    for n in range(files):
        rows = [Event(f"e{n}{m}", f"u{n}", Kind.click, T0 + n, f"i{n}") for m in range(3)]
        await store.append(rows, T0)
        writer.drain()
    streams.close()


async def test_the_latest_files_are_chosen_until_there_are_enough(
    store: Store, tmp_path: Path
) -> None:
    home = Home(tmp_path)
    assert list(latest_rows(home.log, 100)) == []
    await _fill(store, home, 4)
    for most, files in ((0, 0), (1, 1), (3, 1), (4, 2), (100, 4)):
        found = list(latest_rows(home.log, most))
        assert [rows[0][0] for rows in found] == [hash64(f"i{n}") for n in range(4 - files, 4)]
    items, kinds, ats, people = found[-1]
    assert items.tolist() == [hash64("i3")] * 3
    assert kinds.tolist() == [Kind.click] * 3
    assert ats.tolist() == [T0 + 3] * 3
    assert people.tolist() == [hash64("u3")] * 3
    assert [column.dtype for column in found[-1]] == [np.uint64, np.uint8, np.int64, np.uint64]


async def test_a_file_that_goes_away_meanwhile_is_left_out(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(tmp_path)
    await _fill(store, home, 2)
    listed = latest.log_files(home.log)
    listed = list(listed)
    monkeypatch.setattr(latest, "log_files", lambda root: listed)
    listed[-1].path.unlink()
    assert len(list(latest_rows(home.log, 100))) == 1


def _ids(entry: StreamEntry) -> set[str]:
    return {str(unpack_payload(text)[PAYLOAD_FIELDS.index("event_id")]) for text in entry.payloads}


async def test_trends_of_before_people_were_counted_count_people_as_they_come_back(
    tmp_path: Path,
) -> None:
    memory = MemoryStore(BUCKETS)
    for n in range(8):
        await memory.append([Event(f"e{n}", f"u{n}", Kind.click, T0, "tea")], T0)
    streams = Flaky(memory)
    streams.trims = 1
    first = Writer(streams, tmp_path / "log", tmp_path / "d", 3, FixedClock(T0))
    first.drain()
    people = parse(streams.blobs[BLOB_NAME]).people
    assert people is not None
    assert people.tolist() == [8.0]
    counted = parse(streams.blobs[BLOB_NAME])
    assert counted.deeds is not None
    numbers = np.vstack([counted.trending, counted.popular, counted.deeds])
    positions = b"".join(struct.pack("<Iqq", b, *at) for b, at in counted.positions.items())
    head = struct.pack("<4sHHqII", b"SNDT", 2, 2, T0, 1, len(counted.positions))
    streams.blobs[BLOB_NAME] = head + numbers.tobytes() + positions + struct.pack("<H", 3) + b"tea"
    for n in range(8):
        await memory.append([Event(f"again{n}", f"u{n}", Kind.click, T0, "tea")], T0)
    old = {f"e{n}" for n in range(8)}
    streams.events = {
        bucket: [entry for entry in memory.streams[bucket] if not _ids(entry) & old]
        for bucket in range(3)
    }
    later = Writer(streams, tmp_path / "log", tmp_path / "d", 3, FixedClock(T0))
    later.drain()
    people = parse(streams.blobs[BLOB_NAME]).people
    assert people is not None
    assert people.tolist() == [8.0]
