"""Who taught shared evidence last: every worker's number of lessons, so that each counts once.

A worker numbers its lessons; what is shared keeps the last number of each, and a write whose
answer was lost is known again by it. Knows nothing of what is taught.
"""

from collections.abc import Mapping
from typing import Final

Teachers = Mapping[str, tuple[int, int]]
"""By worker: the number of the last lessons it added, and when (UTC ms)."""

MOST_WORKERS: Final = 256
WORKER_MS: Final = 3_600_000
"""A worker not heard of for so long is no more: its numbers are forgotten."""


def number_of(teachers: Teachers, worker: str) -> int:
    """Answer the number of the last lessons that a worker added, 0 for none."""
    return teachers.get(worker, (0, 0))[0]


def signed(teachers: Teachers, worker: str, number: int, now: int) -> dict[str, tuple[int, int]]:
    """Answer them with a worker's number; those long gone, and too many, are dropped."""
    heard = {name: told for name, told in teachers.items() if now - told[1] < WORKER_MS}
    heard[worker] = (number, now)
    return dict(sorted(heard.items(), key=lambda one: -one[1][1])[:MOST_WORKERS])
