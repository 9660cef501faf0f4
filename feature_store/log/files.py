"""Names and atomic writing of log files: `day=2026-01-31/bucket=007/<first>_<last>.parquet`.

`day` is the UTC day of arrival of the entries, `first` and `last` the stream ids of the first
and last entry inside. A file appears whole or not at all.
"""

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from domain.clock import DAY_MS
from feature_store.log.arrow import Schema, Table, pq

StreamId = tuple[int, int]
"""(milliseconds, sequence) of a stream entry: ordered as the server orders them."""

BEFORE_ALL: StreamId = (0, 0)
Step = Callable[[str], None]
"""Called with the name of each step of writing; tests stop the process there."""


def no_step(name: str) -> None:
    """Do nothing at a step."""


class LogFile(NamedTuple):
    """One file of the log and the range of stream ids it holds, both ends included."""

    path: Path
    bucket: int
    first: StreamId
    last: StreamId


def parse_id(stream_id: str | bytes) -> StreamId:
    """Read `ms-seq`; raises ValueError when it is something else."""
    text = stream_id.decode() if isinstance(stream_id, bytes) else stream_id
    ms, _, seq = text.partition("-")
    return int(ms), int(seq)


def format_id(stream_id: StreamId) -> str:
    """Write a stream id as the server does."""
    return f"{stream_id[0]}-{stream_id[1]}"


def day_of(stream_id: StreamId) -> int:
    """Answer the UTC day (days since the epoch) on which an entry arrived."""
    return stream_id[0] // DAY_MS


def day_name(day: int) -> str:
    """Write days since the epoch as YYYY-MM-DD."""
    return datetime.fromtimestamp(day * 86_400, UTC).strftime("%Y-%m-%d")


def path_for(root: Path, bucket: int, first: StreamId, last: StreamId) -> Path:
    """Answer where the file of this range lives."""
    folder = root / f"day={day_name(day_of(first))}" / f"bucket={bucket:03d}"
    return folder / f"{format_id(first)}_{format_id(last)}.parquet"


def log_files(root: Path, bucket: int | None = None) -> Iterator[LogFile]:
    """Yield the files of the log, newest day first; other files are passed over."""
    wanted = "bucket=*" if bucket is None else f"bucket={bucket:03d}"
    for day in sorted(root.glob("day=*"), reverse=True):
        for folder in sorted(day.glob(wanted)):
            for path in sorted(folder.glob("*.parquet")):
                try:
                    first, _, last = path.stem.partition("_")
                    number = int(folder.name.partition("=")[2])
                    yield LogFile(path, number, parse_id(first), parse_id(last))
                except ValueError:
                    continue


def uncovered(files: list[LogFile]) -> list[LogFile]:
    """Answer one bucket's files in stream order without those whose range another holds."""
    kept: list[LogFile] = []
    for file in sorted(files, key=lambda file: (file.first, (-file.last[0], -file.last[1]))):
        if not kept or file.last > kept[-1].last:
            kept.append(file)
    return kept


def rows_after(table: Table, after: StreamId) -> Table:
    """Answer the rows whose entry came after the stream id `after`."""
    ms, seq = after
    at, place = table["stream_ms"].to_numpy(), table["stream_seq"].to_numpy()
    return table.filter((at > ms) | ((at == ms) & (place > seq)))


def sync_folder(folder: Path) -> None:
    """Make a folder's entries durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def make_folder(folder: Path) -> None:
    """Create a folder and its parents, durably."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    sync_folder(folder.parent)


def write_atomically(
    path: Path,
    schema: Schema,
    tables: Iterator[Table],
    options: dict[str, object],
    step: Step = no_step,
    *,
    suffix: str = ".tmp",
) -> None:
    """Write tables as one Parquet file that appears whole, durable, or not at all.

    Raises OSError when the disk refuses; nothing is then visible under `path`.
    """
    make_folder(path.parent)
    unfinished = path.with_name(path.name + suffix)
    step("before write")
    with unfinished.open("wb") as sink:
        with pq.ParquetWriter(sink, schema, **options) as writer:
            for table in tables:
                writer.write_table(table)
                step("in write")
        sink.flush()
        step("before sync")
        os.fsync(sink.fileno())
    step("before rename")
    unfinished.replace(path)
    step("before folder sync")
    sync_folder(path.parent)
    step("written")
