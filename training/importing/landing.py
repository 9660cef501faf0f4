"""Where an import lands: the store, the clock, the rejects file, and who moves the log on.

A refused row is named by its place, field, code and reason; its values are not repeated.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from domain.clock import Clock
from feature_store.store import Store
from training.importing.checking import Rejected
from training.importing.draining import Drain

COLUMNS = ("file", "row", "field", "code", "message")


class RejectsFile:
    """A CSV of refused rows, made when the first one comes; an older one is taken away."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: io.TextIOWrapper | None = None

    def __enter__(self) -> "RejectsFile":
        self.path.unlink(missing_ok=True)
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    @property
    def used(self) -> bool:
        """Tell whether any row was refused."""
        return self._file is not None

    def write(self, file: str, rejected: Sequence[Rejected]) -> None:
        """Add the refused rows of one batch of the file named `file`."""
        if not rejected:
            return
        if self._file is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("w", encoding="utf-8", newline="")
            csv.writer(self._file).writerow(COLUMNS)
        rows = ((file, r.row, r.field, r.code, r.message) for r in rejected)
        csv.writer(self._file).writerows(rows)


@dataclass(slots=True, frozen=True)
class Landing:
    """One import's destination; without `drain` the events stay on the streams."""

    store: Store
    clock: Clock
    rejects: RejectsFile
    drain: Drain | None = None
