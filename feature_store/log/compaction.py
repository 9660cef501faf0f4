"""Compaction: the small files of a closed day and bucket become one, safe to kill at any byte.

The merged file holds the range of all it replaces, so readers pass over those while both
exist. Knows nothing of streams; rows and their order stay as they were.
"""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from feature_store.log.arrow import Schema, Table, pa, pq
from feature_store.log.files import (
    BEFORE_ALL,
    LogFile,
    Step,
    day_of,
    log_files,
    no_step,
    path_for,
    rows_after,
    sync_folder,
    uncovered,
    write_atomically,
)
from feature_store.log.lock import only_one

LOCK = "compaction"
GROUP_ROWS = 100_000
"""Rows of one row group of a merged file: small enough to skip by its times."""


def compact(
    root: Path,
    today: int,
    schema: Schema,
    options: dict[str, object],
    *,
    step: Step = no_step,
) -> int:
    """Merge the files of every bucket of each day before `today` (days since the epoch).

    Answers how many files were replaced. Raises Busy when another compaction is at work.
    """
    replaced = 0
    with only_one(root, LOCK):
        folders = defaultdict[Path, list[LogFile]](list)
        for file in log_files(root):
            if day_of(file.last) < today:
                folders[file.path.parent].append(file)
        for folder, files in folders.items():
            for leftover in folder.glob("*.merging"):
                leftover.unlink()
            if len(files) > 1:
                replaced += _merge(root, files, schema, options, step)
    return replaced


def _merge(
    root: Path, files: list[LogFile], schema: Schema, options: dict[str, object], step: Step
) -> int:
    """Merge one folder's files into one, then remove them; answer how many went."""
    parts = uncovered(files)
    target = path_for(root, parts[0].bucket, parts[0].first, parts[-1].last)
    if len(parts) > 1:
        tables = _groups(parts, schema)
        write_atomically(target, schema, tables, options, step, suffix=".merging")
    gone = 0
    for file in files:
        if file.path != target:
            file.path.unlink()
            step("removed one")
            gone += 1
    sync_folder(target.parent)
    return gone


def _groups(parts: list[LogFile], schema: Schema) -> Iterator[Table]:
    """Yield the rows of contiguous files in pieces of about GROUP_ROWS."""
    held: list[Table] = []
    after = BEFORE_ALL
    for part in parts:
        table = pq.read_table(part.path, schema=schema, use_threads=False, partitioning=None)
        held.append(rows_after(table, after) if part.first <= after else table)
        after = part.last
        if sum(table.num_rows for table in held) >= GROUP_ROWS:
            yield pa.concat_tables(held)
            held = []
    if held:
        yield pa.concat_tables(held)
