"""How long an answer may still take: the least of the server's cap and what the caller allows.

Read off a clock that never goes back. Knows nothing of what is done in the time.
"""

import time
from collections.abc import Callable

LEAST_MS = 5.0
"""With less than this left nothing new is begun: the answer has to get out."""


class Deadline:
    """One answer's time. `clock` answers seconds and never goes back."""

    __slots__ = ("_clock", "_ends", "_last")

    def __init__(
        self,
        started: float,
        limit_ms: float | None,
        *,
        cap_ms: float,
        margin_ms: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """started: when the request was begun. limit_ms: what the caller allows, None unknown.

        margin_ms: what of the caller's time the network takes.
        """
        budget = cap_ms if limit_ms is None else min(cap_ms, limit_ms - margin_ms)
        self._clock = clock
        self._ends = started + budget / 1_000
        self._last = self._ends - LEAST_MS / 1_000

    def left_ms(self) -> float:
        """Answer the milliseconds left, below 0 when it is over."""
        return (self._ends - self._clock()) * 1_000

    def in_time(self) -> bool:
        """Tell whether at least LEAST_MS are left."""
        return self._clock() <= self._last
