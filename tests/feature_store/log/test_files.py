"""Names of log files, what covers what, and writing that is whole or nothing."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feature_store.log.files import (
    LogFile,
    day_of,
    format_id,
    log_files,
    parse_id,
    path_for,
    rows_after,
    uncovered,
    write_atomically,
)

SCHEMA = pa.schema([("stream_ms", pa.int64()), ("stream_seq", pa.int32())])
TABLE = pa.table({"stream_ms": [1, 1, 2], "stream_seq": pa.array([0, 1, 0], pa.int32())})


def _file(first: int, last: int) -> LogFile:
    return LogFile(Path(f"{first}_{last}"), 0, (first, 0), (last, 0))


@given(st.integers(0, 2**47), st.integers(0, 2**31))
def test_stream_ids_read_back(ms: int, seq: int) -> None:
    assert parse_id(format_id((ms, seq))) == (ms, seq)
    assert parse_id(format_id((ms, seq)).encode()) == (ms, seq)


def test_a_file_is_named_by_day_of_arrival_bucket_and_range(tmp_path: Path) -> None:
    path = path_for(tmp_path, 7, (1_700_000_000_000, 3), (1_700_000_000_001, 0))
    assert path == (
        tmp_path / "day=2023-11-14" / "bucket=007" / "1700000000000-3_1700000000001-0.parquet"
    )
    assert day_of((86_400_000, 0)) == 1


def test_only_log_files_are_found(tmp_path: Path) -> None:
    good = path_for(tmp_path, 2, (5, 0), (6, 1))
    good.parent.mkdir(parents=True)
    good.touch()
    (good.parent / "5-0_6-1.parquet.tmp").touch()
    (good.parent / "notes.parquet").touch()
    assert list(log_files(tmp_path)) == [LogFile(good, 2, (5, 0), (6, 1))]
    assert list(log_files(tmp_path, bucket=3)) == []


def test_files_within_anothers_range_are_passed_over() -> None:
    files = [_file(1, 4), _file(5, 9), _file(1, 9), _file(10, 12)]
    assert uncovered(files) == [files[2], files[3]]
    assert uncovered([_file(1, 6), _file(4, 9), _file(5, 6)]) == [_file(1, 6), _file(4, 9)]


@pytest.mark.parametrize(("after", "left"), [((0, 9), 3), ((1, 0), 2), ((1, 1), 1), ((2, 0), 0)])
def test_rows_after_a_stream_id(after: tuple[int, int], left: int) -> None:
    assert rows_after(TABLE, after).num_rows == left


@pytest.mark.parametrize("step", ["before write", "in write", "before sync", "before rename"])
def test_a_write_that_fails_leaves_nothing_visible(tmp_path: Path, step: str) -> None:
    path = tmp_path / "deep" / "down" / "a.parquet"

    def fail(name: str) -> None:
        if name == step:
            raise OSError(28, "full")

    with pytest.raises(OSError, match="full"):
        write_atomically(path, SCHEMA, iter([TABLE]), {}, fail)
    assert not path.exists()
    write_atomically(path, SCHEMA, iter([TABLE, TABLE]), {})
    assert pq.read_table(path).num_rows == 6
    assert [file.name for file in path.parent.iterdir()] == ["a.parquet"]
