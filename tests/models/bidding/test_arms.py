"""Arms have their numbers, and the neutral one is the best known before any outcome."""

import numpy as np

from models.bandits.choosing import choose
from models.bandits.policies import POLICIES, Epsilon
from models.bandits.sites import LINEAR
from models.bidding.arms import (
    HEAD_START,
    MULTIPLIERS,
    NEUTRAL,
    WIDTH,
    arm_of,
    multiplier_of,
)
from models.bidding.learned import learned_of
from models.bidding.lore import Lore
from models.bidding.market import ground_of, prior_landscape

GROUND = ground_of(prior_landscape(14.0))


def test_an_arm_s_number_tells_both():
    assert {arm_of(c, m) for c in range(4) for m in range(5)} == set(range(20))
    assert [multiplier_of(arm_of(3, place)) for place in range(5)] == list(range(5))
    assert arm_of(0, NEUTRAL) == NEUTRAL
    assert MULTIPLIERS[NEUTRAL] == 1.0


def test_the_neutral_arm_has_the_head_start():
    assert HEAD_START[NEUTRAL] == 0.0
    assert (np.delete(HEAD_START, NEUTRAL) < 0).all()
    assert len(HEAD_START) == len(MULTIPLIERS)
    assert not HEAD_START.flags.writeable


def test_without_exploring_the_neutral_multiplier_is_drawn():
    beliefs = learned_of(Lore(), GROUND).stranger
    odds = np.empty(len(MULTIPLIERS))
    none = np.ones(0)
    for kind in POLICIES.values():
        policy = Epsilon(0.0) if kind is Epsilon else kind()
        arm, greedy = choose(
            beliefs.mean, beliefs.covariance, np.array([1.0, 0.4, 0.1, -1.0]), none,
            np.ones(0, np.bool_), LINEAR, policy.numbers, beliefs.outcomes, 0.0, 0.999, odds,
        )  # fmt: skip
        assert (arm, greedy, odds[NEUTRAL]) == (NEUTRAL, NEUTRAL, 1.0)
    assert beliefs.mean.shape == (len(MULTIPLIERS), WIDTH)
