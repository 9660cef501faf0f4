"""Scores of those who had not seen a row; halves whose spread is the doubt."""

import numpy as np
import pytest

from tests.training.trials import plain_trial
from training.fit.uplift import crossing
from training.fit.uplift.crossing import cross
from training.fit.uplift.learners import Hands, Recipe
from training.fit.uplift.trial import halves

RECIPE = Recipe("t", 4, 30)


def test_nobody_scores_whom_it_learned_from(monkeypatch):
    """A learner that answers who it saw: its trees say 1 for keys of its own half."""
    trial, _ = plain_trial(400)
    seen: list[set[int]] = []

    def spy(part, recipe, hands):
        seen.append({int(key) for key in part.keys})
        return [[{"leaf_value": float(len(seen))}] for _ in range(recipe.trees)]

    monkeypatch.setitem(crossing.LEARNERS, "t", spy)
    found = cross(trial, RECIPE._replace(trees=1), [1], 3, Hands())
    assert len(seen) == len(found.forests) == 6
    for row in range(400):
        blind = [number + 1 for number, keys in enumerate(seen) if row not in keys]
        assert len(blind) == 3
        assert found.scores[0, row] == pytest.approx(np.mean(blind))


def test_halves_are_of_both_arms_and_all_different():
    trial, _ = plain_trial(400)
    rng = np.random.default_rng(Hands().seed)
    drawn = [halves(trial.treated, trial.outcome, rng) for _ in range(3)]
    assert len({half.tobytes() for half in drawn}) == 3


def test_scores_at_fewer_rounds_are_those_of_a_shorter_fit():
    trial, _ = plain_trial(1500)
    long = cross(trial, RECIPE, [10, 30], 2, Hands(3))
    short = cross(trial, RECIPE._replace(trees=10), [10], 2, Hands(3))
    assert long.scores[0] == pytest.approx(short.scores[0], abs=1e-12)
    assert long.scores.shape == (2, 1500)
    assert len(long.forests[0]) == 60


def test_scores_out_of_halves_order_people_whom_nobody_learned_from():
    trial, truth = plain_trial(4000)
    found = cross(trial, Recipe("x", 4, 60), [60], 2, Hands())
    assert np.corrcoef(found.scores[0], truth)[0, 1] > 0.8


def test_progress_is_told_of_every_half():
    trial, _ = plain_trial(400)
    told: list[int] = []
    cross(trial, RECIPE, [30], 3, Hands(), told.append)
    assert told == [1] * 6
