"""Qini, gain and saved against slow definitions; effects that are seen are right on average."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.datasets.synthetic.trial import simulate_trial
from training.evaluate.qini import (
    Order,
    gain_curve,
    qini,
    qini_cases,
    qini_difference,
    saved,
    seen_effects,
)


def slow_gain(score, effects, reach):
    """Answer the mean gain of contacting the first of the order, over all orders of the tied."""
    left, gained = reach * len(score), 0.0
    for value in sorted(set(score), reverse=True):
        tied = [effect for effect, one in zip(effects, score, strict=True) if one == value]
        taken = min(len(tied), max(left, 0.0))
        gained += taken * sum(tied) / len(tied)
        left -= len(tied)
    return gained / len(score)


def slow_qini(score, effects, steps=20_000):
    """Answer the area between the gain curve and the straight line, by the midpoint rule."""
    whole = sum(effects) / len(effects)
    at = [(k + 0.5) / steps for k in range(steps)]
    return sum(slow_gain(score, effects, reach) - reach * whole for reach in at) / steps


cases = st.integers(1, 12).flatmap(
    lambda n: st.tuples(
        st.lists(st.integers(0, 4), min_size=n, max_size=n),
        st.lists(st.floats(-3, 3), min_size=n, max_size=n),
    )
)


@settings(max_examples=30, deadline=None)
@given(cases)
def test_the_coefficient_is_the_area_of_its_curve(case):
    score, effects = (np.array(column, float) for column in case)
    assert qini_cases(score, effects).mean() == pytest.approx(
        slow_qini(*case, steps=2_000), abs=2e-3
    )


@settings(max_examples=60, deadline=None)
@given(cases, st.floats(0, 1))
def test_what_a_reach_saves_is_the_gain_there(case, reach):
    score, effects = (np.array(column, float) for column in case)
    found = saved(score, effects, reach, rounds=0).value
    assert found == pytest.approx(slow_gain(*case, reach), abs=1e-9)


def test_places_share_the_middle_of_a_tie():
    assert Order(np.array([5.0, 1.0, 5.0, 0.0])).places() == pytest.approx(
        [0.25, 0.625, 0.25, 0.875]
    )


def test_a_score_that_says_nothing_has_coefficient_0():
    effects = np.random.default_rng(0).normal(size=100)
    found = qini(np.zeros(100), effects, rounds=50)
    assert found == pytest.approx((0, 0, 0), abs=1e-12)


def test_the_best_order_beats_all_others_and_the_worst_is_its_mirror():
    effects = np.array([3.0, 1.0, -2.0, 0.5])
    best = qini(effects, effects, rounds=10).value
    assert best == pytest.approx(-qini(-effects, effects, rounds=10).value)
    for seed in range(20):
        other = np.random.default_rng(seed).normal(size=4)
        assert qini(other, effects, rounds=2).value <= best + 1e-12


def test_weights_count_people_as_often_as_they_are_drawn():
    rng = np.random.default_rng(2)
    score, effects = rng.integers(0, 5, 40).astype(float), rng.normal(size=40)
    rows = rng.integers(0, 40, 40)
    drawn = qini_cases(score[rows], effects[rows]).mean()
    order = Order(score)
    sums, weights = order.totals(effects, np.bincount(rows, minlength=40).astype(float))
    middle = (np.cumsum(weights) - weights / 2) / weights.sum()
    assert float(sums @ (0.5 - middle) / 40) == pytest.approx(drawn)


def test_the_interval_of_lot_holds_0_and_that_of_the_truth_does_not():
    rng = np.random.default_rng(3)
    truth = rng.normal(0, 0.1, 3000)
    seen = truth + rng.normal(0, 0.8, 3000)
    found, lot = qini(truth, seen, rounds=200), qini(rng.normal(size=3000), seen, rounds=200)
    assert 0 < found.low < found.value < found.high
    assert lot.low < 0 < lot.high
    apart = qini_difference(truth, -truth, seen, rounds=200)
    assert apart.value == pytest.approx(2 * found.value)
    assert 0 < apart.low < apart.value < apart.high


def test_the_gain_curve_starts_at_nothing_and_ends_at_everybody():
    rng = np.random.default_rng(4)
    effects = rng.normal(0.1, 1, 500)
    curve = gain_curve(rng.normal(size=500), effects, points=5, rounds=50)
    assert curve.reach.tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert curve.gain[[0, -1]] == pytest.approx([0, effects.mean()])
    assert (curve.low <= curve.high).all()


@pytest.mark.parametrize("targeted", [0.0, 1.0])
def test_seen_effects_are_right_on_average_although_each_is_wrong(targeted):
    trial = simulate_trial(80_000, np.random.default_rng(5), targeted=targeted)
    seen = seen_effects(trial.treated, trial.stayed.astype(float), trial.propensity)
    for mine in (trial.effect > 0.05, trial.effect < 0, trial.effect > -9):
        error = seen[mine].std() / np.sqrt(mine.sum())
        assert abs(seen[mine].mean() - trial.effect[mine].mean()) < 4 * error


def test_in_a_plain_trial_their_mean_is_the_difference_of_the_arms():
    treated = np.array([True, True, False, False, False])
    outcome = np.array([1.0, 0.0, 0.0, 0.0, 1.0])
    seen = seen_effects(treated, outcome, np.full(5, 0.4))
    assert seen.mean() == pytest.approx(1 / 2 - 1 / 3)


def test_one_arm_shows_no_effect():
    with pytest.raises(ValueError, match="two arms"):
        seen_effects(np.ones(3, bool), np.ones(3), np.full(3, 0.5))
