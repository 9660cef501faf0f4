"""What the log holds, told from file names and footers alone.

Reads no rows and asks no store.
"""

from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

from feature_store.log.arrow import pq
from feature_store.log.files import LogFile, log_files, uncovered
from feature_store.log.lock import Busy, only_one


class LogStatus(NamedTuple):
    """How much is in a log: files in use, their rows and bytes, days, the newest arrival (ms)."""

    files: int
    rows: int
    bytes: int
    days: int
    newest_ms: int


def log_status(root: Path) -> LogStatus:
    """Answer what the log under `root` holds; an absent log holds nothing."""
    buckets = defaultdict[int, list[LogFile]](list)
    for file in log_files(root):
        buckets[file.bucket].append(file)
    used = [file for files in buckets.values() for file in uncovered(files)]
    return LogStatus(
        files=len(used),
        rows=sum(pq.read_metadata(file.path).num_rows for file in used),
        bytes=sum(file.path.stat().st_size for file in used),
        days=len({file.path.parent.parent.name for file in used}),
        newest_ms=max((file.last[0] for file in used), default=0),
    )


def is_locked(root: Path, name: str) -> bool:
    """Tell whether a process holds the lock `name` of the log."""
    try:
        with only_one(root, name):
            return False
    except Busy:
        return True
