"""Reading the event log: each row once, in order of arrival within a bucket.

Files are chosen by the ranges in their names, row groups by the times in their statistics.
Knows nothing of views.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import reduce
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from domain.ids import session_entity
from feature_store.linking import Link
from feature_store.log.arrow import Column, ParquetFile, Table, pa, pc, pq
from feature_store.log.events import POSITION_COLUMNS, RECORD_COLUMNS, SCHEMA
from feature_store.log.files import BEFORE_ALL, LogFile, StreamId, log_files, rows_after, uncovered
from feature_store.ordering import Columns
from feature_store.records import LINK_KIND, RECORD

Ints = npt.NDArray[np.int64]
_ATTEMPTS = 5


class LogArrays(NamedTuple):
    """The log as arrays in order of arrival: `codes` index `entities`."""

    entities: tuple[str, ...]
    codes: Ints
    columns: Columns
    links: tuple[Link, ...]


class _Part(NamedTuple):
    """A file and the stream id up to which its rows were read from an earlier file."""

    file: LogFile
    after: StreamId


def _parts(root: Path) -> list[_Part]:
    buckets = defaultdict[int, list[LogFile]](list)
    for file in log_files(root):
        buckets[file.bucket].append(file)
    parts: list[_Part] = []
    for bucket in sorted(buckets):
        after = BEFORE_ALL
        for file in uncovered(buckets[bucket]):
            parts.append(_Part(file, after if after >= file.first else BEFORE_ALL))
            after = file.last
    return parts


def _wanted_groups(file: ParquetFile, since: int | None, until: int | None) -> list[int]:
    """Answer the row groups that may hold rows with since <= at < until (all without bounds)."""
    if since is None and until is None:
        return list(range(file.num_row_groups))
    column = file.schema_arrow.get_field_index("at")
    wanted: list[int] = []
    for group in range(file.num_row_groups):
        statistics = file.metadata.row_group(group).column(column).statistics
        if statistics is not None and statistics.has_min_max:
            if since is not None and statistics.max < since:
                continue
            if until is not None and statistics.min >= until:
                continue
        wanted.append(group)
    return wanted


def _may_hold_links(file: ParquetFile) -> bool:
    """Tell whether the statistics of any row group leave room for a row of LINK_KIND."""
    column = file.schema_arrow.get_field_index("kind")
    for group in range(file.num_row_groups):
        statistics = file.metadata.row_group(group).column(column).statistics
        if statistics is None or not statistics.has_min_max or statistics.max == LINK_KIND:
            return True
    return False


def _table(
    part: _Part, columns: Sequence[str], since: int | None, until: int | None, coded: bool
) -> Table:
    """Read the wanted rows and columns of one file."""
    reading = set(columns)
    if since is not None or until is not None:
        reading.add("at")
    if part.after != BEFORE_ALL:
        reading.update(POSITION_COLUMNS)
    dictionary = ["entity"] if coded else None
    with pq.ParquetFile(part.file.path, read_dictionary=dictionary) as file:
        groups = _wanted_groups(file, since, until)
        if coded and not _may_hold_links(file):
            reading.discard("session")
        ordered = [name for name in SCHEMA.names if name in reading]
        table = file.read_row_groups(groups, columns=ordered, use_threads=False)
    if part.after != BEFORE_ALL:
        table = rows_after(table, part.after)
    keep: list[Column] = []
    if since is not None:
        keep.append(pc.greater_equal(table["at"], since))
    if until is not None:
        keep.append(pc.less(table["at"], until))
    return table.filter(reduce(pc.and_, keep)) if keep else table


def _tables(
    root: Path, columns: Sequence[str], since: int | None, until: int | None, coded: bool
) -> list[Table]:
    """Read every part; begin again when compaction removed a file after it was listed."""
    for attempt in range(_ATTEMPTS):
        try:
            return [_table(part, columns, since, until, coded) for part in _parts(root)]
        except FileNotFoundError:
            if attempt == _ATTEMPTS - 1:
                raise
    return []


def read_log(
    root: Path,
    columns: Sequence[str] | None = None,
    *,
    since: int | None = None,
    until: int | None = None,
) -> pl.DataFrame:
    """Read the events with since <= at < until (ms UTC), projected to `columns` of SCHEMA.

    Links (kind 255) are rows too when `kind` is not filtered by the caller. An empty or absent
    log gives an empty frame with the same columns. Raises KeyError for an unknown column.
    """
    names = list(SCHEMA.names if columns is None else columns)
    for name in names:
        if name not in SCHEMA.names:
            raise KeyError(name)
    empty = pa.schema([SCHEMA.field(name) for name in names]).empty_table()
    tables = [table.select(names) for table in _tables(root, names, since, until, coded=False)]
    return pl.DataFrame(pa.concat_tables([empty, *tables]))


def _links_of(table: Table) -> Iterator[Link]:
    rows = table.filter(pc.equal(table["kind"], LINK_KIND))
    for user, session, at in zip(
        rows["entity"].to_pylist(), rows["session"].to_pylist(), rows["at"].to_pylist(), strict=True
    ):
        yield Link(session_entity(session), user, at)


def read_arrays(root: Path, *, since: int | None = None, until: int | None = None) -> LogArrays:
    """Read what History needs: whose each event is, its record, and the links."""
    wanted = ["entity", "session", *RECORD_COLUMNS.values()]
    tables = _tables(root, wanted, since, until, coded=True)
    index: dict[str, int] = {}
    codes = np.empty(sum(table.num_rows for table in tables), np.int64)
    place = 0
    for table in tables:
        _fill_codes(table["entity"], index, codes[place : place + table.num_rows])
        place += table.num_rows
    columns = Columns(*(_column(tables, name) for name in Columns._fields))
    events = columns.kind != LINK_KIND
    if events.all():
        return LogArrays(tuple(index), codes, columns, ())
    links = [
        link for table in tables if "session" in table.column_names for link in _links_of(table)
    ]
    columns = columns.where(events)
    return LogArrays(tuple(index), codes[events], columns, tuple(links))


def _column(tables: Sequence[Table], name: str) -> Any:
    """Answer one field of every row as one array of the record's dtype."""
    column, dtype = RECORD_COLUMNS[name], RECORD[name]
    parts = [chunk.to_numpy() for table in tables for chunk in table[column].chunks]
    return np.concatenate(parts or [np.empty(0, dtype)])


def _fill_codes(column: Column, index: dict[str, int], codes: Ints) -> None:
    """Write the code of each row's entity, giving new entities the next code."""
    place = 0
    for chunk in column.chunks:
        known = [index.setdefault(entity, len(index)) for entity in chunk.dictionary.to_pylist()]
        codes[place : place + len(chunk)] = np.array(known, np.int64)[chunk.indices.to_numpy()]
        place += len(chunk)
