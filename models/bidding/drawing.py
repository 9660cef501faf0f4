"""Drawing arms for a bid, compiled: a creative of a campaign and a multiplier of its price.

Two draws in one call; their propensities multiply, and what may be explored is shared by both.
Knows nothing of what arms stand for or of how beliefs came about.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from models.bandits.choosing import choose
from models.bandits.sites import LINEAR, LOGISTIC


class Drawn(NamedTuple):
    """creative: its place among those offered; times: the multiplier's place, -1 where none was
    asked for; propensity: of both together; greedy: whether both are the best known."""

    creative: int
    times: int
    propensity: float
    greedy: bool


@njit(cache=True, nogil=True, error_model="numpy")
def draw_arms(
    creatives: Any, arms: Any, multipliers: Any, context: Any, policy: Any, chances: Any
) -> Drawn:
    """Draw both arms.

    creatives, multipliers: mean float64[k, d], covariance float64[k, d, d] and outcomes of
    models.bandits.beliefs; one whose mean has no rows is not asked. arms: int64[a], the creatives
    offered, by their rows. context: float64[d]. policy: float64[5], see models.bandits.policies.
    chances: the most that may be explored, then a uniform number in [0, 1) for each draw.
    """
    limit, first, second = chances
    several, priced = creatives[0].shape[0] > 0, multipliers[0].shape[0] > 0
    if several and priced:
        limit *= 0.5
    creative, times, propensity, greedy = 0, -1, 1.0, True
    even = np.ones(0, np.float64)
    if several:
        size = creatives[0].shape[0]
        allowed, odds = np.zeros(size, np.bool_), np.empty(size)
        for arm in arms:
            allowed[arm] = True
        arm, best = choose(
            creatives[0], creatives[1], context, even, allowed, LOGISTIC, policy, creatives[2],
            limit, first, odds,
        )  # fmt: skip
        if arm >= 0:
            propensity, greedy = odds[arm], arm == best
            for place in range(arms.shape[0]):
                if arms[place] == arm:
                    creative = place
    if priced:
        odds = np.empty(multipliers[0].shape[0])
        arm, best = choose(
            multipliers[0], multipliers[1], context, even, np.ones(0, np.bool_), LINEAR, policy,
            multipliers[2], limit, second, odds,
        )  # fmt: skip
        if arm >= 0:
            times, propensity, greedy = arm, propensity * odds[arm], greedy and arm == best
    return Drawn(creative, times, propensity, greedy)
