"""A fit's budget of time: what is left, what a step may take of it, and what was given up for it.

A fit without a budget gives up nothing. With one it begins with smaller settings, and a step
that is expected to outlast what is left, at the pace of now, is not begun; both are put down, for
log, params and card. Knows nothing of members or of how they are learned.
"""

import re
import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Self

from domain.errors import ScientistError
from training.fit.costs import Costs
from training.fit.settings import RecommendSettings

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}
_FULL = 480.0
"""With this many seconds or more nothing is planned smaller."""

_LEAST_SCORES = 1_500_000
AFTER = "what follows the fit"


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

    given_up: what was done smaller or not at all, in words, in order; it and costs, what steps
    took, are shared with every share. since: when it began, by the clock; None: now.
    """

    seconds: float | None = None
    clock: Callable[[], float] = time.monotonic
    given_up: list[str] = field(default_factory=list)
    since: float | None = None
    costs: Costs = field(default_factory=Costs)

    def __post_init__(self) -> None:
        self.begun = self.clock() if self.since is None else self.since

    @property
    def bounded(self) -> bool:
        """Tell whether there is an end to it."""
        return self.seconds is not None

    def elapsed(self) -> float:
        """Answer the seconds since this budget began."""
        return self.clock() - self.begun

    def left(self) -> float:
        """Answer the seconds left, never below 0; infinite without a budget."""
        if self.seconds is None:
            return float("inf")
        return max(0.0, self.seconds - self.elapsed())

    def share(self, part: float, keep: float = 0.0) -> Self:
        """Answer a budget that begins now: `part` (0 to 1) of what is left above `keep` seconds."""
        seconds = None if self.seconds is None else part * max(0.0, self.left() - keep)
        return type(self)(seconds, self.clock, self.given_up, costs=self.costs)

    @contextmanager
    def timed(self, what: str, size: float = 1.0, tells: bool = True) -> Iterator[None]:
        """Put down what the block takes, for `expected`; see Costs.took."""
        since = self.clock()
        yield
        self.costs.took(what, self.clock() - since, size, tells)

    def expected(self, what: str, size: float = 1.0, unknown: float = 0.0) -> float:
        """Answer the seconds that a step is taken to need at the pace of now."""
        return self.costs.expected(what, size, unknown)

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

    Cases of tuning shrink with the time there is, down to a floor; what is chosen smaller already
    stays. Events do not: what is learned from all while tuning need not be learned again.
    """
    if budget.seconds is None or budget.seconds >= _FULL:
        return settings
    before = settings.tuning_scores
    scores = min(before, max(_LEAST_SCORES, int(before * budget.seconds / _FULL)))
    if scores < before:
        budget.give_up(f"tuning_scores {scores:,} of {before:,}")
    return replace(settings, tuning_scores=scores)


def in_turns(count: int, each: int, budget: Budget, what: str) -> Iterator[range]:
    """Answer the numbers below `count` in parts of `each`, while there is time for another.

    The first part is always answered; another is taken to need what the last one did. What was
    left out is put down as `what` with how many of them there were time for.
    """
    done = 0
    while done < count:
        since = budget.elapsed()
        part = range(done, min(done + each, count))
        yield part
        done = part.stop
        took = budget.elapsed() - since
        if done < count and budget.bounded and took > budget.left():
            budget.give_up(f"{what}: {done:,} of {count:,}")
            return
