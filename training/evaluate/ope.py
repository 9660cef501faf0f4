"""Off-policy evaluation: what a policy would have earned, from a log of another's choices.

Every estimate comes with a 95 % interval from its influence values, corrected for skewness: rewards
are rare and weights long-tailed. Knows nothing of where the log came from or of what earns.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from domain.errors import TooLittleData
from models.bandits.evidence import Evidence
from models.bandits.pooling import pool, said_by
from models.bandits.posterior import believe

Floats = npt.NDArray[np.float64]
LEVEL = 0.95
LEAST_ROWS = 20
LEAST_FREEDOM = 6.0


@dataclass(frozen=True, slots=True)
class Log:
    """n choices and what came of them.

    x: float64[n, d] contexts. arm: int[n]. propensity: float64[n], the probability the arm was
    drawn with. reward: float64[n]. Raises ValueError for lengths that differ, propensities outside
    (0, 1] or numbers that are none, and TooLittleData for fewer than LEAST_ROWS rows.
    """

    x: Floats
    arm: np.ndarray
    propensity: Floats
    reward: Floats

    def __post_init__(self) -> None:
        n = len(self.reward)
        if n < LEAST_ROWS:
            raise TooLittleData(f"off-policy evaluation wants at least {LEAST_ROWS} choices")
        if not len(self.x) == len(self.arm) == len(self.propensity) == n:
            raise ValueError("the columns of a log are equally long")
        if not (np.isfinite(self.reward).all() and np.isfinite(self.x).all()):
            raise ValueError("rewards and contexts are numbers")
        if not ((self.propensity > 0) & (self.propensity <= 1)).all():
            raise ValueError("propensities are above 0 and at most 1")

    def rows(self, chosen: np.ndarray) -> "Log":
        """Answer some of the choices."""
        return Log(self.x[chosen], self.arm[chosen], self.propensity[chosen], self.reward[chosen])


class Estimate(NamedTuple):
    """A value a choice, its 95 % interval, and how many choices the weights amount to (Kish)."""

    value: float
    low: float
    high: float
    effective: float


def interval(value: float, influence: Floats) -> tuple[float, float]:
    """Answer the interval of a mean whose influence values are float64[n], about their mean.

    Student's t is skewed when the values are; Hall's cubic transformation (Hall 1992, "On the
    removal of skewness by transformation") takes that out to first order. The interval leans to
    the side of the long tail, where a rare large value may not have been seen yet. The quantile is
    Student's with as many degrees of freedom as the values' kurtosis leaves (Satterthwaite 1946):
    few large values are few observations of a variance.
    """
    n = len(influence)
    centred = influence - influence.mean()
    variance = float((centred**2).sum() / max(n - 1, 1))
    if variance <= 0:
        return value, value
    skew = float((centred**3).mean() / variance**1.5)
    error, bend = sqrt(variance / n), skew / sqrt(n)
    kurtosis = float((centred**4).mean() / (centred**2).mean() ** 2)
    z = _student(max(min(2.0 * n / max(kurtosis - 1.0, 1e-9), n - 1.0), LEAST_FREEDOM))

    def turned(u: float) -> float:
        if abs(bend) < 1e-8:
            return u
        return float(3 / bend * (np.cbrt(1 + bend * (u - bend / 6)) - 1))

    return value - error * turned(z), value - error * turned(-z)


def _student(freedom: float) -> float:
    """Answer the upper quantile of Student's t for LEVEL: Cornish and Fisher's expansion."""
    z = NormalDist().inv_cdf((1 + LEVEL) / 2)
    first, second = (z**3 + z) / 4, (5 * z**5 + 16 * z**3 + 3 * z) / 96
    return z + first / freedom + second / freedom**2


def _ips(weight: Floats, reward: Floats, _q: Floats, _v: Floats) -> tuple[float, Floats]:
    """Inverse propensity scoring: mean of w r (Horvitz and Thompson 1952)."""
    terms = weight * reward
    return float(terms.mean()), terms


def _snips(weight: Floats, reward: Floats, _q: Floats, _v: Floats) -> tuple[float, Floats]:
    """Self-normalised: sum w r / sum w (Swaminathan and Joachims 2015).

    Influences are the jackknife's: what the value would be without the row, not its slope.
    """
    mean = weight.mean()
    if mean <= 0:
        return 0.0, np.zeros_like(weight)
    value = float((weight * reward).mean() / mean)
    share = np.minimum(weight / weight.sum(), 0.5)
    return value, weight * (reward - value) / (mean * (1.0 - share))


def _dm(_w: Floats, _r: Floats, _q: Floats, v: Floats) -> tuple[float, Floats]:
    """Direct method: what the model of rewards says; its interval does not doubt the model."""
    return float(v.mean()), v


def _dr(weight: Floats, reward: Floats, q: Floats, v: Floats) -> tuple[float, Floats]:
    """Doubly robust: v + w (r - q) (Dudik, Langford and Li 2011)."""
    terms = v + weight * (reward - q)
    return float(terms.mean()), terms


def switch_at(weight: Floats, reward: Floats, q: Floats) -> float:
    """Answer the threshold that least variance and squared bias can be shown for.

    Of ten quantiles of the weights; the bias is bounded by the largest reward times the weight
    that is given up, as its authors have it.
    """
    n, largest = len(weight), float(np.abs(reward).max())
    best, chosen = np.inf, float(weight.max())
    for threshold in np.quantile(weight, np.linspace(0.55, 1.0, 10)):
        kept = weight <= threshold
        variance = float((weight * kept * (reward - q)).var()) / n
        bias = largest * float((weight * ~kept).mean())
        if variance + bias**2 < best:
            best, chosen = variance + bias**2, float(threshold)
    return chosen


def _switch(weight: Floats, reward: Floats, q: Floats, v: Floats) -> tuple[float, Floats]:
    """DR where weights are small, the model alone where not (Wang, Agarwal and Dudik 2017)."""
    kept = weight <= switch_at(weight, reward, q)
    terms = v + weight * kept * (reward - q)
    return float(terms.mean()), terms


Estimator = Callable[[Floats, Floats, Floats, Floats], tuple[float, Floats]]
ESTIMATORS: dict[str, Estimator] = {
    "ips": _ips,
    "snips": _snips,
    "dm": _dm,
    "dr": _dr,
    "switch": _switch,
}
"""Every estimator: (weights, rewards, model at the arm drawn, model's value of the policy)."""
DECIDING = ("snips", "dr")
"""Those that a release must convince."""


def evaluate(log: Log, odds: Floats, predicted: Floats) -> dict[str, Estimate]:
    """Answer what each estimator says of the policy with these odds.

    odds: float64[n, k], the policy's probability of each arm in each context of the log.
    predicted: float64[n, k], a model's rewards, learned without the row it speaks of (`crossfit`).
    Raises ValueError when odds are none or an arm is not among them.
    """
    n, k = odds.shape
    if n != len(log.reward) or predicted.shape != odds.shape:
        raise ValueError("odds and predictions have one row a choice and one column an arm")
    if not np.isfinite(odds).all() or (odds < 0).any() or not np.allclose(odds.sum(1), 1):
        raise ValueError("odds are not below 0 and add up to 1")
    if log.arm.min() < 0 or log.arm.max() >= k:
        raise ValueError("the log has an arm that has no odds")
    at = np.arange(n)
    weight = odds[at, log.arm] / log.propensity
    q, v = predicted[at, log.arm], (odds * predicted).sum(1)
    total = float(weight.sum())
    effective = total**2 / float((weight**2).sum()) if total > 0 else 0.0
    found: dict[str, Estimate] = {}
    for name, estimator in ESTIMATORS.items():
        value, influence = estimator(weight, log.reward, q, v)
        found[name] = Estimate(value, *interval(value, influence), effective)
    return found


def gains(log: Log, odds: Floats, predicted: Floats) -> dict[str, Estimate]:
    """Answer what SNIPS and DR say the policy with these odds gains a choice over the one that
    logged, whose own value is the mean of the rewards.

    Paired: of every choice both terms are compared, so a policy that would have chosen just the
    same gains 0 for certain. Arguments and errors as for `evaluate`.
    """
    found = evaluate(log, odds, predicted)
    at = np.arange(len(log.reward))
    weight = odds[at, log.arm] / log.propensity
    q, v = predicted[at, log.arm], (odds * predicted).sum(1)
    always = np.ones(len(log.reward))
    paired: dict[str, Estimate] = {}
    for name in DECIDING:
        value, influence = ESTIMATORS[name](weight, log.reward, q, v)
        # The policy that logged, by the same estimator: every weight is 1.
        current, held = ESTIMATORS[name](always, log.reward, q, q)
        gain = value - current
        bounds = interval(gain, influence - held)
        paired[name] = Estimate(gain, *bounds, found[name].effective)
    return paired


def crossfit(log: Log, arms: int, folds: int = 2, ridge: float = 1.0) -> Floats:
    """Answer predicted rewards float64[n, k], each row by a model that has not seen it.

    Linear in the context with a constant, arms pooled; clipped to the rewards seen. `ridge`: how
    far weights are expected to be from the pool's, in deviations of the reward.
    """
    n = len(log.reward)
    x = np.column_stack([np.ones(n), log.x])
    noise = max(float(log.reward.var()), 1e-12)
    spread = np.full(x.shape[1], ridge**2 * noise / x.shape[1])
    fold = np.arange(n) % folds
    out = np.empty((n, arms))
    for part in range(folds):
        known, asked = fold != part, fold == part
        evidence = _evidence(x[known], log.arm[known], log.reward[known], arms, noise)
        centre = np.zeros(x.shape[1])
        centre[0] = log.reward[known].mean()
        family = pool(evidence, said_by(centre, spread), spread)
        out[asked] = x[asked] @ believe(family.priors, evidence).beliefs.mean.T
    return np.clip(out, log.reward.min(), log.reward.max())


def _evidence(x: Floats, arm: np.ndarray, reward: Floats, arms: int, noise: float) -> Evidence:
    d = x.shape[1]
    precision, shift = np.zeros((arms, d, d)), np.zeros((arms, d))
    tallies = np.zeros((arms, 3))
    for one in range(arms):
        rows = arm == one
        mine, earned = x[rows], reward[rows]
        precision[one], shift[one] = mine.T @ mine / noise, mine.T @ earned / noise
        tallies[one] = rows.sum(), earned.sum(), (earned**2).sum()
    return Evidence(precision, shift, tallies)


class Verdict(NamedTuple):
    """Whether a policy may be released, and why not (empty when it may)."""

    release: bool
    reasons: tuple[str, ...]


def verdict(found: dict[str, Estimate], current: float) -> Verdict:
    """Release only if the lower bounds of both SNIPS and DR are not below the current value.

    current: what the policy in use earned a choice on the same log.
    """
    reasons = tuple(
        f"{name} is {found[name].low:.6g} at the least, the current policy earns {current:.6g}"
        for name in DECIDING
        if not found[name].low >= current
    )
    return Verdict(not reasons, reasons)
