"""The judge of intent: every scorer on the same rows, after the first, third, fifth, tenth event.

Accuracy is told beside what always saying the commoner answer would reach, and balanced accuracy
beside it, because few sessions end in a purchase. Users are redrawn for the intervals, not rows:
one user's sessions resemble each other. Knows nothing of models.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from models.bundle import Metric
from training.evaluate.probabilities import auc, average_precision, losses

F64 = npt.NDArray[np.float64]
Labels = npt.NDArray[np.uint8]
EVENTS = (1, 3, 5, 10)
EVEN = 0.5


def _right(y: Labels, p: F64, threshold: float) -> npt.NDArray[np.bool_]:
    return (p >= threshold) == (y > 0)


def accuracy(y: Labels, p: F64, threshold: float, weight: F64 | None = None) -> float:
    """Answer the share of rows answered right when p >= threshold says yes."""
    return float(np.average(_right(y, p, threshold), weights=weight))


def balanced_accuracy(y: Labels, p: F64, threshold: float, weight: F64 | None = None) -> float:
    """Answer the mean of the shares answered right among yes and among no; NaN with one only."""
    w = np.ones(len(y)) if weight is None else weight
    right = _right(y, p, threshold)
    shares: list[float] = []
    for rows in (y > 0, y == 0):
        if w[rows].sum() <= 0:
            return float("nan")
        shares.append(float(np.average(right[rows], weights=w[rows])))
    return float(np.mean(shares))


class Rows(NamedTuple):
    """n rows to judge on. y: uint8[n]. owner: int64[n] or uint64[n], whose each is. scores: name
    → float64[n], probabilities; "model" is named without its name in front."""

    y: Labels
    owner: npt.NDArray[np.integer]
    scores: Mapping[str, F64]


def measure_rows(
    rows: Rows, threshold: float, *, rounds: int = 200, seed: int = 0
) -> dict[str, Metric]:
    """Answer every metric of every scorer, with intervals.

    threshold: what says yes for balanced_accuracy; take how common the goal was where was
    learned, never here. Of each scorer: auc, average_precision, log_loss, balanced_accuracy, and
    accuracy, where one half says yes. Of the rows: rows, base_rate, majority_accuracy. Without
    rows, just that there are none.
    """
    y = rows.y
    out = {"rows": Metric(*[float(len(y))] * 3)}
    if not len(y):
        return out
    draws = _draws(rows.owner, rounds, seed)

    def told(measured: Callable[[F64 | None], float]) -> Metric:
        return _interval(measured(None), [measured(weight) for weight in draws])

    def common(weight: F64 | None) -> float:
        rate = float(np.average(y, weights=weight))
        return max(rate, 1 - rate)

    out["base_rate"] = told(lambda w: float(np.average(y, weights=w)))
    for name, p in rows.scores.items():
        prefix = "" if name == "model" else f"{name}_"
        lost = losses(y, p)
        measures: dict[str, Callable[[F64 | None], float]] = {
            "auc": lambda w, p=p: auc(y, p, w),
            "average_precision": lambda w, p=p: average_precision(y, p, w),
            "log_loss": lambda w, lost=lost: float(np.average(lost, weights=w)),
            "balanced_accuracy": lambda w, p=p: balanced_accuracy(y, p, threshold, w),
            "accuracy": lambda w, p=p: accuracy(y, p, EVEN, w),
        }
        out |= {prefix + what: told(measured) for what, measured in measures.items()}
    # Last: a scorer called "majority" learned elsewhere which answer is the commoner.
    out["majority_accuracy"] = told(common)
    return out


def _draws(owner: npt.NDArray[np.integer], rounds: int, seed: int) -> list[F64]:
    owners, place = np.unique(owner, return_inverse=True)
    rng = np.random.default_rng(seed)
    count = len(owners)
    return [
        np.bincount(rng.integers(0, count, count), minlength=count)[place].astype(np.float64)
        for _ in range(rounds)
    ]


def _interval(value: float, drawn: list[float]) -> Metric:
    good = [one for one in drawn if one == one]
    if value != value or not good:
        return Metric(value, value, value)
    low, high = np.percentile(good, [2.5, 97.5])
    return Metric(value, min(float(low), value), max(float(high), value))


def judge_events(
    rows: Rows,
    position: npt.NDArray[np.int64],
    threshold: float,
    *,
    events: tuple[int, ...] = EVENTS,
    rounds: int = 200,
    seed: int = 0,
) -> dict[str, Metric]:
    """Answer `event_<k>_<metric>` after each of the events; position: int64[n], 1 is the first."""
    out: dict[str, Metric] = {}
    for event in events:
        at = position == event
        scores = {name: np.asarray(p)[at] for name, p in rows.scores.items()}
        part = Rows(rows.y[at], rows.owner[at], scores)
        found = measure_rows(part, threshold, rounds=rounds, seed=seed)
        out |= {f"event_{event}_{name}": metric for name, metric in found.items()}
    return out


def share_of_gap(score: float, floor: float, best: float) -> float:
    """Answer how much of the way from `floor` to `best` a score goes; NaN without a way."""
    return (score - floor) / (best - floor) if best > floor else float("nan")
