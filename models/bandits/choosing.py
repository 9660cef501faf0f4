"""Choosing an arm, compiled: scores, the policy's probabilities, floor and limit, one draw.

Every policy yields the probabilities it draws from, so a propensity is exact by construction,
even where the odds themselves approximate a policy of a textbook. Knows nothing of learning.
"""

from math import exp, log, sqrt
from typing import Final

import numpy as np
from numba import njit

from models.bandits.sites import LOGISTIC

EPSILON, THOMPSON, SQUARECB, LINUCB = 0, 1, 2, 3
"""Kinds of policies; see models.bandits.policies for what their parameters mean."""
INTERVALS: Final = 32
"""Pieces into which the range of the best arm's level is cut for Thompson's odds."""
REACH: Final = 4.0
"""Standard deviations to either side that are looked at."""
_NEVER: Final = -1e300
_TINY: Final = 1e-300


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _below(z: float) -> float:
    """Answer the standard normal distribution at z within 2e-4, much faster than erfc."""
    if z <= -5.0 or z >= 5.0:
        return 1.0 if z > 0.0 else 0.0
    return 1.0 / (1.0 + exp(-z * (1.5976 + 0.07056 * z * z)))


@njit(cache=True, nogil=True, error_model="numpy")
def score(
    mean: np.ndarray, covariance: np.ndarray, x: np.ndarray, level: np.ndarray, doubt: np.ndarray
) -> None:
    """Write each arm's score x.w: its mean to level [k] and standard deviation to doubt [k]."""
    k, d = mean.shape
    along = np.empty(d)
    for arm in range(k):
        at, variance = 0.0, 0.0
        for j in range(d):
            along[j] = 0.0
        for i in range(d):
            value = x[i]
            at += mean[arm, i] * value
            for j in range(d):
                along[j] += value * covariance[arm, i, j]
        for j in range(d):
            variance += x[j] * along[j]
        level[arm] = at
        doubt[arm] = sqrt(max(variance, 0.0))


@njit(cache=True, nogil=True, error_model="numpy")
def utilities(
    level: np.ndarray,
    doubt: np.ndarray,
    utility: np.ndarray,
    worth: np.ndarray,
    allowed: np.ndarray,
    kind: int,
) -> int:
    """Turn scores into levels to compare arms by, in place; answer how many arms may be chosen.

    utility becomes the expected reward at the mean score times the arm's worth. Logistic: the
    level is the score, or with worths the logarithm of the utility (doubt by the delta method).
    worth: [k], or empty for 1; allowed: bool [k], or empty for all. An arm that may not be
    chosen, whose score is no number, or whose worth is not above 0, gets the level _NEVER.
    """
    open_arms = 0
    weighted = worth.shape[0] > 0
    for arm in range(level.shape[0]):
        each = worth[arm] if weighted else 1.0
        may = allowed[arm] if allowed.shape[0] > 0 else True
        if not (may and each > 0.0 and np.isfinite(each) and np.isfinite(level[arm])
                and np.isfinite(doubt[arm])):  # fmt: skip
            level[arm], doubt[arm], utility[arm] = _NEVER, 0.0, 0.0
            continue
        open_arms += 1
        if kind == LOGISTIC:
            at = level[arm]
            small = exp(-abs(at))
            chance = 1.0 / (1.0 + small) if at >= 0 else small / (1.0 + small)
            utility[arm] = each * chance
            if weighted:
                level[arm] = log(each) + min(at, 0.0) - np.log1p(small)
                doubt[arm] *= 1.0 - chance
        else:
            level[arm] *= each
            doubt[arm] *= each
            utility[arm] = level[arm]
    return open_arms


@njit(cache=True, nogil=True, error_model="numpy")
def thompson_odds(level: np.ndarray, doubt: np.ndarray, width: float, odds: np.ndarray) -> None:
    """Write each arm's chance to have the highest of independent N(level, (width doubt)^2).

    Sums P(arm in this interval) P(every other arm below its middle) over the range in which the
    highest lies: good to about two hundredths, whether an arm is much surer than others or not.
    """
    k = level.shape[0]
    low, high = _NEVER, _NEVER
    for arm in range(k):
        odds[arm] = 0.0
        if level[arm] > _NEVER:
            reach = REACH * width * doubt[arm]
            low, high = max(low, level[arm] - reach), max(high, level[arm] + reach)
    # An arm that never reaches the range in which the highest lies is not looked at again.
    racing = np.empty(k, np.int64)
    count = 0
    for arm in range(k):
        if level[arm] > _NEVER and level[arm] + REACH * width * doubt[arm] >= low:
            racing[count] = arm
            count += 1
    step = (high - low) / INTERVALS
    before, mass, middle = np.zeros(k), np.zeros(k), np.ones(k)
    # the first interval gathers what lies below the range, the last what lies above it
    for place in range(INTERVALS + 2):
        product = 1.0
        for arm in racing[:count]:
            after = 1.0
            if place <= INTERVALS:
                sd = max(width * doubt[arm], _TINY)
                after = _below(float((low + step * place - level[arm]) / sd))
            mass[arm], middle[arm] = after - before[arm], max(0.5 * (before[arm] + after), _TINY)
            before[arm] = after
            product *= middle[arm]
        for arm in racing[:count]:
            odds[arm] += mass[arm] * (product / middle[arm])
    total = 0.0
    for arm in range(k):
        total += odds[arm]
    for arm in range(k):
        odds[arm] /= total


