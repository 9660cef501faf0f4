"""A channel: ranges become files, one a day of arrival, and begin again where files end."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from domain.clock import DAY_MS
from feature_store.log.channel import GLANCE_COUNT, READ_COUNT, Channel
from feature_store.log.files import log_files, parse_id

SCHEMA = pa.schema([("stream_ms", pa.int64()), ("stream_seq", pa.int32())])


class Entry(NamedTuple):
    """One row under one stream id."""

    stream_id: str


def _table(entries: Sequence[Entry]) -> pa.Table:
    ids = [parse_id(entry.stream_id) for entry in entries]
    columns = {"stream_ms": [ms for ms, _ in ids], "stream_seq": [seq for _, seq in ids]}
    return pa.table(columns, schema=SCHEMA)


class Stream:
    """A list of entries behind a channel."""

    def __init__(self, root: Path, ids: list[str]) -> None:
        self.entries = [Entry(stream_id) for stream_id in ids]
        self.seen: list[str] = []
        self.channel = Channel(
            root, 1, SCHEMA, {}, self.read, self.read_new, self.trim, lambda entry: 1, _table,
            on_entries=lambda bucket, entries: self.seen.extend(e.stream_id for e in entries),
        )  # fmt: skip
        self.channel.recover()

    def read(self, bucket: int, after: str, count: int) -> list[Entry]:
        held = [e for e in self.entries if parse_id(e.stream_id) > parse_id(after)]
        return held[:count]

    def read_new(self, after: Mapping[int, str], count: int) -> dict[int, list[Entry]]:
        return {bucket: self.read(bucket, start, count) for bucket, start in after.items()}

    def trim(self, bucket: int, up_to: str) -> None:
        self.entries = [e for e in self.entries if parse_id(e.stream_id) > parse_id(up_to)]


def _ranges(root: Path) -> list[tuple[str, int]]:
    return sorted(
        (file.path.name, pq.read_metadata(file.path).num_rows) for file in log_files(root)
    )


def test_midnight_parts_a_range(tmp_path: Path) -> None:
    stream = Stream(tmp_path, [f"{DAY_MS - 1}-0", f"{DAY_MS - 1}-1", f"{DAY_MS}-0"])
    assert stream.channel.read_bucket(0, 5) is False
    stream.channel.flush(0)
    assert _ranges(tmp_path) == [
        ("86399999-0_86399999-1.parquet", 2),
        ("86400000-0_86400000-0.parquet", 1),
    ]
    assert sorted(day.name for day in tmp_path.iterdir()) == ["day=1970-01-01", "day=1970-01-02"]
    assert stream.entries == []


def test_what_is_on_disk_is_not_read_again(tmp_path: Path) -> None:
    ids = [f"{n}-0" for n in range(1, 6)]
    first = Stream(tmp_path, ids[:3])
    first.channel.read_bucket(0, 0)
    first.channel.flush(0)
    again = Stream(tmp_path, ids)
    assert [entry.stream_id for entry in again.entries] == ids[3:]
    again.channel.read_bucket(0, 0)
    assert again.seen == ids[3:]


def test_unfinished_files_are_forgotten(tmp_path: Path) -> None:
    leftover = tmp_path / "day=1970-01-01" / "bucket=000" / "1-0_2-0.parquet.tmp"
    leftover.parent.mkdir(parents=True)
    leftover.write_bytes(b"half a file")
    stream = Stream(tmp_path, ["1-0", "2-0"])
    assert not leftover.exists()
    assert len(stream.entries) == 2


def test_a_full_read_says_there_may_be_more(tmp_path: Path) -> None:
    stream = Stream(tmp_path, [f"{n}-0" for n in range(1, READ_COUNT + 2)])
    assert stream.channel.read_bucket(0, 0) is True
    assert stream.channel.read_bucket(0, 0) is False
    assert stream.channel.pending_rows == READ_COUNT + 1
    assert stream.channel.largest() == 0


def test_a_glance_takes_a_little_and_names_the_busy(tmp_path: Path) -> None:
    stream = Stream(tmp_path, [f"{n}-0" for n in range(1, 2 * GLANCE_COUNT)])
    assert stream.channel.glance(7) == [0]
    assert stream.channel.pending_rows == GLANCE_COUNT
    assert stream.channel.glance(8) == []
    assert stream.channel.glance(9) == []
    assert stream.seen == [f"{n}-0" for n in range(1, 2 * GLANCE_COUNT)]
    # The first row's time counts, and what is on disk is trimmed at the next look.
    assert list(stream.channel.due(1_000, 6)) == []
    assert list(stream.channel.due(1_000, 7)) == [0]
    stream.channel.flush(0)
    assert stream.entries == []
    again = Stream(tmp_path, [f"{n}-0" for n in range(1, 2 * GLANCE_COUNT + 1)])
    assert again.channel.glance(10) == []
    assert again.seen == [f"{2 * GLANCE_COUNT}-0"]


def test_buckets_are_due_by_rows_or_by_age(tmp_path: Path) -> None:
    stream = Stream(tmp_path, ["1-0", "2-0"])
    stream.channel.read_bucket(0, 100)
    assert list(stream.channel.due(3, 99)) == []
    assert list(stream.channel.due(2, 99)) == [0]
    assert list(stream.channel.due(3, 100)) == [0]
