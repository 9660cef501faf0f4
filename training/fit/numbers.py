"""Every member's own numbers: carried on from the last champion, or tuned, within a budget.

A member whose numbers still do as well as when they were found keeps them: that saves all its
trials. All members are learned once before any is tuned, so that there is something to answer
with early; what there is no time for is left out, the least worth first, and said.
Knows nothing of the blend, the ranker or the test split.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from training.fit.budget import Budget
from training.fit.members import MEMBER_FITS, Learner, Params
from training.fit.settings import RecommendSettings
from training.fit.tuning import Best, Judge, Tuned, first_of, tune_member

WORTH = (
    "popularity",
    "trend",
    "category",
    "repeats",
    "graph",
    "factors",
    "content",
    "filter",
    "neighbours",
    "transformer",
    "ease",
)
"""Members by what they are worth for their cost: with too little time the last go first."""

ESSENTIAL = frozenset({"popularity", "trend", "repeats", "graph", "content"})
"""Members that are always learned, whatever the budget; their tuning may still be cut short."""

GUESSES: dict[str, Callable[[int, int], float]] = {
    "factors": lambda items, events: 1e-5 * events + 5e-5 * items,
    "filter": lambda items, events: 1.5e-5 * events + 3e-4 * items,
    "ease": lambda items, events: min(4e-11 * items**3, 5e-4 * items) + 1e-6 * events,
}
"""Seconds that learning takes before it was ever measured, of n items and e events."""

TIMED = 0.35
"""Share of the budget that one learning may take of a member that keeps to a time of its own."""

BESIDES = 0.8
"""Share of the time for numbers that is left, of which it may take no more."""

SHORTEST = 8.0
"""Seconds below which such a member is not worth beginning."""

REST = 0.3
"""Share of the budget that is kept for weights, ranker, learning again and measuring."""

DEAR = 0.05
"""A member that takes more of the budget is learned again only if there is time in the end."""

AGAIN = 2
"""A member is learned again for the test and for release."""

_NOISE = 2.0
"""Deviations by which numbers may do worse than they did, before they are tuned again."""


def by_worth(names: Sequence[str]) -> list[str]:
    """Answer the names in the order of worth; names it does not know come last."""
    return sorted(names, key=lambda name: WORTH.index(name) if name in WORTH else len(WORTH))


def still_holds(values: npt.NDArray[np.float64], before: float) -> bool:
    """Tell whether float64[c] do no worse than the mean of as many others, but for noise."""
    if len(values) < 2:
        return False
    # Both means are of samples: the one before is taken to be as uncertain as this one.
    noise = np.sqrt(2.0) * values.std(ddof=1) / np.sqrt(len(values))
    return bool(values.mean() + _NOISE * noise >= before)


class _Numbers:
    """One search for the numbers of every member that there is time for."""

    def __init__(
        self,
        learner: Learner,
        judge: Judge,
        settings: RecommendSettings,
        budget: Budget,
        grown: float,
    ) -> None:
        self._learner, self._judge, self._settings = learner, judge, settings
        self.budget = budget
        self._events = len(learner.lesson.known.items)
        self._items = learner.lesson.known.n_items
        # What is learned from some of the events only will be learned from all of them.
        self._grown, self.whole = grown, grown <= 1
        self._guessed = self._took = 0.0

    def fixed(self, name: str) -> Params:
        """Answer the numbers that are not tried: as chosen, and how long it may learn."""
        fixed = dict(self._settings.fixed.get(name, {}))
        start = {**MEMBER_FITS[name].start, **fixed}
        if self.budget.seconds is None or "seconds" not in start:
            return fixed
        room = TIMED * self.budget.seconds / (1 if self.whole else 2)
        # A little is for what it does besides: to begin, and to be brought into its last form.
        room = min(room, BESIDES * self._room() / (1 if self.whole else 2))
        if start["seconds"] is None or start["seconds"] > room:
            fixed["seconds"] = room
        return fixed

    def _room(self) -> float:
        """Answer the seconds that may be spent on numbers now."""
        return self.budget.left() - REST * (self.budget.seconds or 0.0)

    def affordable(self, name: str, fixed: Params) -> bool:
        """Tell whether there is time to learn it at all; if not, that is put down."""
        if not self.budget.bounded or name in ESSENTIAL:
            return True
        own = fixed.get("seconds")
        if own is not None and own < SHORTEST:
            self.budget.give_up(f"{name}: {max(own, 0.0):.0f} s are too few to learn it")
            return False
        guess = self._guess(name)
        if (
            own is not None
            or guess * (1.0 if self.whole else 1.0 + self._grown**0.5) <= self._room()
        ):
            return True
        self.budget.give_up(f"{name}: no time to learn it, about {guess:.0f} s")
        return False

    def _guess(self, name: str) -> float:
        """Answer the seconds to learn it, by how far guesses were out so far on this machine."""
        guess = GUESSES[name](self._items, self._events) if name in GUESSES else 0.0
        return guess * max(1.0, self._took / self._guessed if self._guessed else 1.0)

    def first(self, name: str, params: Params) -> tuple[Best, npt.NDArray[np.float64]]:
        """Learn it with its first numbers; answer it and float64[c], its NDCG at 10 alone."""
        since = self.budget.elapsed()
        found = first_of(name, self._learner, self._judge, params, self.budget)
        if name in GUESSES:
            self._guessed += GUESSES[name](self._items, self._events)
            self._took += self.budget.elapsed() - since
        return found

    def _learning(self, name: str) -> float:
        grown = self._grown ** (0.0 if self.whole else 0.5)
        return self.budget.expected(f"learn {name}", self._events) * grown

    def tune(
        self,
        name: str,
        best: Best,
        fixed: Params,
        later: Sequence[str],
        step: Callable[[str], None],
    ) -> tuple[Best, list[dict[str, Any]]]:
        """Try its other numbers within a share of what is left.

        later: all that are still to be tuned. Kept is what learning everything again will take,
        for those that are dear only their own: there is no trial of what could not be learned
        again with what it finds.
        """
        whole = self.budget.seconds or 0.0
        again = [self._learning(one) for one in MEMBER_FITS if one != name]
        kept = AGAIN * sum(seconds for seconds in again if seconds <= DEAR * whole)
        kept += AGAIN * self._learning(name) + REST * whole
        # Twice an even share of what is left: the first in the order are worth the most.
        share = self.budget.share(min(1.0, 2 / (len(later) + 1)), kept)
        return tune_member(name, self._learner, self._judge, fixed, step, best=best, budget=share)


def tune_numbers(
    names: Sequence[str],
    learner: Learner,
    judge: Judge,
    settings: RecommendSettings,
    budget: Budget,
    step: Callable[[str], None],
    *,
    grown: float = 1.0,
) -> Tuned:
    """Answer the numbers and the NDCG at 10 alone of every member that there is time for.

    grown: how many times the learner's events will be learned from once numbers are found. First
    all are learned once, so that there is something of each; then numbers are tried.
    Members left out are missing in `params`.
    """
    search, tuned, last = _Numbers(learner, judge, settings, budget, grown), Tuned(), settings.last
    found: dict[str, tuple[Best, Params]] = {}
    for name in by_worth(names):
        fixed = search.fixed(name)
        if not search.affordable(name, fixed):
            continue
        begin: Params = last.get("params", {}).get(name, {})
        best, values = search.first(name, {**MEMBER_FITS[name].start, **begin, **fixed})
        step(f"{name} first")
        found[name] = best, fixed
        before = last.get("alone", {}).get(name)
        if begin and before is not None and still_holds(values, before):
            tuned.carried.append(name)
    open_ = [name for name in found if name not in tuned.carried]
    for place, name in enumerate(open_):
        best, trials = search.tune(name, *found[name], open_[place + 1 :], step)
        found[name] = best, found[name][1]
        tuned.trials += trials
    for name, (best, _) in found.items():
        tuned.params[name], tuned.alone[name] = best.params, best.alone
        tuned.members[name] = best.member
    tuned.judged = dict(tuned.alone)
    return tuned
