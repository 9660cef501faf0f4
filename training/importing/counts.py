"""What an import did: how many rows were read, and what became of them.

Knows nothing of why; see training.importing.landing for the rows that were refused.
"""

from collections import Counter
from dataclasses import dataclass, field


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
