"""One outcome as a Gaussian: against fine integration; many: against a grid and a batch solve."""

import numpy as np
import pytest

from models.bandits.sites import LINEAR, LOGISTIC, absorb, logistic_site
from tests.models.bandits.worlds import sigmoid


def start(d, variance=1.0, mean=0.0):
    return (
        np.full(d, mean), np.eye(d) * variance,
        np.zeros((d, d)), np.zeros(d), np.zeros(3),
    )  # fmt: skip


@pytest.mark.parametrize("mean", [-6.0, -1.0, 0.0, 3.0])
@pytest.mark.parametrize("sd", [0.05, 0.5, 2.0])
@pytest.mark.parametrize("reward", [0.0, 0.3, 1.0])
def test_moments_are_those_of_fine_integration(mean, sd, reward):
    score = np.linspace(mean - 12 * sd, mean + 12 * sd, 200_001)
    height = np.exp(-0.5 * ((score - mean) / sd) ** 2 + reward * score - np.logaddexp(0.0, score))
    height /= height.sum()
    m = (height * score).sum()
    v = (height * (score - m) ** 2).sum()
    precision, shift = logistic_site(mean, sd**2, reward)
    assert 1 / (1 / sd**2 + precision) == pytest.approx(v, rel=2e-3)
    assert (mean / sd**2 + shift) / (1 / sd**2 + precision) == pytest.approx(m, abs=2e-3 * sd)


def test_a_far_score_overflows_nothing():
    for mean in (-700.0, 700.0):
        for reward in (0.0, 1.0):
            precision, shift = logistic_site(mean, 4.0, reward)
            assert np.isfinite([precision, shift]).all()
            assert precision > 0


def test_linear_outcomes_give_the_batch_solution():
    rng = np.random.default_rng(0)
    d, n, noise = 5, 300, 0.7
    x, y = rng.normal(size=(n, d)), rng.normal(size=n)
    mean, cov, precision, shift, tallies = start(d, 4.0)
    for row, reward in zip(x, y, strict=True):
        assert absorb(mean, cov, precision, shift, tallies, row, reward, LINEAR, noise)
    wanted = np.linalg.inv(np.eye(d) / 4.0 + x.T @ x / noise)
    np.testing.assert_allclose(cov, wanted, rtol=1e-8)
    np.testing.assert_allclose(mean, wanted @ (x.T @ y / noise), rtol=1e-8)
    np.testing.assert_allclose(precision, x.T @ x / noise, rtol=1e-9)
    np.testing.assert_allclose(shift, x.T @ y / noise, rtol=1e-9)
    np.testing.assert_allclose(tallies, [n, y.sum(), (y**2).sum()])


def grid_posterior(x, y, sd):
    line = np.linspace(-6, 6, 401)
    a, b = np.meshgrid(line, line, indexing="ij")
    log = -0.5 * (a**2 + b**2) / sd**2
    for row, reward in zip(x, y, strict=True):
        score = a * row[0] + b * row[1]
        log += reward * score - np.logaddexp(0, score)
    p = np.exp(log - log.max())
    p /= p.sum()
    mean = np.array([(p * a).sum(), (p * b).sum()])
    da, db = a - mean[0], b - mean[1]
    off = (p * da * db).sum()
    return mean, np.array([[(p * da**2).sum(), off], [off, (p * db**2).sum()]])


@pytest.mark.parametrize(
    ("offset", "rows", "far"), [(0.0, 40, 0.25), (-3.0, 120, 0.35), (0.0, 400, 0.3)]
)
def test_logistic_outcomes_give_nearly_the_posterior_on_a_grid(offset, rows, far):
    """One pass is not exact: what was learned early is not looked at again."""
    misses, ratios = [], []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        x = np.column_stack([np.ones(rows), rng.normal(size=rows)])
        y = (rng.random(rows) < sigmoid(x @ np.array([offset, 0.8]))).astype(float)
        mean, cov, *rest = start(2, 4.0)
        for row, reward in zip(x, y, strict=True):
            absorb(mean, cov, *rest, row, reward, LOGISTIC, 1.0)
        wanted, spread = grid_posterior(x, y, 2.0)
        misses.append(np.abs(mean - wanted) / np.sqrt(np.diag(spread)))
        ratios.append(np.diag(cov) / np.diag(spread))
    assert np.mean(misses) < far, "far from the posterior, in its own deviations"
    assert np.exp(np.mean(np.log(ratios))) == pytest.approx(1.0, abs=0.2)


def test_the_posterior_is_prior_and_evidence():
    rng = np.random.default_rng(3)
    mean, cov, precision, shift, tallies = start(3, 2.0)
    for _ in range(200):
        absorb(
            mean, cov, precision, shift, tallies,
            rng.normal(size=3), float(rng.random() < 0.2), LOGISTIC, 1.0,
        )  # fmt: skip
    whole = np.linalg.inv(np.eye(3) / 2.0 + precision)
    np.testing.assert_allclose(cov, whole, rtol=1e-8)
    np.testing.assert_allclose(mean, whole @ shift, rtol=1e-8)


@pytest.mark.parametrize(
    ("x", "reward", "kind"),
    [
        ([1.0, np.nan], 1.0, LOGISTIC),
        ([1.0, 0.0], np.nan, LOGISTIC),
        ([1.0, 0.0], 1.5, LOGISTIC),
        ([1.0, 0.0], -0.1, LOGISTIC),
        ([1.0, 0.0], np.inf, LINEAR),
        ([0.0, 0.0], 1.0, LOGISTIC),
    ],
)
def test_what_is_no_outcome_changes_nothing(x, reward, kind):
    parts = start(2)
    before = [part.copy() for part in parts]
    assert not absorb(*parts, np.array(x), reward, kind, 1.0)
    for left, right in zip(parts, before, strict=True):
        np.testing.assert_array_equal(left, right)
