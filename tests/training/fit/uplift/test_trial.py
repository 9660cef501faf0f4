"""Rows of a trial, the held-out people, halves that balance."""

import numpy as np
import pytest

from tests.training.trials import plain_trial
from training.fit.uplift.trial import even_chances, halves, held_out


def test_rows_are_taken_together():
    trial, _ = plain_trial(20)
    some = trial.take(np.array([3, 1]))
    assert len(some) == 2
    assert some.keys.tolist() == [3, 1]
    np.testing.assert_array_equal(some.x, trial.x[[3, 1]])
    assert some.outcome.tolist() == trial.outcome[[3, 1]].tolist()
    assert some.names == trial.names


def test_the_chance_of_a_plain_trial_is_the_share():
    assert even_chances(np.array([True, False, False, False])).tolist() == [0.25] * 4


def test_people_are_held_out_by_who_they_are():
    keys = np.arange(20_000, dtype=np.uint64)
    apart = held_out(keys, 0.3, 1)
    assert apart.mean() == pytest.approx(0.3, abs=0.02)
    np.testing.assert_array_equal(apart[::-1], held_out(keys[::-1].copy(), 0.3, 1))
    np.testing.assert_array_equal(apart[:50], held_out(keys[:50], 0.3, 1))
    both = (apart & held_out(keys, 0.3, 2)).mean()
    assert both == pytest.approx(0.09, abs=0.02)


def test_a_half_holds_half_of_each_arm_and_outcome():
    trial, _ = plain_trial(1001, seed=4)
    half = halves(trial.treated, trial.outcome, np.random.default_rng(0))
    assert abs(int(half.sum()) - 500) <= 2
    for arm in (False, True):
        for label in (0, 1):
            mine = (trial.treated == arm) & (trial.outcome == label)
            assert abs(int((half & mine).sum()) - mine.sum() / 2) <= 0.5
    assert not np.array_equal(half, halves(trial.treated, trial.outcome, np.random.default_rng(1)))
