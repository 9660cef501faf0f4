"""How well effects are ordered: the gain curve, the Qini coefficient, what a reach saves.

The truth about one person is never seen, only an estimate whose mean is right: the outcome over
the chance of what was dealt (Horvitz and Thompson, 1952), with each arm's mean taken off. Ordered
by a score, its running sum is the gain curve, and the area between the curve and the straight line
of contacting at random is the Qini coefficient (Radcliffe, 2007), in good outcomes a head. Knows
nothing of models.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from models.bundle import Metric

F64 = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
_ENDS = (0.025, 0.975)


def seen_effects(treated: Flags, outcome: F64, propensity: F64) -> F64:
    """Answer float64[n], an estimate of each one's effect that is right on average.

    propensity: the chance of contact. Raises ValueError when an arm is empty.
    """
    if treated.all() or not treated.any():
        raise ValueError("an effect is seen between two arms; one of them is empty")
    weight = 1 / np.where(treated, propensity, 1 - propensity)
    with_, without = (
        float(np.average(outcome[arm], weights=weight[arm])) for arm in (treated, ~treated)
    )
    sign = np.where(treated, 1.0, -1.0)
    return with_ - without + sign * weight * (outcome - np.where(treated, with_, without))


class Order:
    """People in the order of a score, best first; who is tied stands at the middle of the tie."""

    def __init__(self, score: F64) -> None:
        self._sorted = np.argsort(-score, kind="stable")
        ordered = score[self._sorted]
        self._starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]][: len(score)])

    def totals(self, effects: F64, weight: F64) -> tuple[F64, F64]:
        """Answer, of each tie, the summed effects and the weight; each person counts `weight`."""
        w = weight[self._sorted]
        sums = np.add.reduceat(effects[self._sorted] * w, self._starts)
        return sums, np.add.reduceat(w, self._starts)

    def places(self) -> F64:
        """Answer float64[n], how far down the order each stands, 0 to 1."""
        n = len(self._sorted)
        counts = np.diff(np.r_[self._starts, n])
        out = np.empty(n)
        out[self._sorted] = np.repeat((self._starts + counts / 2) / n, counts)
        return out


def qini_cases(score: F64, effects: F64) -> F64:
    """Answer float64[n] whose mean is the Qini coefficient: effects times 1/2 less the place.

    The area under the curve gives everyone's effect the weight of the reaches that hold them,
    1 - place; the straight line gives everyone 1/2.
    """
    return effects * (0.5 - Order(score).places())


def _qini(sums: F64, weights: F64) -> float:
    total = weights.sum()
    middle = (np.cumsum(weights) - weights / 2) / total
    return float(sums @ (0.5 - middle) / total)


def _saved(sums: F64, weights: F64, reach: float) -> float:
    total = weights.sum()
    before = np.cumsum(weights) - weights
    room = np.maximum(weights, 1e-12)
    return float(sums @ np.clip((reach * total - before) / room, 0, 1) / total)


def _draws(n: int, rounds: int, seed: int) -> Iterator[F64]:
    rng = np.random.default_rng(seed)
    for _ in range(rounds):
        yield np.bincount(rng.integers(0, n, n), minlength=n).astype(np.float64)


def _measured(measure: Callable[[F64], float], n: int, rounds: int, seed: int) -> Metric:
    value = measure(np.ones(n))
    low, high = np.quantile([measure(weight) for weight in _draws(n, rounds, seed)], _ENDS)
    return Metric(value, float(low), float(high))


def qini(score: F64, effects: F64, *, rounds: int = 1000, seed: int = 0) -> Metric:
    """Answer the Qini coefficient with its 95 % percentile interval; 0 is contacting at random.

    People are redrawn, and stand anew, each time.
    """
    order = Order(score)
    return _measured(lambda w: _qini(*order.totals(effects, w)), len(score), rounds, seed)


def qini_difference(
    score: F64, other: F64, effects: F64, *, rounds: int = 1000, seed: int = 0
) -> Metric:
    """Answer by how much the coefficient of a score is above another's, paired by person."""
    ours, theirs = Order(score), Order(other)

    def measure(weight: F64) -> float:
        return _qini(*ours.totals(effects, weight)) - _qini(*theirs.totals(effects, weight))

    return _measured(measure, len(score), rounds, seed)


def saved(
    score: F64, effects: F64, reach: float = 0.2, *, rounds: int = 1000, seed: int = 0
) -> Metric:
    """Answer good outcomes a head gained by contacting the first `reach` of the order.

    Who is tied at its end is taken in part. With its 95 % interval; `rounds` 0 leaves it out.
    """
    order = Order(score)

    def measure(weight: F64) -> float:
        return _saved(*order.totals(effects, weight), reach)

    if not rounds:
        value = measure(np.ones(len(score)))
        return Metric(value, value, value)
    return _measured(measure, len(score), rounds, seed)


class Curve(NamedTuple):
    """The gain of each reach, 0 to 1, with the ends of its 95 % interval; float64[m] each."""

    reach: F64
    gain: F64
    low: F64
    high: F64


def gain_curve(
    score: F64, effects: F64, *, points: int = 21, rounds: int = 200, seed: int = 0
) -> Curve:
    """Answer good outcomes a head gained by contacting the first of the order, at even reaches."""
    order, reach = Order(score), np.linspace(0, 1, points)

    def gains(weight: F64) -> list[float]:
        sums, weights = order.totals(effects, weight)
        return [_saved(sums, weights, float(one)) for one in reach]

    drawn = [gains(weight) for weight in _draws(len(score), rounds, seed)]
    low, high = np.quantile(drawn, _ENDS, axis=0)
    return Curve(reach, np.array(gains(np.ones(len(score)))), low, high)
