"""Compaction keeps every row once, and may be killed anywhere."""

from pathlib import Path

import polars as pl
import pytest

from domain.clock import DAY_MS
from domain.events import Event, Kind
from feature_store.log.compaction import LOCK, compact
from feature_store.log.events import SCHEMA, WRITE_OPTIONS, table_of_entries
from feature_store.log.files import log_files, path_for, write_atomically
from feature_store.log.lock import Busy, only_one
from feature_store.log.reader import read_log
from feature_store.records import pack_payload, pack_record
from feature_store.store import StreamEntry

OPTIONS = WRITE_OPTIONS


def entry(ms: int) -> StreamEntry:
    held = Event(f"e{ms}", "uada", Kind.click, 1_700_000_000_000 + ms, item="tea")
    return StreamEntry(f"{ms}-0", pack_record(held), [pack_payload(held)])


def write(root: Path, first: int, last: int, bucket: int = 0) -> Path:
    path = path_for(root, bucket, (first, 0), (last, 0))
    entries = [entry(ms) for ms in range(first, last + 1)]
    write_atomically(path, SCHEMA, iter([table_of_entries(entries)]), OPTIONS)
    return path


def ids(root: Path) -> list[str]:
    return read_log(root, ["event_id"])["event_id"].to_list()


def test_the_small_files_of_a_closed_day_become_one(tmp_path: Path) -> None:
    for first in (1, 11, 21):
        write(tmp_path, first, first + 9)
    write(tmp_path, 5, 9, bucket=1)
    write(tmp_path, DAY_MS, DAY_MS + 1)
    write(tmp_path, DAY_MS + 2, DAY_MS + 3)
    before = read_log(tmp_path)
    assert compact(tmp_path, 1, SCHEMA, OPTIONS) == 3
    assert before.equals(read_log(tmp_path))
    names = sorted(file.path.name for file in log_files(tmp_path, 0))
    assert names == [
        "1-0_30-0.parquet",
        "86400000-0_86400001-0.parquet",
        "86400002-0_86400003-0.parquet",
    ]
    assert compact(tmp_path, 1, SCHEMA, OPTIONS) == 0


STEPS = ["before write", "in write", "before sync", "before rename", "before folder sync",
         "written", "removed one"]  # fmt: skip


@pytest.mark.parametrize("step", STEPS)
def test_stopped_at_any_step_every_row_is_read_once(tmp_path: Path, step: str) -> None:
    for first in (1, 11, 21):
        write(tmp_path, first, first + 9)
    before = read_log(tmp_path)

    def stop(name: str) -> None:
        if name == step:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compact(tmp_path, 1, SCHEMA, OPTIONS, step=stop)
    assert before.equals(read_log(tmp_path))
    compact(tmp_path, 1, SCHEMA, OPTIONS)
    assert before.equals(read_log(tmp_path))
    files = [path.name for path in tmp_path.rglob("*") if path.is_file()]
    assert sorted(files) == [".compaction.lock", "1-0_30-0.parquet"]


def test_overlapping_files_are_merged_without_repeats(tmp_path: Path) -> None:
    write(tmp_path, 1, 10)
    write(tmp_path, 6, 15)
    write(tmp_path, 7, 9)
    assert ids(tmp_path) == [f"e{n}" for n in range(1, 16)]
    compact(tmp_path, 1, SCHEMA, OPTIONS)
    assert ids(tmp_path) == [f"e{n}" for n in range(1, 16)]
    assert [file.path.name for file in log_files(tmp_path)] == ["1-0_15-0.parquet"]


def test_large_days_are_written_in_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("feature_store.log.compaction.GROUP_ROWS", 15)
    for first in (1, 11, 21):
        write(tmp_path, first, first + 9)
    before = read_log(tmp_path)
    compact(tmp_path, 1, SCHEMA, OPTIONS)
    assert before.equals(read_log(tmp_path))


def test_only_one_compaction_at_a_time(tmp_path: Path) -> None:
    with only_one(tmp_path, LOCK), pytest.raises(Busy):
        compact(tmp_path, 1, SCHEMA, OPTIONS)


def test_the_log_reads_the_same_types_after_compaction(tmp_path: Path) -> None:
    write(tmp_path, 1, 2)
    write(tmp_path, 3, 4)
    compact(tmp_path, 1, SCHEMA, OPTIONS)
    assert read_log(tmp_path).schema["event"] == pl.UInt64
