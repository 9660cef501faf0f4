"""What an import did, row by row: the counts, and the file of rows that were refused.

A refused row is named by its place, field, code and reason; its values are not repeated.
"""

import csv
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from training.importing.checking import Rejected

COLUMNS = ("file", "row", "field", "code", "message")


@dataclass(slots=True)
class Counts:
    """How many rows were read and what became of them; the parts add up to `read`."""

    read: int = 0
    skipped: int = 0
    accepted: int = 0
    duplicates: int = 0
    rejected: Counter[str] = field(default_factory=Counter)

    def lines(self, what: str) -> list[str]:
        """Answer the counts as lines for people."""
        parts = [f"read {self.read:,}", f"accepted {self.accepted:,}"]
        parts += [f"already there {self.duplicates:,}", f"rejected {self.rejected.total():,}"]
        if self.skipped:
            parts.append(f"skipped by rule {self.skipped:,}")
        lines = [f"{what}: " + " · ".join(parts)]
        lines += [f"  rejected, {code}: {n:,}" for code, n in self.rejected.most_common()]
        return lines


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
