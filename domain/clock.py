"""Time as an argument: a clock is a callable that answers UTC milliseconds.

Knows nothing of time zones; whoever parses local time converts it first.
"""

import time
from collections.abc import Callable

Clock = Callable[[], int]
"""Answers the current time in whole milliseconds since the epoch, UTC."""

SECOND_MS = 1_000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS


def system_clock() -> int:
    """Answer the wall clock in milliseconds since the epoch, UTC."""
    return time.time_ns() // 1_000_000


class FixedClock:
    """A clock that stands still until it is told to move; for tests and replays."""

    def __init__(self, now_ms: int) -> None:
        self.now_ms = now_ms

    def __call__(self) -> int:
        return self.now_ms

    def advance(self, ms: int) -> None:
        """Move the clock forward by `ms` milliseconds."""
        self.now_ms += ms
