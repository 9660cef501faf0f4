"""Lessons add up to the sums of a linear regression; late rewards count as if they had been in
time; what cannot be taken is refused."""

import numpy as np

from models.bandits.evidence import COUNT, REWARD, SQUARE
from models.recommend.contexts import WIDTH
from models.recommend.lessons import Given, Lessons, Reward, teach
from models.recommend.mixes import ARMS
from models.recommend.reception import Reception

NOW, HALF = 1_760_000_000_000, 1_000.0


def x_of(seed: int) -> tuple[float, ...]:
    return (1.0, *np.random.default_rng(seed).normal(size=WIDTH - 1).tolist())


def test_sums_are_those_of_a_regression():
    rng = np.random.default_rng(1)
    given = [Given("home", int(rng.integers(2)), x_of(seed)) for seed in range(40)]
    rewards = [Reward(one, float(rng.random()), 0.0) for one in given[::3]]
    found, refused = teach(Reception(at=NOW), Lessons(given, rewards), HALF)
    assert refused == 0
    for arm in range(2):
        rows = np.array([one.context for one in given if one.arm == arm])
        np.testing.assert_allclose(found.pages.evidence.precision[arm], rows.T @ rows)
        mine = [one for one in rewards if one.given.arm == arm]
        earned = sum((one.reward * np.array(one.given.context) for one in mine), np.zeros(WIDTH))
        np.testing.assert_allclose(found.pages.evidence.shift[arm], earned)
        tallies = found.pages.evidence.tallies[arm]
        assert tallies[COUNT] == len(rows)
        np.testing.assert_allclose(tallies[REWARD], sum(one.reward for one in mine))
        np.testing.assert_allclose(tallies[SQUARE], sum(one.reward**2 for one in mine))


def test_a_reward_that_comes_late_counts_as_if_in_time():
    one = Given("home", 3, x_of(1))
    early, _ = teach(Reception(at=NOW), Lessons([one], [Reward(one, 2.0, 0.0)]), HALF)
    early = early.faded(NOW + 700, HALF)
    late, _ = teach(Reception(at=NOW), Lessons([one]), HALF)
    late, _ = teach(late.faded(NOW + 700, HALF), Lessons([], [Reward(one, 2.0, 700.0)]), HALF)
    for first, second in zip(early.pages.evidence, late.pages.evidence, strict=True):
        np.testing.assert_allclose(first, second)


def test_the_order_of_lessons_does_not_matter():
    given = [Given(f"p{seed % 3}", seed % 4, x_of(seed)) for seed in range(12)]
    one, _ = teach(Reception(at=NOW), Lessons(given), HALF)
    half, _ = teach(Reception(at=NOW), Lessons(given[:6]), HALF)
    two, _ = teach(half, Lessons(given[6:]), HALF)
    for first, second in zip(one.pages.evidence, two.pages.evidence, strict=True):
        np.testing.assert_allclose(first, second)


def test_what_cannot_be_is_refused_and_costs_nobody_else():
    good = Given("home", 0, x_of(1))
    wrong = [
        good._replace(arm=len(ARMS)),
        good._replace(context=good.context[1:]),
        good._replace(context=(1.0, np.inf, *good.context[2:])),
    ]
    rewards = [Reward(good, np.nan, 0.0), Reward(good, 1e9, 0.0), Reward(good, 1.0, 0.0)]
    found, refused = teach(Reception(at=NOW), Lessons([good, *wrong], rewards), HALF)
    assert refused == 5
    assert found.pages.evidence.tallies[0].tolist() == [1.0, 1.0, 1.0]


def test_invented_pages_are_bounded():
    given = [Given(f"p{number}", 0, x_of(1)) for number in range(500)]
    found, refused = teach(Reception(at=NOW), Lessons(given), HALF)
    assert refused == 0
    assert len(found.pages.names) < 33


def test_waking_and_places():
    lessons = Lessons(woken=True)
    lessons.placed.update([5, 5])
    assert len(lessons) == 2
    found, _ = teach(Reception(at=NOW), lessons, HALF)
    assert (found.woken, found.items.tolist(), found.placed.tolist()) == (NOW, [5], [2])
