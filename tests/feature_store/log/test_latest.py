"""The latest rows: the newest files first in line, given in order of arrival."""

from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from domain.clock import system_clock
from domain.events import Event, Kind
from domain.ids import hash64
from feature_store.log import latest
from feature_store.log.latest import latest_rows
from feature_store.log.writer import Writer
from feature_store.opening import open_store, open_streams
from feature_store.settings import Home
from feature_store.store import Store, StoreSettings
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