@njit(cache=True, nogil=True, error_model="numpy")
def _policy_odds(
    level: np.ndarray,
    doubt: np.ndarray,
    utility: np.ndarray,
    greedy: int,
    policy: np.ndarray,
    outcomes: float,
    odds: np.ndarray,
) -> None:
    """Write what the policy alone would do; see models.bandits.policies for its numbers."""
    k, kind = level.shape[0], int(policy[0])
    odds[:] = 0.0
    if kind == THOMPSON and policy[1] > 0.0:
        thompson_odds(level, doubt, policy[1], odds)
    elif kind == SQUARECB:
        unit = policy[3] if policy[3] > 0.0 else max(utility[greedy], _TINY)
        pace = policy[1] * max(outcomes, 1.0) ** policy[2] / unit
        open_arms = (level > _NEVER).sum()
        rest = 1.0
        for arm in range(k):
            if level[arm] > _NEVER and arm != greedy:
                gap = max(utility[greedy] - utility[arm], 0.0)
                odds[arm] = 1.0 / (open_arms + pace * gap)
                rest -= odds[arm]
        odds[greedy] = rest
    elif kind == LINUCB:
        best = greedy
        for arm in range(k):
            if level[arm] + policy[1] * doubt[arm] > level[best] + policy[1] * doubt[best]:
                best = arm
        odds[best] = 1.0
    elif kind == EPSILON:
        share = policy[1] / (level > _NEVER).sum()
        for arm in range(k):
            odds[arm] = share if level[arm] > _NEVER else 0.0
        odds[greedy] += 1.0 - policy[1]
    else:
        odds[greedy] = 1.0


@njit(cache=True, nogil=True, error_model="numpy")
def _bound(
    level: np.ndarray, greedy: int, floor: float, limit: float, open_arms: int, odds: np.ndarray
) -> None:
    """Give every open arm at least `floor`, then all arms but the greedy at most `limit`."""
    floor = min(max(floor, 0.0), 1.0 / open_arms)
    off = 0.0
    for arm in range(level.shape[0]):
        if level[arm] > _NEVER:
            odds[arm] = floor + odds[arm] * (1.0 - floor * open_arms)
            if arm != greedy:
                off += odds[arm]
    limit = min(max(limit, 0.0), 1.0)
    shrink = limit / off if off > limit else 1.0
    rest = 1.0
    for arm in range(level.shape[0]):
        if arm != greedy:
            odds[arm] *= shrink
            rest -= odds[arm]
    odds[greedy] = max(rest, 0.0)


@njit(cache=True, nogil=True, error_model="numpy")
def decide(
    level: np.ndarray,
    doubt: np.ndarray,
    worth: np.ndarray,
    allowed: np.ndarray,
    kind: int,
    policy: np.ndarray,
    outcomes: float,
    limit: float,
    chance: float,
    odds: np.ndarray,
) -> tuple[int, int]:
    """Choose among scored arms; answer the arm drawn and the greedy one, or -1 and -1 for none.

    level, doubt: float64[k] of `score`, overwritten. worth, allowed: see `utilities`. policy:
    float64[5] of models.bandits.policies. outcomes: how many were learned from. limit: the
    greatest chance of any arm but the greedy (exploration; 0 is off). chance: a uniform number
    in [0, 1). odds: float64[k], becomes the probabilities drawn from; odds[arm] is the propensity.
    """
    k = level.shape[0]
    utility = np.empty(k)
    open_arms = utilities(level, doubt, utility, worth, allowed, kind)
    if open_arms == 0:
        odds[:] = 0.0
        return -1, -1
    greedy = -1
    for arm in range(k):
        if level[arm] > _NEVER and (greedy < 0 or level[arm] > level[greedy]):
            greedy = arm
    _policy_odds(level, doubt, utility, greedy, policy, outcomes, odds)
    _bound(level, greedy, policy[4], limit, open_arms, odds)
    drawn, sum_so_far = greedy, 0.0
    for arm in range(k):
        sum_so_far += odds[arm]
        if odds[arm] > 0.0 and chance < sum_so_far:
            drawn = arm
            break
    return drawn, greedy


@njit(cache=True, nogil=True, error_model="numpy")
def choose(
    mean: np.ndarray,
    covariance: np.ndarray,
    x: np.ndarray,
    worth: np.ndarray,
    allowed: np.ndarray,
    kind: int,
    policy: np.ndarray,
    outcomes: float,
    limit: float,
    chance: float,
    odds: np.ndarray,
) -> tuple[int, int]:
    """Score the arms' beliefs (mean [k, d], covariance [k, d, d]) in context x [d], then `decide`.

    A feature that is not a number counts as 0, which says nothing about the arms.
    """
    k, d = mean.shape
    level, doubt, clean = np.empty(k), np.empty(k), np.empty(d)
    for i in range(d):
        clean[i] = x[i] if np.isfinite(x[i]) else 0.0
    score(mean, covariance, clean, level, doubt)
    return decide(level, doubt, worth, allowed, kind, policy, outcomes, limit, chance, odds)
