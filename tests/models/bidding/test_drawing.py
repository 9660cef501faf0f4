"""Two arms in one draw: the propensity is what was drawn with, and little is explored."""

import numpy as np
import pytest

from models.bandits.beliefs import frozen
from models.bandits.policies import Epsilon, Thompson
from models.bidding.arms import MULTIPLIERS, WIDTH
from models.bidding.drawing import draw_arms

NOBODY = frozen(np.zeros((0, WIDTH)), np.zeros((0, WIDTH, WIDTH)), 0.0)
X = np.array((1.0, 0.2, 0.0, 1.0))


def beliefs(*levels, doubt=0.05):
    mean = np.zeros((len(levels), WIDTH))
    mean[:, 0] = levels
    return frozen(mean, np.tile(np.eye(WIDTH) * doubt**2, (len(levels), 1, 1)), 100.0)


PRICES = beliefs(*(0.1 - 0.02 * abs(place - 1) for place in range(len(MULTIPLIERS))))
CLICKS = beliefs(-3.0, -1.0, -2.0, doubt=0.3)


def draw(creatives, arms, multipliers, chances, policy=None):
    numbers = (policy or Thompson()).numbers
    return draw_arms(creatives, np.array(arms, np.int64), multipliers, X, numbers, chances)


def test_without_leave_to_explore_the_best_known_arms_are_drawn():
    found = draw(CLICKS, [0, 1, 2], PRICES, (0.0, 0.999, 0.999))
    assert (found.creative, found.times, found.propensity, found.greedy) == (1, 1, 1.0, True)


def test_only_creatives_that_are_offered_are_drawn():
    found = draw(CLICKS, [2, 0], PRICES, (0.0, 0.5, 0.5))
    # The place among those offered: creative 2 stands first.
    assert (found.creative, found.greedy) == (0, True)


def test_what_is_not_asked_for_is_not_drawn():
    assert draw(NOBODY, [1], NOBODY, (1.0, 0.9, 0.9)) == (0, -1, 1.0, True)
    assert draw(CLICKS, [0, 1], NOBODY, (0.0, 0.1, 0.1))[:2] == (1, -1)
    assert draw(NOBODY, [1], PRICES, (0.0, 0.1, 0.1))[:2] == (0, 1)


def test_propensities_are_the_shares_with_which_arms_are_drawn():
    rng = np.random.default_rng(1)
    n, counts, told = 20_000, {}, {}
    for _ in range(n):
        found = draw(CLICKS, [0, 1, 2], PRICES, (1.0, rng.random(), rng.random()))
        arm = (found.creative, found.times)
        counts[arm] = counts.get(arm, 0) + 1
        told[arm] = found.propensity
    assert len(counts) > 5
    for arm, count in counts.items():
        sd = np.sqrt(told[arm] * (1 - told[arm]) / n)
        assert count / n == pytest.approx(told[arm], abs=5 * sd + 1e-4)


@pytest.mark.parametrize("limit", [0.02, 0.3])
def test_two_draws_share_what_may_be_explored(limit):
    rng = np.random.default_rng(2)
    policy = Epsilon(1.0)
    found = [
        draw(CLICKS, [0, 1, 2], PRICES, (limit, rng.random(), rng.random()), policy).greedy
        for _ in range(4_000)
    ]
    explored = 1 - np.mean(found)
    assert explored <= limit + 4 * np.sqrt(limit / 4_000)
    assert explored >= 0.8 * limit


def test_beliefs_gone_wrong_are_not_chosen_from():
    broken = frozen(np.full((2, WIDTH), np.nan), np.zeros((2, WIDTH, WIDTH)), 0.0)
    assert draw(broken, [0, 1], broken, (1.0, 0.5, 0.5)) == (0, -1, 1.0, True)
