"""The line is least squares with a robust doubt; groups tell whether effects are what they say."""

import numpy as np
import pytest

from training.fit.uplift.calibrating import calibration_p, fit_line, group_effects


def made(slope, n=4000, seed=0, noise=0.8):
    rng = np.random.default_rng(seed)
    score = rng.normal(0.02, 0.1, n)
    return score, 0.05 + slope * (score - 0.02) + rng.normal(0, noise, n)


def test_the_line_is_that_of_least_squares():
    score, seen = made(1.5)
    line = fit_line(score, seen)
    slope, _ = np.polyfit(score, seen, 1)
    assert line.slope == pytest.approx(slope)
    assert line.effect(score).mean() == pytest.approx(seen.mean())
    design = np.column_stack([np.ones(len(score)), score - score.mean()])
    inverse = np.linalg.inv(design.T @ design)
    left = seen - line.effect(score)
    robust = inverse @ (design.T * left**2) @ design @ inverse
    assert line.doubt == pytest.approx((robust[0, 0], robust[0, 1], robust[1, 1]))


def test_the_doubt_is_as_large_as_lines_differ():
    lines = [fit_line(*made(1.0, n=500, seed=seed)) for seed in range(300)]
    at = np.array([0.2])
    spread = np.var([line.effect(at)[0] for line in lines])
    stated = np.mean([line.variance(at, np.zeros(1))[0] for line in lines])
    assert stated == pytest.approx(spread, rel=0.25)


@pytest.mark.parametrize("slope", [-2.0, 0.0])
def test_scores_that_order_nobody_give_everybody_the_mean(slope):
    score, seen = made(slope, seed=3, noise=0.1)
    line = fit_line(score, seen if slope else seen - 0.5 * score)
    assert line.slope == 0.0
    assert line.effect(score) == pytest.approx(np.full(len(score), line.mean))
    assert line.variance(score, score**2).max() == pytest.approx(
        np.var(seen if slope else seen - 0.5 * score) / len(seen)
    )


def test_one_score_for_all_is_no_line():
    line = fit_line(np.full(10, 0.3), np.arange(10.0))
    assert (line.slope, line.mean) == (0.0, 4.5)


def test_groups_are_of_even_size_the_highest_first():
    effect = np.array([0.1, 0.2, 0.3, 0.4])
    found = group_effects(effect, np.array([1.0, 3.0, 5.0, 9.0]), 2)
    assert [row[:2] for row in found] == [(pytest.approx(0.35), 7.0), (pytest.approx(0.15), 2.0)]
    assert found[0][2] == pytest.approx(2.0 / np.sqrt(2))


def test_right_effects_pass_and_doubled_ones_do_not():
    score, seen = made(1.0, n=20_000)
    right = 0.05 + (score - 0.02)
    assert calibration_p(right, seen) > 0.01
    assert calibration_p(0.05 + 2 * (score - 0.02), seen) < 1e-4
    assert np.isnan(calibration_p(np.zeros(4), np.zeros(4)))


def test_the_test_of_groups_has_its_level():
    right = []
    for seed in range(200):
        score, seen = made(1.0, n=1000, seed=seed)
        right.append(calibration_p(0.05 + (score - 0.02), seen))
    assert np.mean(np.array(right) < 0.05) == pytest.approx(0.05, abs=0.045)
