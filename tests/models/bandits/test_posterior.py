"""Prior and evidence together are the batch solution; what cannot be true falls back."""

import numpy as np

from models.bandits.evidence import nothing
from models.bandits.posterior import LARGEST_WEIGHT, Gaussians, believe, sane, standard, symmetric
from tests.models.bandits.worlds import random_evidence


def test_belief_is_the_batch_solution():
    rng = np.random.default_rng(0)
    prior = standard(3, np.array([1.0, -2.0]), np.array([0.5, 2.0]))
    evidence = random_evidence(rng, 3, 2)
    found = believe(prior, evidence)
    assert not found.fell_back.any()
    for arm in range(3):
        precision = np.diag([2.0, 0.5]) + evidence.precision[arm]
        shift = np.array([2.0, -1.0]) + evidence.shift[arm]
        np.testing.assert_allclose(found.beliefs.mean[arm], np.linalg.solve(precision, shift))
        np.testing.assert_allclose(found.beliefs.covariance[arm], np.linalg.inv(precision))


def test_no_evidence_leaves_the_prior():
    prior = standard(2, np.array([0.3, 0.4]), np.array([1.0, 3.0]))
    found = believe(prior, nothing(2, 2)).beliefs
    np.testing.assert_allclose(found.mean, prior.mean)
    np.testing.assert_allclose(found.covariance, prior.covariance, atol=1e-12)


def test_an_arm_that_lies_or_leaves_the_limits_keeps_its_prior():
    prior = standard(4, np.zeros(2), np.ones(2))
    evidence = random_evidence(np.random.default_rng(1), 4, 2)
    evidence.precision[0, 0, 0] = np.nan
    evidence.shift[2] = 1e6
    found = believe(prior, evidence)
    assert found.fell_back.tolist() == [True, False, True, False]
    for arm in (0, 2):
        np.testing.assert_array_equal(found.beliefs.mean[arm], [0.0, 0.0])
        np.testing.assert_array_equal(found.beliefs.covariance[arm], np.eye(2))
    assert np.isfinite(found.beliefs.mean).all()


def test_the_limits_of_a_belief():
    good = standard(4, np.zeros(2), np.ones(2))
    mean, covariance = good.copy()
    mean[1, 0] = LARGEST_WEIGHT + 1
    covariance[2, 1, 1] = 1e9
    covariance[3, 0, 0] = 0.0
    assert sane(Gaussians(mean, covariance)).tolist() == [True, False, False, False]
    mean[0, 1] = np.nan
    assert not sane(Gaussians(mean, covariance)).any()


def test_a_copy_may_be_written_to():
    one = standard(1, np.zeros(2), np.ones(2))
    copy = one.copy()
    copy.mean[0, 0] = 5.0
    assert one.mean[0, 0] == 0.0
    assert copy.covariance.flags.c_contiguous


def test_symmetric_puts_straight():
    matrix = np.array([[1.0, 2.0], [0.0, 1.0]])
    np.testing.assert_array_equal(symmetric(matrix), [[1.0, 1.0], [1.0, 1.0]])
