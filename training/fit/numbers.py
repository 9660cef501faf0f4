"""Every member's own numbers: carried on from the last champion, or tuned, within a budget.

A member whose numbers still do as well as when they were found keeps them: that saves all its
trials. What there is no time for is left out, the dearest and least worth first, and said.
Knows nothing of the blend, the ranker or the test split.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from training.evaluate.ranking import rank
from training.fit.budget import Budget
from training.fit.members import MEMBER_FITS, Learner, Params
from training.fit.settings import RecommendSettings
from training.fit.tuning import Judge, Tuned, tune_member
from training.metrics import per_case

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

ESSENTIAL = frozenset({"popularity", "trend", "repeats", "graph", "factors", "content"})
"""Members that are always learned, whatever the budget; their tuning may still be cut short."""

GUESSES: dict[str, Callable[[int, int], float]] = {
    "ease": lambda items, events: min(4e-11 * items**3, 5e-4 * items) + 1e-6 * events,
}
"""Seconds that learning takes before it was ever measured, of n items and e events."""

TIMED = 0.1
"""Share of the budget that one learning may take of a member that keeps to a time of its own."""

SHORTEST = 8.0
"""Seconds below which such a member is not worth beginning."""

AGAIN = 3
"""A member that was tuned is learned again for validation, for the test and for release."""

_FOR_TUNING, _FOR_THE_REST = 0.6, 0.35
"""Shares of the budget: for the members' numbers, and for weights, ranker and measuring."""

_NOISE = 2.0
"""Deviations by which numbers may do worse than they did, before they are tuned again."""


def by_worth(names: Sequence[str]) -> list[str]:
    """Answer the names in the order of worth; names it does not know come last."""
    return sorted(names, key=lambda name: WORTH.index(name) if name in WORTH else len(WORTH))


def values_of(member: Any, name: str, judge: Judge) -> npt.NDArray[np.float64]:
    """Answer float64[c]: NDCG at 10 of the member alone, for each of the judge's cases."""
    one = np.ones((1, 1), np.float32)
    model = judge.assemble({name: member}, one[0])
    lists = rank(model, one, judge.full, judge.cases, 10, judge.threads)[0]
    found = per_case(lists, judge.cases.targets, judge.cases.target_offsets, (10,))
    return found["ndcg_at_10"]


def still_holds(values: npt.NDArray[np.float64], before: float) -> bool:
    """Tell whether float64[c] do no worse than the mean of as many others, but for noise."""
    if len(values) < 2:
        return False
    # Both means are of samples: the one before is taken to be as uncertain as this one.
    noise = np.sqrt(2.0) * values.std(ddof=1) / np.sqrt(len(values))
    return bool(values.mean() + _NOISE * noise >= before)


def _kept(budget: Budget, spent: Mapping[str, float]) -> float:
    """Answer the seconds that must stay: for learning again what is spent on, and for the rest."""
    return _FOR_THE_REST * (budget.seconds or 0.0) + AGAIN * sum(spent.values())


def _limits(names: Sequence[str], settings: RecommendSettings, budget: Budget) -> dict[str, Params]:
    """Answer the `seconds` that members with such a number may learn for under the budget."""
    if budget.seconds is None:
        return {}
    room = TIMED * budget.seconds
    out: dict[str, Params] = {}
    for name in names:
        start = {**MEMBER_FITS[name].start, **settings.fixed.get(name, {})}
        if "seconds" in start and (start["seconds"] is None or start["seconds"] > room):
            out[name] = {"seconds": room}
    return out


def _guesses(
    names: Sequence[str], limits: Mapping[str, Params], items: int, events: int
) -> dict[str, float]:
    """Answer the seconds that one learning is taken to need before it was measured."""
    own = {name: limits[name]["seconds"] for name in limits}
    own |= {name: GUESSES[name](items, events) for name in names if name in GUESSES}
    return {name: own.get(name, 0.0) for name in names}


def _affordable(order: Sequence[str], guesses: Mapping[str, float], budget: Budget) -> list[str]:
    """Answer the members that there is time for, by what is known of their costs beforehand.

    Those given up are put down. One that keeps to a time needs at least SHORTEST of it.
    """
    room, out = budget.left() * (1 - _FOR_THE_REST), list[str]()
    for name in order:
        need = (1 + AGAIN) * guesses[name]
        if need > room and name not in ESSENTIAL:
            budget.give_up(f"{name}: learning takes about {guesses[name]:.0f} s")
        elif 0 < guesses[name] < SHORTEST and name not in GUESSES and name not in ESSENTIAL:
            budget.give_up(f"{name}: {guesses[name]:.0f} s are too few to learn it")
        else:
            room -= need
            out.append(name)
    return out


def tune_numbers(
    names: Sequence[str],
    learner: Learner,
    judge: Judge,
    settings: RecommendSettings,
    budget: Budget,
    step: Callable[[str], None],
) -> Tuned:
    """Answer the numbers and the NDCG at 10 alone of every member that there is time for.

    Members left out are missing in `params`. Where the learner has a sample of the events,
    learning from all is taken to cost more by the square root of how many more they are: some
    members cost in proportion, others the same.
    """
    tuned, spent, last = Tuned(), dict[str, float](), settings.last
    known = learner.lesson.known
    grown = max(1.0, len(judge.full.items) / max(len(known.items), 1)) ** 0.5
    order = by_worth(names)
    limits = _limits(order, settings, budget)
    guesses = _guesses(order, limits, known.n_items, len(judge.full.items))
    order = _affordable(order, guesses, budget)
    for place, name in enumerate(order):
        fixed = {**settings.fixed.get(name, {}), **limits.get(name, {})}
        begin: Params = last.get("params", {}).get(name, {})
        first = {**MEMBER_FITS[name].start, **begin, **fixed}
        since = budget.elapsed()
        member = learner.member(name, first)
        seconds = (budget.elapsed() - since) * (1.0 if name in limits else grown)
        again = _kept(budget, spent) + AGAIN * seconds
        what = f"{name}: learning took {seconds:.0f} s"
        if name not in ESSENTIAL and not budget.affords(0.0, what, again):
            continue
        spent[name] = seconds
        before = last.get("alone", {}).get(name)
        if begin and before is not None:
            values = values_of(member, name, judge)
            if still_holds(values, before):
                tuned.params[name], tuned.alone[name] = first, float(values.mean())
                tuned.carried.append(name)
                step(f"{name} as before")
                continue
        # Twice an even share of what is left: the first in the order are worth the most.
        part = min(1.0, 2 * _FOR_TUNING / (len(order) - place))
        later = (1 + AGAIN) * sum(guesses[other] for other in order[place + 1 :])
        share = budget.share(part, _kept(budget, spent) + later)
        params, best, trials = tune_member(
            name, learner, judge, fixed, step, begin=begin, budget=share
        )
        tuned.params[name], tuned.alone[name] = params, best
        tuned.trials += trials
    tuned.judged = dict(tuned.alone)
    return tuned
