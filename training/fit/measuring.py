"""A fit's figures on its test split, on as many cases and resamples as there is time for.

Cases are drawn at random, so that fewer give wider intervals and nothing else. Knows nothing of
how the model came about.
"""

from functools import partial
from typing import NamedTuple

import numpy as np

from models.recommend.model import RecommendModel
from training.evaluate.ranking import contenders
from training.evaluate.report import Report, report
from training.fit.budget import Budget, in_turns
from training.fit.settings import RecommendSettings
from training.metrics import CUTS
from training.splits import Cases, Interactions

PART = 100
"""Cases between two looks at the clock."""
RANKING = 0.7
"""Share of the time that lists may take; the rest is for the resamples."""
_FEW, _SOME = 5, 25
LEAST_ROUNDS = 100


class Asked(NamedTuple):
    """What is asked: cases are places of `full`; `known` is what the model was learned from."""

    full: Interactions
    cases: Cases
    known: Interactions


def measured(
    model: RecommendModel,
    names: list[str],
    asked: Asked,
    settings: RecommendSettings,
    budget: Budget,
) -> Report:
    """Answer the report of the model and of each member named, by the exact lists of all items."""
    full, cases, known = asked
    order, each = np.arange(len(cases)), max(len(cases), 1)
    if budget.bounded:
        order, each = np.random.default_rng(settings.seed).permutation(len(cases)), PART
    found = [contenders(model, names, full, cases.take(order[:0]), max(CUTS), settings.threads)]
    done = 0
    for turn in in_turns(len(cases), each, budget.share(RANKING), "cases of the test"):
        some = cases.take(order[turn.start : turn.stop])
        found.append(contenders(model, names, full, some, max(CUTS), settings.threads))
        done = turn.stop
    lists = {name: np.concatenate([one[name] for one in found]) for name in found[0]}
    tell = partial(report, lists, full, cases.take(order[:done]), known, seed=settings.seed)
    rounds = settings.rounds
    if budget.bounded:
        seconds: list[float] = []
        for few in (_FEW, _SOME):
            since = budget.elapsed()
            tell(rounds=few)
            seconds.append(budget.elapsed() - since)
        each_round = max((seconds[1] - seconds[0]) / (_SOME - _FEW), 1e-9)
        room = int((budget.left() - seconds[0]) / each_round)
        if room < rounds:
            rounds = min(rounds, max(room, LEAST_ROUNDS))
            budget.give_up(f"resamples for intervals: {rounds:,} of {settings.rounds:,}")
    return tell(rounds=rounds)
