"""A channel: one kind of stream (events or decisions), bucket by bucket, on its way to files.

Reads after what is on disk, gathers, writes one file a range, and only then trims the stream:
what the files are named decides what has been written. Knows nothing of locks or of time.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from feature_store.log.arrow import Schema, Table
from feature_store.log.files import (
    BEFORE_ALL,
    Step,
    StreamId,
    day_of,
    format_id,
    log_files,
    no_step,
    parse_id,
    path_for,
    write_atomically,
)


class Entry(Protocol):
    """What a stream holds: rows under one stream id."""

    @property
    def stream_id(self) -> str:
        """The entry's `ms-seq`."""
        ...


E = TypeVar("E", bound=Entry)
READ_COUNT = 500
"""Entries of a bucket read at once: an entry is at most one request's events of one bucket."""
GLANCE_COUNT = 16
"""Entries of each bucket read when all are looked at together."""


@dataclass
class _Pending(Generic[E]):
    """What one bucket has read and not yet written."""

    read_up_to: StreamId
    entries: list[E] = field(default_factory=list)  # type: ignore[assignment]
    rows: int = 0
    since_ms: int = 0
    to_trim: StreamId = BEFORE_ALL


@dataclass
class Channel(Generic[E]):
    """Where entries come from, how many rows they hold, and what files they become.

    `read(bucket, after, count)` answers one bucket's entries, `read_new({bucket: after}, count)`
    those of every bucket that has any, in one round trip.
    `on_entries(bucket, entries)` sees every batch once it has been read; `before_write()` is
    called before a range becomes a file, after which nobody will read it from the stream again.
    """

    root: Path
    buckets: int
    schema: Schema
    options: dict[str, object]
    read: Callable[[int, str, int], list[E]]
    read_new: Callable[[Mapping[int, str], int], Mapping[int, list[E]]]
    trim: Callable[[int, str], object]
    rows_of: Callable[[E], int]
    table_of: Callable[[Sequence[E]], Table]
    on_entries: Callable[[int, list[E]], None] = lambda bucket, entries: None
    before_write: Callable[[], None] = lambda: None
    step: Step = no_step
    _pending: dict[int, _Pending[E]] = field(default_factory=dict)  # type: ignore[assignment]

    def recover(self) -> None:
        """Take up where the files end: forget unfinished ones, trim what is written."""
        for leftover in self.root.glob("day=*/bucket=*/*.parquet.tmp"):
            leftover.unlink()
        ends: dict[int, StreamId] = {}
        for file in log_files(self.root):
            ends[file.bucket] = max(file.last, ends.get(file.bucket, BEFORE_ALL))
        for bucket in range(self.buckets):
            end = ends.get(bucket, BEFORE_ALL)
            self._pending[bucket] = _Pending(end, to_trim=end)
            self._trim(bucket)

    @property
    def pending_rows(self) -> int:
        """How many rows were read and not yet written."""
        return sum(pending.rows for pending in self._pending.values())

    def glance(self, now_ms: int) -> list[int]:
        """Read on a little in every bucket; answer those in which there may be more."""
        for bucket in self._pending:
            self._trim(bucket)
        after = {bucket: format_id(held.read_up_to) for bucket, held in self._pending.items()}
        found = self.read_new(after, GLANCE_COUNT)
        for bucket, entries in found.items():
            self._take(bucket, entries, now_ms)
        return [bucket for bucket, entries in found.items() if len(entries) == GLANCE_COUNT]

    def read_bucket(self, bucket: int, now_ms: int) -> bool:
        """Read on in one bucket; tell whether there may be more."""
        pending = self._pending[bucket]
        self._trim(bucket)
        entries = self.read(bucket, format_id(pending.read_up_to), READ_COUNT)
        self._take(bucket, entries, now_ms)
        return len(entries) == READ_COUNT

    def _take(self, bucket: int, entries: list[E], now_ms: int) -> None:
        """Hold what was read of a bucket until it is due."""
        if not entries:
            return
        pending = self._pending[bucket]
        if not pending.entries:
            pending.since_ms = now_ms
        pending.entries.extend(entries)
        pending.rows += sum(self.rows_of(entry) for entry in entries)
        pending.read_up_to = parse_id(entries[-1].stream_id)
        self.on_entries(bucket, entries)

    def due(self, rows: int, before_ms: int) -> Iterator[int]:
        """Yield the buckets that hold `rows` rows, or any read at or before `before_ms`."""
        for bucket, pending in self._pending.items():
            if pending.entries and (pending.rows >= rows or pending.since_ms <= before_ms):
                yield bucket

    def largest(self) -> int:
        """Answer the bucket that holds most rows."""
        return max(self._pending, key=lambda bucket: self._pending[bucket].rows)

    def flush(self, bucket: int) -> None:
        """Write what a bucket holds, one file a day of arrival, then trim its stream.

        Raises OSError when the disk refuses; what was not written stays held.
        """
        pending = self._pending[bucket]
        self.before_write()
        days = groupby(pending.entries, key=lambda entry: day_of(parse_id(entry.stream_id)))
        for entries in [list(group) for _, group in days]:
            first, last = parse_id(entries[0].stream_id), parse_id(entries[-1].stream_id)
            path = path_for(self.root, bucket, first, last)
            tables = iter([self.table_of(entries)])
            write_atomically(path, self.schema, tables, self.options, self.step)
            pending.entries = pending.entries[len(entries) :]
            pending.rows -= sum(self.rows_of(entry) for entry in entries)
            pending.to_trim = last
            self.step("before trim")
            self._trim(bucket)
            self.step("trimmed")

    def _trim(self, bucket: int) -> None:
        """Trim what is on disk; a refusal leaves it for the next time."""
        pending = self._pending[bucket]
        if pending.to_trim != BEFORE_ALL:
            self.trim(bucket, format_id(pending.to_trim))
            pending.to_trim = BEFORE_ALL
