"""Pooling against one dense solve of the whole tree, in which nothing is clever."""

import numpy as np
import pytest

from models.bandits.evidence import nothing
from models.bandits.pooling import Said, pool, pool_campaigns, said_by, upward
from tests.models.bandits.worlds import random_evidence


def dense(children, edges, top, own):
    """Solve a tree of n nodes at once: mean and covariance of every node's weights.

    edges: (child, parent, variances). own: {node: (precision, shift)}. Node 0 has prior `top`.
    """
    d = len(top.shift)
    whole, shift = np.zeros((children * d, children * d)), np.zeros(children * d)

    def block(i, j):
        return np.ix_(range(i * d, i * d + d), range(j * d, j * d + d))

    whole[block(0, 0)] += top.precision
    shift[:d] += top.shift
    for child, parent, spread in edges:
        link = np.diag(1 / spread)
        whole[block(child, child)] += link
        whole[block(parent, parent)] += link
        whole[block(child, parent)] -= link
        whole[block(parent, child)] -= link
    for node, (precision, push) in own.items():
        whole[block(node, node)] += precision
        shift[node * d : node * d + d] += push
    covariance = np.linalg.inv(whole)
    mean = covariance @ shift
    return (
        [mean[i * d : i * d + d] for i in range(children)],
        [covariance[block(i, i)] for i in range(children)],
    )


SPREAD = np.array([0.3, 0.05, 1.0])
TOP = said_by(np.array([-2.0, 0.0, 0.5]), np.array([1.0, 0.4, 2.0]))


def test_siblings_know_what_the_dense_solution_knows():
    evidence = random_evidence(np.random.default_rng(0), 4, 3, rows=5)
    family = pool(evidence, TOP, SPREAD)
    edges = [(i + 1, 0, SPREAD) for i in range(4)]
    own = {i + 1: (evidence.precision[i], evidence.shift[i]) for i in range(4)}
    mean, covariance = dense(5, edges, TOP, own)
    np.testing.assert_allclose(family.mean, mean[0], rtol=1e-8)
    np.testing.assert_allclose(family.covariance, covariance[0], rtol=1e-8)
    for i in range(4):
        prior = np.linalg.inv(family.priors.covariance[i])
        precision = prior + evidence.precision[i]
        shift = prior @ family.priors.mean[i] + evidence.shift[i]
        np.testing.assert_allclose(np.linalg.solve(precision, shift), mean[i + 1], rtol=1e-7)
        np.testing.assert_allclose(np.linalg.inv(precision), covariance[i + 1], rtol=1e-7)


def test_campaigns_of_an_exchange_know_what_the_dense_solution_knows():
    rng = np.random.default_rng(1)
    campaigns = [random_evidence(rng, 2, 3, rows=rows) for rows in (4, 9)]
    campaigns.append(nothing(2, 3))
    deep = np.array([0.1, 0.2, 0.3])
    priors = pool_campaigns(campaigns, TOP, SPREAD, deep)
    # nodes: 0 root; 1, 2 arms of the exchange; then the arms of each campaign
    edges = [(1, 0, SPREAD), (2, 0, SPREAD)]
    own = {}
    for c, evidence in enumerate(campaigns):
        for arm in range(2):
            node = 3 + 2 * c + arm
            edges.append((node, 1 + arm, deep))
            own[node] = (evidence.precision[arm], evidence.shift[arm])
    mean, covariance = dense(9, edges, TOP, own)
    for c, evidence in enumerate(campaigns):
        for arm in range(2):
            prior = np.linalg.inv(priors[c].covariance[arm])
            precision = prior + evidence.precision[arm]
            shift = prior @ priors[c].mean[arm] + evidence.shift[arm]
            node = 3 + 2 * c + arm
            np.testing.assert_allclose(np.linalg.solve(precision, shift), mean[node], rtol=1e-6)
            np.testing.assert_allclose(np.linalg.inv(precision), covariance[node], rtol=1e-6)


def test_an_arm_does_not_hear_its_own_outcomes_as_its_prior():
    evidence = random_evidence(np.random.default_rng(2), 3, 3)
    before = pool(evidence, TOP, SPREAD).priors
    evidence.shift[1] += 100.0
    after = pool(evidence, TOP, SPREAD).priors
    np.testing.assert_allclose(after.mean[1], before.mean[1], rtol=1e-9)
    assert np.abs(after.mean[0] - before.mean[0]).max() > 0.1


def test_evidence_that_says_nothing_says_nothing_upward():
    silent = upward(Said(np.zeros((2, 3, 3)), np.zeros((2, 3))), SPREAD)
    assert not silent.precision.any()
    assert not silent.shift.any()


def test_overwhelming_evidence_says_upward_no_more_than_the_spread_lets_through():
    sure = upward(Said(np.eye(3)[None] * 1e9, np.ones((1, 3)) * 1e9), SPREAD)
    np.testing.assert_allclose(np.diag(sure.precision[0]), 1 / SPREAD, rtol=1e-6)


def test_a_new_arm_starts_where_its_siblings_are():
    rng = np.random.default_rng(3)
    evidence = random_evidence(rng, 5, 3, rows=400)
    evidence.shift[:4] = evidence.precision[:4] @ np.array([-3.0, 1.0, 0.0])
    for array in evidence:
        array[4] = 0.0
    prior = pool(evidence, TOP, np.full(3, 0.01)).priors
    assert prior.mean[4] == pytest.approx([-3.0, 1.0, 0.0], abs=0.05)
