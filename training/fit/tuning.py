"""Tuning each member's own numbers on validation cases.

One number at a time, keeping what is better. Knows nothing of the test split: it is given
validation cases only.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from models.recommend.member import Member
from models.recommend.model import RecommendModel
from training.evaluate.ranking import mean_ndcg, rank
from training.fit.blending import Decision
from training.fit.budget import Budget
from training.fit.members import MEMBER_FITS, Learner, Params, varied
from training.metrics import per_case
from training.splits import Cases, Interactions


@dataclass
class Tuned:
    """What tuning found: numbers by member, weights by member, and every trial on the way.

    carried: members whose numbers are the last champion's, since they still hold. judged: what
    each member had alone when its numbers were chosen, learned from what tuning learned from.
    members: those very members; whoever has no more use for them lets them go.
    """

    params: dict[str, Params] = field(default_factory=dict)
    weights: dict[str, float] = field(default_factory=dict)
    alone: dict[str, float] = field(default_factory=dict)
    blend: float = 0.0
    trials: list[dict[str, Any]] = field(default_factory=list)
    carried: list[str] = field(default_factory=list)
    decision: Decision | None = None
    judged: dict[str, float] = field(default_factory=dict)
    members: dict[str, Member] = field(default_factory=dict)


Assemble = Callable[[dict[str, Any], npt.NDArray[np.float32]], RecommendModel]


@dataclass(frozen=True)
class Judge:
    """Judges members by NDCG at 10 on cases. `assemble` makes a model of members and weights."""

    full: Interactions
    cases: Cases
    assemble: Assemble
    threads: int

    def values(self, name: str, member: Member) -> npt.NDArray[np.float64]:
        """Answer float64[c]: NDCG at 10 of the member alone, for each of the cases."""
        one = np.ones((1, 1), np.float32)
        model = self.assemble({name: member}, one[0])
        lists = rank(model, one, self.full, self.cases, 10, self.threads)[0]
        found = per_case(lists, self.cases.targets, self.cases.target_offsets, (10,))
        return found["ndcg_at_10"]

    def __call__(
        self, members: dict[str, Any], weights: npt.NDArray[np.float32]
    ) -> npt.NDArray[np.float64]:
        """Answer float64[g] for weights float32[g, m]."""
        model = self.assemble(members, weights[0])
        return mean_ndcg(model, weights, self.full, self.cases, threads=self.threads)


class Best(NamedTuple):
    """The best numbers tried, the member learned with them, and its NDCG at 10 alone."""

    params: Params
    member: Member
    alone: float


def timed_itself(params: Params) -> bool:
    """Tell whether a member with these numbers learns for a time of its own, at whatever pace."""
    return params.get("seconds") is not None


def first_of(
    name: str, learner: Learner, judge: Judge, params: Params, budget: Budget
) -> tuple[Best, npt.NDArray[np.float64]]:
    """Answer the member learned with its first numbers, and float64[c], its NDCG at 10 alone.

    What learning and judging took is put down.
    """
    known = len(learner.lesson.known.items)
    with budget.timed(f"learn {name}", known, tells=not timed_itself(params)):
        member = learner.member(name, params)
    with budget.timed(f"judge {name}", len(judge.cases)):
        values = judge.values(name, member)
    return Best(params, member, float(values.mean())), values


def tune_member(
    name: str,
    learner: Learner,
    judge: Judge,
    fixed: Params,
    step: Callable[[str], None],
    *,
    best: Best | None = None,
    budget: Budget | None = None,
) -> tuple[Best, list[dict[str, Any]]]:
    """Answer (the best, trials) of the member alone, one number after the other.

    best: what to begin from; None: the usual numbers. budget: no trial is begun that would
    outlast it, taken to need what it would at the pace of now.
    """
    how, budget = MEMBER_FITS[name], budget or Budget()
    if best is None:
        best, _ = first_of(name, learner, judge, {**how.start, **fixed}, budget)
    trials = [{"member": name, **best.params, "ndcg_at_10": best.alone}]
    events, cases = len(learner.lesson.known.items), len(judge.cases)
    for number, candidates in how.tried.items():
        if number in fixed:
            continue
        start = best.params[number]
        for candidate in candidates:
            if candidate == start:
                continue
            needed = budget.expected(f"judge {name}", cases)
            if number not in how.free:
                needed += budget.expected(f"learn {name}", events)
            if not budget.affords(needed, f"part of the tuning of {name}"):
                return best, trials
            tried = {**best.params, number: candidate}
            if number in how.free:
                member = varied(name, best.member, tried)
            else:
                with budget.timed(f"learn {name}", events, tells=False):
                    member = learner.member(name, tried)
            with budget.timed(f"judge {name}", cases):
                score = float(judge.values(name, member).mean())
            trials.append({"member": name, **tried, "ndcg_at_10": score})
            step(f"{name} {number}")
            if score > best.alone:
                best = Best(tried, member, score)
    return best, trials
