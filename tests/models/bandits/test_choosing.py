"""Choosing: odds against simulation, draws against odds, floors, limits, worths and bad input."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.bandits.choosing import choose, decide, score, thompson_odds
from models.bandits.policies import Epsilon, LinUCB, SquareCB, Thompson
from models.bandits.sites import LINEAR, LOGISTIC

EVEN, ALL = np.ones(0), np.ones(0, np.bool_)


def ask(level, doubt, policy, chance=0.5, **given):
    """Decide among arms with these scores; answer the arm, the greedy one and the odds."""
    odds = np.empty(len(level))
    arm, greedy = decide(
        np.array(level, float),
        np.array(doubt, float),
        np.array(given.get("worth", EVEN), float),
        np.array(given.get("allowed", ALL), np.bool_),
        given.get("kind", LOGISTIC),
        policy.numbers,
        given.get("outcomes", 0.0),
        given.get("limit", 1.0),
        chance,
        odds,
    )
    return arm, greedy, odds


@pytest.mark.parametrize(
    ("level", "doubt"),
    [
        ([0.0, 0.0], [1.0, 1.0]),
        ([1.0, 0.0, -1.0], [0.5, 1.0, 2.0]),
        ([0.0, 0.1, 0.2, 0.3], [0.01, 0.01, 0.01, 3.0]),
        ([-4.0, -4.2, -3.8, -4.1, -4.0], [0.6, 0.3, 0.4, 0.9, 0.2]),
        ([0.0] * 10, [1.0] * 10),
        ([0.0, 5.0, 0.0], [0.1, 0.1, 0.1]),
    ],
)
@pytest.mark.parametrize("width", [0.3, 1.0])
def test_thompsons_odds_are_those_of_simulation(level, doubt, width):
    level, doubt = np.array(level), np.array(doubt)
    odds = np.empty(len(level))
    thompson_odds(level, doubt, width, odds)
    draws = level + width * doubt * np.random.default_rng(0).normal(size=(200_000, len(level)))
    seen = np.bincount(draws.argmax(axis=1), minlength=len(level)) / 200_000
    assert odds.sum() == pytest.approx(1.0)
    np.testing.assert_allclose(odds, seen, atol=0.025)


POLICIES = [
    Thompson(), Thompson(1.0, 0.01), Thompson(0.0, 0.0), SquareCB(), SquareCB(3.0, 0.5, 0.1),
    LinUCB(), LinUCB(2.0, 0.0), Epsilon(0.2), Epsilon(0.0),
]  # fmt: skip


@given(
    st.lists(st.tuples(st.floats(-8, 8), st.floats(0, 4)), min_size=1, max_size=10),
    st.sampled_from(POLICIES),
    st.floats(0, 1, exclude_max=True),
    st.floats(0, 1),
    st.floats(0, 1e6),
)
@settings(deadline=None)
def test_odds_are_odds_and_the_arm_drawn_is_possible(arms, policy, chance, limit, outcomes):
    level, doubt = zip(*arms, strict=True)
    arm, greedy, odds = ask(level, doubt, policy, chance, limit=limit, outcomes=outcomes)
    assert odds.sum() == pytest.approx(1.0)
    assert (odds >= 0).all()
    assert odds[arm] > 0
    assert level[greedy] == max(level)
    assert odds.sum() - odds[greedy] <= limit + 1e-9


@pytest.mark.parametrize("policy", POLICIES, ids=repr)
def test_arms_are_drawn_as_often_as_their_propensity_says(policy):
    level, doubt = [-1.0, -0.6, -0.5, -2.0], [0.4, 0.3, 0.2, 1.0]
    chances = (np.arange(4000) + 0.5) / 4000
    drawn = [ask(level, doubt, policy, chance, outcomes=50.0)[0] for chance in chances]
    odds = ask(level, doubt, policy, outcomes=50.0)[2]
    seen = np.bincount(drawn, minlength=4) / 4000
    np.testing.assert_allclose(seen, odds, atol=1e-3)


def test_weighing_by_propensity_is_unbiased():
    """The mean of 1/propensity of an arm's draws is the number of draws, whatever the policy."""
    rng = np.random.default_rng(1)
    sums, n = np.zeros(3), 20_000
    for chance in rng.random(n):
        arm, _, odds = ask([0.0, 0.2, -0.3], [0.5, 0.5, 0.5], Thompson(1.0, 0.01), chance)
        sums[arm] += 1 / odds[arm]
    np.testing.assert_allclose(sums / n, 1.0, atol=0.05)


def test_squarecb_is_the_formula():
    level = np.array([0.0, -1.0, 1.0])
    utility = 1 / (1 + np.exp(-level))
    odds = ask(level, [1, 1, 1], SquareCB(5.0, 0.5, 0.0), outcomes=100.0)[2]
    wanted = 1 / (3 + 5 * 10 * (utility[2] - utility) / utility[2])
    np.testing.assert_allclose(odds[:2], wanted[:2])
    odds = ask(level, [1, 1, 1], SquareCB(5.0, 0.5, 2.0), outcomes=100.0, kind=LINEAR)[2]
    np.testing.assert_allclose(odds[:2], 1 / (3 + 50 * (1.0 - level[:2]) / 2.0))


