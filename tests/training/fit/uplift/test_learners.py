"""Every learner finds effects that are known, from plain trials and from logged chances."""

import numpy as np
import pytest

from tests.training.trials import EFFECT, plain_trial
from training.fit.uplift.learners import (
    LEARNERS,
    Hands,
    Recipe,
    corrected,
    outcome_alone,
    pseudo_outcomes,
)
from training.fit.uplift.steps import forest_of

ROUNDS = {"s": (8, 400)}
"""Here contact helps nobody on average, so that S, which looks for that first, needs longer."""


def learned(name, trial, seed=0):
    leaves, trees = ROUNDS.get(name, (4, 100))
    steps = LEARNERS[name](trial, Recipe(name, leaves, trees), Hands(seed))
    assert len(steps) == trees
    return forest_of(steps, trial.x.shape[1])


@pytest.mark.parametrize("name", LEARNERS)
def test_who_is_helped_and_who_is_harmed(name):
    trial, _ = plain_trial(6000)
    other, truth = plain_trial(2000, seed=1)
    found = learned(name, trial).raw(other.x)
    assert np.mean(found[truth > 0]) == pytest.approx(EFFECT, abs=0.08)
    assert np.mean(found[truth < 0]) == pytest.approx(-EFFECT, abs=0.08)


@pytest.mark.parametrize("name", LEARNERS)
def test_who_was_chosen_by_known_chances_misleads_nobody(name):
    trial, _ = plain_trial(8000, logged=True, tilt=1.5)
    other, truth = plain_trial(2000, seed=1)
    found = learned(name, trial).raw(other.x)
    assert np.corrcoef(found, truth)[0, 1] > 0.85
    for mine in (other.x[:, 1] > 1, other.x[:, 1] < -1):
        assert found[mine].mean() == pytest.approx(truth[mine].mean(), abs=0.12)


@pytest.mark.parametrize("name", LEARNERS)
def test_no_effect_is_found_where_there_is_none(name):
    trial, _ = plain_trial(6000, effect=0.0)
    found = learned(name, trial).raw(trial.x)
    assert abs(found.mean()) < 0.04


def test_the_same_seed_gives_the_same_effects():
    trial, _ = plain_trial(1000)
    one, two, other = (learned("x", trial, seed).raw(trial.x) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, two)
    assert not np.array_equal(one, other)


def test_pseudo_outcomes_have_the_effect_as_mean_and_less_noise_than_outcomes():
    trial, truth = plain_trial(12_000, logged=True, tilt=1.0)
    found = pseudo_outcomes(trial, Hands())
    for mine in (truth > 0, truth < 0, trial.x[:, 1] > 1):
        error = found[mine].std() / np.sqrt(mine.sum())
        assert abs(found[mine].mean() - truth[mine].mean()) < 4 * error


def test_a_correction_by_hand():
    trial, _ = plain_trial(2, logged=True)
    trial = trial.take(np.array([0, 0]))
    trial.treated[:], trial.outcome[:], trial.propensity[:] = [True, False], [1.0, 1.0], [0.25, 0.5]
    found = corrected(trial, np.array([0.6, 0.6]), np.array([0.5, 0.5]))
    assert found == pytest.approx([0.1 + 0.4 / 0.25, 0.1 - 0.5 / 0.5])


def test_the_outcome_alone_is_that_of_the_others():
    trial, _ = plain_trial(8000)
    other, truth = plain_trial(2000, seed=1)
    found = outcome_alone(trial, other.x, Hands())
    assert found[truth > 0].mean() == pytest.approx(0.5 - EFFECT / 2, abs=0.03)
    assert found[truth < 0].mean() == pytest.approx(0.5 + EFFECT / 2, abs=0.03)
