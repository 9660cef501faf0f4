"""Draining: by ourselves when alone, through a note when a writer is at work."""

from pathlib import Path

import pytest

from domain.clock import FixedClock
from domain.errors import Unavailable
from domain.events import Event, Kind
from feature_store.log.drain import LOCK, drain, drain_now
from feature_store.log.lock import only_one
from feature_store.log.notes import open_notes
from feature_store.log.reader import read_log
from feature_store.log.writer import Writer
from feature_store.opening import open_store, open_streams
from feature_store.settings import Home
from feature_store.store import StoreSettings
from tests.feature_store.making import T0

SETTINGS = StoreSettings(buckets=2)


def _never() -> Writer:
    raise AssertionError("another writer is at work")


async def test_everything_accepted_is_in_the_log_when_it_returns(tmp_path: Path) -> None:
    home = Home(tmp_path)
    store = await open_store(SETTINGS, home)
    streams = open_streams(SETTINGS, home)
    try:
        for n in range(5):
            await store.append([Event(f"e{n}", f"u{n}", Kind.click, T0, "tea")], T0)
            drain_now(streams, home)
            assert len(read_log(home.log)) == n + 1
    finally:
        streams.close()
        await store.close()


def test_a_running_writer_is_asked_by_a_note(tmp_path: Path) -> None:
    clock = FixedClock(T0)
    pauses: list[float] = []

    def writer_answers(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            for note in open_notes(tmp_path):
                note.unlink()

    with only_one(tmp_path, LOCK):
        drain(_never, tmp_path, 1.0, clock=clock, sleep=writer_answers)
    assert len(pauses) == 3


def test_a_writer_that_does_not_answer_is_not_waited_for_beyond_the_deadline(
    tmp_path: Path,
) -> None:
    clock = FixedClock(T0)
    with only_one(tmp_path, LOCK), pytest.raises(Unavailable, match="did not answer"):
        drain(_never, tmp_path, 1.0, clock=clock, sleep=lambda s: clock.advance(300))
    assert open_notes(tmp_path) == []