def test_linucb_takes_the_highest_bound_and_epsilon_the_best():
    arm, greedy, odds = ask([0.0, 0.5], [2.0, 0.1], LinUCB(1.0, 0.0))
    assert (arm, greedy, odds.tolist()) == (0, 1, [1.0, 0.0])
    assert ask([0.0, 0.5], [2.0, 0.1], LinUCB(0.1, 0.0))[0] == 1
    odds = ask([0.0, 0.5, 0.2, 0.1], [1, 1, 1, 1], Epsilon(0.2))[2]
    np.testing.assert_allclose(odds, [0.05, 0.85, 0.05, 0.05])


def test_a_floor_is_kept_and_a_limit_is_stronger():
    odds = ask([0.0, 9.0, 0.0], [0.01, 0.01, 0.01], Thompson(1.0, 0.02))[2]
    np.testing.assert_allclose(odds, [0.02, 0.96, 0.02], atol=1e-4)
    odds = ask([0.0, 9.0, 0.0], [0.01, 0.01, 0.01], Thompson(1.0, 0.02), limit=0.01)[2]
    np.testing.assert_allclose(odds, [0.005, 0.99, 0.005], atol=1e-9)
    assert ask([0.0, 9.0, 0.0], [9, 9, 9], Thompson(1.0, 0.02), limit=0.0)[2][1] == 1.0


def test_worth_moves_the_choice():
    """Twice the chance at less than half the worth is not better."""
    low, high = np.log(0.02 / 0.98), np.log(0.04 / 0.96)
    assert ask([low, high], [0, 0], Epsilon(0.0))[1] == 1
    assert ask([low, high], [0, 0], Epsilon(0.0), worth=[1.0, 0.45])[1] == 0
    assert ask([low, high], [0, 0], Epsilon(0.0), worth=[1.0, 0.55])[1] == 1
    assert ask([1.0, 2.0], [0, 0], Epsilon(0.0), worth=[3.0, 1.0], kind=LINEAR)[1] == 0


def test_thompson_with_worths_is_near_the_simulation():
    rng = np.random.default_rng(2)
    level, doubt, worth = np.array([-3.0, -2.5, -4.0]), np.array([0.4, 0.3, 0.8]), [2.0, 1.0, 3.0]
    draws = 1 / (1 + np.exp(-(level + doubt * rng.normal(size=(100_000, 3))))) * worth
    seen = np.bincount(draws.argmax(axis=1), minlength=3) / 100_000
    odds = ask(level, doubt, Thompson(1.0, 0.0), worth=worth)[2]
    np.testing.assert_allclose(odds, seen, atol=0.02)


@pytest.mark.parametrize("policy", POLICIES, ids=repr)
def test_an_arm_that_may_not_be_chosen_never_is(policy):
    _, greedy, odds = ask([5.0, 0.0, 1.0], [1, 1, 1], policy, allowed=[False, True, True])
    assert odds[0] == 0.0
    assert greedy == 2
    odds = ask([5.0, 0.0, np.nan], [1, 1, 1], policy, worth=[-1.0, 1.0, 1.0])[2]
    np.testing.assert_array_equal(odds, [0.0, 1.0, 0.0])
    arm, greedy, odds = ask([5.0, 0.0], [1, 1], policy, allowed=[False, False])
    assert (arm, greedy, odds.sum()) == (-1, -1, 0.0)
    assert ask([5.0, 0.0], [1, 1], policy, worth=[0.0, np.inf])[0] == -1


def test_scores_are_those_of_numpy():
    rng = np.random.default_rng(3)
    mean, root, x = rng.normal(size=(4, 6)), rng.normal(size=(4, 6, 6)), rng.normal(size=6)
    covariance = root @ np.swapaxes(root, 1, 2)
    level, doubt = np.empty(4), np.empty(4)
    score(mean, covariance, x, level, doubt)
    np.testing.assert_allclose(level, mean @ x)
    np.testing.assert_allclose(doubt, np.sqrt(np.einsum("i,kij,j->k", x, covariance, x)))


def test_a_feature_that_is_no_number_counts_as_nothing():
    odds, again = np.empty(2), np.empty(2)
    for x, out in (([1.0, np.nan], odds), ([1.0, 0.0], again)):
        choose(
            np.ones((2, 2)), np.tile(np.eye(2), (2, 1, 1)), np.array(x), EVEN, ALL, LOGISTIC,
            Thompson().numbers, 0.0, 1.0, 0.3, out,
        )  # fmt: skip
    np.testing.assert_array_equal(odds, again)


def test_a_choice_is_quick():
    """Ten arms of sixteen features; the bound is loose because the machine may be busy."""
    rng = np.random.default_rng(4)
    mean, covariance = rng.normal(size=(10, 16)), np.tile(np.eye(16) * 0.1, (10, 1, 1))
    x, odds, numbers = rng.normal(size=16), np.empty(10), Thompson().numbers
    best = np.inf
    for _ in range(20):
        start = time.process_time()
        for _ in range(200):
            choose(
                mean, covariance, x, EVEN, ALL, LOGISTIC, numbers, 10.0, 1.0, 0.5, odds
            )  # fmt: skip
        best = min(best, (time.process_time() - start) / 200)
    assert best < 40e-6
