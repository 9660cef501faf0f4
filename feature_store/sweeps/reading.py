"""Reading sweeps: the current one, or an older one by id for as long as it is kept.

Opens each sweep once a process and notices a new one by its pointer. Blocking, safe from
threads. Knows nothing of requests.
"""

import threading
from pathlib import Path
from typing import NamedTuple

from feature_store.sweeps.pages import I64, Wanted, selection
from feature_store.sweeps.shelf import (
    CURRENT,
    KEEP,
    SUMMARY,
    Summary,
    current_id,
    is_id,
    read_summary,
)
from feature_store.sweeps.table import FEATURES, TABLE, SweepTable, open_table

_REMEMBERED = 8
"""Selections kept, so that the next page of one need not look at every row again."""


class Sweep(NamedTuple):
    """A whole sweep, opened; `features` in the same order, None where none were kept."""

    summary: Summary
    table: SweepTable
    features: SweepTable | None = None


def open_sweep(folder: Path) -> Sweep:
    """Open a whole sweep; raises OperatorError when it cannot be read."""
    beside = folder / FEATURES
    features = open_table(beside) if beside.exists() else None
    return Sweep(read_summary(folder), open_table(folder / TABLE), features)


class Sweeps:
    """The sweeps of one family under `root`; it need not exist."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._lock = threading.Lock()
        self._open: dict[str, Sweep] = {}
        self._seen: tuple[tuple[int, int], str | None] = ((0, 0), None)
        self._selected: dict[tuple[str, Wanted, str], I64] = {}

    def current(self) -> Sweep | None:
        """Answer the last whole sweep, None before the first.

        Raises OperatorError when it is there but cannot be read.
        """
        with self._lock:
            try:
                status = (self.root / CURRENT).stat()
            except OSError:
                return None
            seen = (status.st_mtime_ns, status.st_ino)
            if seen != self._seen[0] or self._seen[1] is None:
                self._seen = (seen, current_id(self.root))
            name = self._seen[1]
            return None if name is None else self._opened(name)

    def get(self, name: str) -> Sweep | None:
        """Answer a sweep by its id, None when it is no longer (or never was) kept."""
        with self._lock:
            if not is_id(name) or not (self.root / name / SUMMARY).exists():
                self._open.pop(name, None)
                return None
            return self._opened(name)

    def selected(self, sweep: Sweep, wanted: Wanted, sort: str) -> I64:
        """Answer `pages.selection` of a sweep."""
        key = (sweep.summary.id, wanted, sort)
        with self._lock:
            if key in self._selected:
                return self._selected[key]
        rows = selection(sweep.table, wanted, sort)
        with self._lock:
            while len(self._selected) >= _REMEMBERED:
                self._selected.pop(next(iter(self._selected)))
            self._selected[key] = rows
        return rows

    def _opened(self, name: str) -> Sweep:
        found = self._open.get(name)
        if found is None:
            found = open_sweep(self.root / name)
            while len(self._open) >= KEEP:
                self._open.pop(next(iter(self._open)))
            self._open[name] = found
        return found
