"""Beliefs follow from a reception: the better mix is found, pages differ, ties keep the release."""

import numpy as np

from models.recommend.contexts import WIDTH
from models.recommend.lessons import Given, Lessons, Reward, teach
from models.recommend.mixes import ARMS, RELEASED
from models.recommend.received import HEAD_START, USUAL, received_of
from models.recommend.reception import Reception

EVEN = (1.0, *[0.0] * (WIDTH - 1))


def learned(rates: dict[tuple[str, int], float], answers: int = 4_000, scale: float = 1.0):
    """Answer beliefs after so many answers of each page and arm, at these rates of reward."""
    lessons = Lessons()
    for (page, arm), rate in rates.items():
        one = Given(page, arm, EVEN)
        lessons.given += [one] * answers
        lessons.rewards += [Reward(one, scale, 0.0)] * round(rate * answers)
    return received_of(teach(Reception(at=1), lessons, 1e12)[0])


def test_before_any_outcome_all_are_alike_but_for_the_head_start():
    received = received_of(Reception())
    mean = received.stranger.mean[:, 0]
    assert not received.awake
    assert mean.argmax() == RELEASED
    np.testing.assert_allclose(mean[1:], mean[RELEASED] - HEAD_START * USUAL[0], rtol=1e-9)
    assert received.beliefs("any") is received.stranger


def test_rates_are_found():
    rates = {("", 0): 0.10, ("", 1): 0.14, ("", 2): 0.07}
    received = learned(rates)
    assert received.awake
    mean = received.beliefs("").mean[:3, 0]
    np.testing.assert_allclose(mean, [0.10, 0.14, 0.07], atol=0.006)


def test_the_scale_of_rewards_changes_nothing_but_the_scale():
    rates = {("", 0): 0.10, ("", 1): 0.14}
    one, ten = learned(rates, 50_000), learned(rates, 50_000, scale=10.0)
    np.testing.assert_allclose(
        ten.beliefs("").mean[:2, 0], 10 * one.beliefs("").mean[:2, 0], rtol=0.02
    )


def test_a_page_of_its_own_mind_and_one_not_seen():
    rates = {(page, arm): 0.1 for page in ("home", "cart", "list") for arm in (0, 1)}
    received = learned(rates | {("home", 1): 0.15, ("list", 1): 0.14, ("cart", 1): 0.05})
    assert received.beliefs("home").mean[1, 0] > received.beliefs("home").mean[0, 0] + 0.015
    assert received.beliefs("cart").mean[1, 0] < received.beliefs("cart").mean[0, 0] - 0.015
    new = received.beliefs("never seen")
    assert new is received.stranger
    assert new.mean[1, 0] > new.mean[0, 0], "two of three pages liked it"
    assert len(new.mean) == len(ARMS)


def test_more_outcomes_leave_less_doubt():
    few, many = learned({("", 0): 0.1}, 50), learned({("", 0): 0.1}, 5_000)
    assert many.beliefs("").covariance[0, 0, 0] < few.beliefs("").covariance[0, 0, 0] / 4
