"""Moving a log: whole weeks, never into the future, the same the second time."""

from pathlib import Path

import polars as pl
import pytest

from domain.clock import DAY_MS
from domain.errors import ScientistError
from training.importing.moving import WEEK_MS, moved, newest, remembered_move, weeks_between
from training.importing.pouring import SourceFrame

FRAMES = [pl.DataFrame({"at": [5, None, 9]}), pl.DataFrame({"at": [7]}), pl.DataFrame({"at": []})]


def test_whole_weeks_and_never_back() -> None:
    assert weeks_between(0, WEEK_MS - 1) == 0
    assert weeks_between(0, 3 * WEEK_MS + DAY_MS) == 3 * WEEK_MS
    assert weeks_between(10, 0) == 0


def test_the_newest_of_all_frames() -> None:
    assert newest(FRAMES) == 9
    with pytest.raises(ScientistError, match="nothing can be moved"):
        newest([pl.DataFrame({"at": [None]})])


def test_moves_times_and_nothing_else() -> None:
    frame = pl.DataFrame({"event_id": ["e"], "at": [5]})
    (source,) = moved(iter([SourceFrame("f", frame, 2)]), WEEK_MS)
    assert source.frame.rows() == [("e", 5 + WEEK_MS)]
    assert (source.file, source.skipped) == ("f", 2)


def test_a_later_import_moves_by_as_much(tmp_path: Path) -> None:
    note = tmp_path / "imports" / "log.moved.json"
    first = remembered_move(note, FRAMES, 10 * WEEK_MS)
    assert first == 9 * WEEK_MS
    assert remembered_move(note, iter(()), 99 * WEEK_MS) == first


def test_without_keeping_nothing_is_noted(tmp_path: Path) -> None:
    note = tmp_path / "imports" / "log.moved.json"
    assert remembered_move(note, FRAMES, 10 * WEEK_MS, keep=False) == 9 * WEEK_MS
    assert not note.parent.exists()
