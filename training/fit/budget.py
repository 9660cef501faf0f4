"""A fit's budget of time: what is left, what a step may take of it, and what was given up for it.

A fit without a budget gives up nothing. With one it begins with smaller settings, and a step
that would take longer than is left is not begun; both are put down, for log, params and card.
Knows nothing of members or of how they are learned: their costs are measured as they come.
"""

import re
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Self

from domain.errors import ScientistError
from training.fit.settings import RecommendSettings

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}
_FULL = 480.0
"""With this many seconds or more nothing is planned smaller."""

_LEAST_SCORES, _LEAST_EVENTS = 1_500_000, 40_000


def seconds_of(text: str) -> float:
    """Read "90s", "10m", "1.5h" or a number of seconds; raises ScientistError for anything else."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", text.strip())
    seconds = float(found[1]) * _UNITS[found[2] or "s"] if found else 0.0
    if seconds <= 0:
        raise ScientistError(f"a budget is like 90s, 10m or 1h (got {text!r})")
    return seconds


def peak_mb() -> float:
    """Answer the most memory this process has held so far, in MB (10^6 bytes)."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak * (1 if sys.platform == "darwin" else 1024) / 1e6


@dataclass
class Budget:
    """`seconds` from now on, or None for as long as it takes. clock: seconds, monotonic.

    given_up: what was done smaller or not at all, in words, in order; shared with every share.
    """

    seconds: float | None = None
    clock: Callable[[], float] = time.monotonic
    given_up: list[str] = field(default_factory=list)
    _since: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        self._since = self.clock()

    def elapsed(self) -> float:
        """Answer the seconds since this budget began."""
        return self.clock() - self._since

    def left(self) -> float:
        """Answer the seconds left, never below 0; infinite without a budget."""
        if self.seconds is None:
            return float("inf")
        return max(0.0, self.seconds - self.elapsed())

    def share(self, part: float, keep: float = 0.0) -> Self:
        """Answer a budget that begins now: `part` (0 to 1) of what is left above `keep` seconds."""
        seconds = None if self.seconds is None else part * max(0.0, self.left() - keep)
        return type(self)(seconds, self.clock, self.given_up)

    def affords(self, seconds: float, what: str, keep: float = 0.0) -> bool:
        """Tell whether a step of so many seconds fits in, with `keep` left after it.

        A step that does not is put down as given up.
        """
        fits = seconds + keep <= self.left()
        if not fits:
            self.give_up(what)
        return fits

    def give_up(self, what: str) -> None:
        """Put down, once, what is done smaller or not at all."""
        if what not in self.given_up:
            self.given_up.append(what)


def planned(settings: RecommendSettings, budget: Budget) -> RecommendSettings:
    """Answer settings small enough to begin with under the budget.

    Cases of tuning and the events it learns from shrink with the time there is, down to a
    floor; whatever is chosen smaller already stays.
    """
    if budget.seconds is None or budget.seconds >= _FULL:
        return settings
    share = budget.seconds / _FULL
    scores = max(_LEAST_SCORES, int(settings.tuning_scores * share))
    events = max(_LEAST_EVENTS, int(settings.tuning_events * share))
    smaller = replace(
        settings,
        tuning_scores=min(settings.tuning_scores, scores),
        tuning_events=min(settings.tuning_events, events),
    )
    for name in ("tuning_scores", "tuning_events"):
        before, after = getattr(settings, name), getattr(smaller, name)
        if after < before:
            budget.give_up(f"{name} {after:,} of {before:,}")
    return smaller
