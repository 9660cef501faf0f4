"""Learning how far arms differ: comes near the truth, is drawn to its prior, keeps its limits."""

import numpy as np
import pytest

from models.bandits.evidence import Evidence, nothing
from models.bandits.pooling import said_by
from models.bandits.spread import SpreadPrior, learn_spread

TOP = said_by(np.zeros(6), np.full(6, 4.0))


def arms_with(sd, bias_sd, arms, rows, seed=0):
    rng = np.random.default_rng(seed)
    centre = np.array([-1.0, 0.5, 0.0, 0.0, 0.3, 0.0])
    evidence = nothing(arms, 6)
    for arm in range(arms):
        weights = centre + rng.normal(size=6) * np.array([bias_sd, *[sd] * 5])
        x = np.column_stack([np.ones(rows), rng.normal(size=(rows, 5))])
        y = x @ weights + rng.normal(size=rows)
        evidence.precision[arm], evidence.shift[arm] = x.T @ x, x.T @ y
    return evidence


@pytest.mark.parametrize(("sd", "bias_sd"), [(0.1, 0.5), (1.0, 0.2), (0.4, 0.4)])
def test_many_arms_show_how_far_they_differ(sd, bias_sd):
    evidence = arms_with(sd, bias_sd, arms=150, rows=60)
    prior = SpreadPrior(sd=0.3, bias_sd=0.3, worth=8.0)
    found = np.sqrt(learn_spread(evidence, TOP, prior.variances(6), prior, rounds=60))
    assert found[0] == pytest.approx(bias_sd, rel=0.15)
    assert found[1:] == pytest.approx(np.full(5, sd), rel=0.2)


def test_no_outcome_leaves_the_prior():
    prior = SpreadPrior(sd=0.7, bias_sd=0.2)
    found = learn_spread(nothing(3, 6), TOP, prior.variances(6), prior, rounds=30)
    np.testing.assert_allclose(np.sqrt(found), [0.2, *[0.7] * 5], rtol=1e-6)


def test_few_arms_cannot_say_all_alike():
    evidence = arms_with(0.0, 0.0, arms=3, rows=500)
    prior = SpreadPrior(sd=0.5, bias_sd=0.5, worth=10.0)
    found = np.sqrt(learn_spread(evidence, TOP, prior.variances(6), prior, rounds=80))
    assert 0.2 < found[1] < 0.5


def test_every_round_makes_the_outcomes_likelier():
    evidence = arms_with(0.8, 0.4, arms=30, rows=20, seed=5)
    prior = SpreadPrior(worth=1e-9)

    def likelihood(spread):
        """Log p(evidence | spread), up to what does not depend on it, by brute force."""
        d, k = 6, evidence.arms
        link = np.kron(np.eye(k), np.diag(spread)) + np.kron(np.ones((k, k)), np.eye(6) * 4.0)
        block = np.zeros((k * d, k * d))
        for i in range(k):
            block[i * d : i * d + d, i * d : i * d + d] = evidence.precision[i]
        inner = np.eye(k * d) + link @ block
        pull = evidence.shift.ravel()
        return -0.5 * np.linalg.slogdet(inner)[1] + 0.5 * pull @ np.linalg.solve(inner, link @ pull)

    spread = prior.variances(6)
    seen = [likelihood(spread)]
    for _ in range(6):
        spread = learn_spread(evidence, TOP, spread, prior)
        seen.append(likelihood(spread))
    assert np.all(np.diff(seen) > -1e-6)
    assert seen[-1] > seen[0] + 1


def test_numbers_that_are_none_leave_the_spread_as_it_was():
    evidence = arms_with(0.5, 0.5, arms=3, rows=10)
    broken = Evidence(evidence.precision, np.full_like(evidence.shift, np.nan), evidence.tallies)
    spread = SpreadPrior().variances(6)
    np.testing.assert_array_equal(learn_spread(broken, TOP, spread, SpreadPrior()), spread)


def test_a_bandit_of_the_constant_alone_has_a_spread_too():
    evidence = Evidence(np.full((4, 1, 1), 50.0), np.arange(4.0)[:, None] * 50, np.ones((4, 3)))
    top = said_by(np.zeros(1), np.ones(1) * 4)
    found = learn_spread(evidence, top, np.array([0.09]), SpreadPrior(), rounds=50)
    assert found.shape == (1,)
    assert found[0] > 0.09
