"""Tuning each member's own numbers on validation cases.

One number at a time, keeping what is better. Knows nothing of the test split: it is given
validation cases only.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from models.recommend.model import RecommendModel
from training.evaluate.ranking import mean_ndcg
from training.fit.blending import Decision
from training.fit.budget import Budget
from training.fit.members import MEMBER_FITS, Learner, Params
from training.splits import Cases, Interactions


@dataclass
class Tuned:
    """What tuning found: numbers by member, weights by member, and every trial on the way.

    carried: members whose numbers are the last champion's, since they still hold. judged: what
    each member had alone when its numbers were chosen, learned from what tuning learned from.
    """

    params: dict[str, Params] = field(default_factory=dict)
    weights: dict[str, float] = field(default_factory=dict)
    alone: dict[str, float] = field(default_factory=dict)
    blend: float = 0.0
    trials: list[dict[str, Any]] = field(default_factory=list)
    carried: list[str] = field(default_factory=list)
    decision: Decision | None = None
    judged: dict[str, float] = field(default_factory=dict)


Assemble = Callable[[dict[str, Any], npt.NDArray[np.float32]], RecommendModel]


@dataclass(frozen=True)
class Judge:
    """Judges members by NDCG at 10 on cases. `assemble` makes a model of members and weights."""

    full: Interactions
    cases: Cases
    assemble: Assemble
    threads: int

    def __call__(
        self, members: dict[str, Any], weights: npt.NDArray[np.float32]
    ) -> npt.NDArray[np.float64]:
        """Answer float64[g] for weights float32[g, m]."""
        model = self.assemble(members, weights[0])
        return mean_ndcg(model, weights, self.full, self.cases, threads=self.threads)


def tune_member(
    name: str,
    learner: Learner,
    judge: Judge,
    fixed: Params,
    step: Callable[[str], None],
    *,
    begin: Params | None = None,
    budget: Budget | None = None,
) -> tuple[Params, float, list[dict[str, Any]]]:
    """Answer (numbers, NDCG at 10, trials) of the member alone, one number after the other.

    begin: numbers to begin from, in place of the usual ones. budget: no trial is begun that
    would outlast it, taken to last as long as the one before; the first is always made.
    """
    how, budget = MEMBER_FITS[name], budget or Budget()
    params = {**how.start, **(begin or {}), **fixed}
    one = np.ones((1, 1), np.float32)
    since = budget.elapsed()
    best = float(judge({name: learner.member(name, params)}, one)[0])
    took = budget.elapsed() - since
    trials = [{"member": name, **params, "ndcg_at_10": best}]
    for number, candidates in how.tried.items():
        if number in fixed:
            continue
        start = params[number]
        for candidate in candidates:
            if candidate == start:
                continue
            if not budget.affords(took, f"part of the tuning of {name}"):
                return params, best, trials
            tried, since = {**params, number: candidate}, budget.elapsed()
            score = float(judge({name: learner.member(name, tried)}, one)[0])
            took = budget.elapsed() - since
            trials.append({"member": name, **tried, "ndcg_at_10": score})
            step(f"{name} {number}")
            if score > best:
                best, params = score, tried
    return params, best, trials
