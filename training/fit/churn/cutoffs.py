"""Which cut-offs there are: rolling tests at the end, those learned from on one grid before.

Knows nothing of labels or of who is in the population.
"""

from typing import NamedTuple

import numpy as np

from domain.clock import DAY_MS
from training.fit.churn.settings import ChurnSettings


class Cutoffs(NamedTuple):
    """Times in ms UTC, rising. tests: asked about. learned: every cut-off with a known label.
    open: later ones whose window is not over, of use to the hazard only."""

    tests: tuple[int, ...]
    learned: tuple[int, ...]
    open: tuple[int, ...]


def cutoffs(first: int, until: int, settings: ChurnSettings) -> Cutoffs:
    """Lay out cut-offs between the first event and `until` (both ms UTC).

    The last test is the last cut-off whose window is over. Tests lie one window apart where the
    log is long enough, else as far as leaves a quarter of the room to learn from before the
    first. The grid of what is learned from widens until it has at most max_cutoffs.
    """
    meaning = settings.meaning()
    window, horizon = meaning.window_ms, meaning.horizon_ms
    start = first + max(round(meaning.history_days * DAY_MS), horizon // 3)
    last = until - window
    room = max(0, last - window - start)
    apart = min(window, round(0.75 * room / (settings.test_cutoffs - 1)))
    tests = tuple(last - apart * back for back in reversed(range(settings.test_cutoffs)))
    step = max(round(settings.step_days * DAY_MS), (last - start) // settings.max_cutoffs, 1)
    grid = set(range(last, start - 1, -step))
    # Each test may learn up to the very last label known by then.
    grid |= {test - window for test in tests if test - window >= start}
    later = tuple(range(last + max(step, horizon // 4), until - horizon // 4, max(step, 1)))
    return Cutoffs(tests, tuple(sorted(grid | set(tests))), later)


def drawn(times: tuple[int, ...], most: int) -> tuple[int, ...]:
    """Keep at most `most` times, evenly spread."""
    if len(times) <= most:
        return times
    return tuple(times[place] for place in np.linspace(0, len(times) - 1, most).round().astype(int))
