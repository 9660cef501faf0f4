"""Pooling over a tree agrees with the one of campaigns, and with doing it at one stroke."""

import numpy as np
import pytest

from models.bandits.beliefs import frozen, pool_tree
from models.bandits.evidence import Evidence, nothing
from models.bandits.pooling import pool_campaigns, said_by
from models.bandits.posterior import believe

D, ARMS, CAMPAIGNS = 3, 4, 5
TOP = said_by(np.array([0.5, 0.0, -0.2]), np.array([1.0, 0.5, 0.5]))
GROUP_SPREAD, LEAF_SPREAD = np.array([0.2, 0.1, 0.1]), np.array([0.3, 0.05, 0.2])


def evidence(count, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(count, 6, D))
    precision = np.einsum("nij,nik->njk", x, x)
    return Evidence(precision, rng.normal(size=(count, D)), np.ones((count, 3)))


def test_it_agrees_with_pooling_of_campaigns():
    campaigns = [evidence(ARMS, seed) for seed in range(CAMPAIGNS)]
    expected = pool_campaigns(campaigns, TOP, GROUP_SPREAD, LEAF_SPREAD)
    together = Evidence(*(np.concatenate(parts) for parts in zip(*campaigns, strict=True)))
    groups = np.tile(np.arange(ARMS), CAMPAIGNS)
    found = pool_tree(together, groups, ARMS, TOP, (GROUP_SPREAD, LEAF_SPREAD))
    np.testing.assert_allclose(found.leaves.mean, np.concatenate([one.mean for one in expected]))
    np.testing.assert_allclose(
        found.leaves.covariance, np.concatenate([one.covariance for one in expected])
    )
    newcomer = pool_campaigns(
        [*campaigns, nothing(ARMS, D)], TOP, GROUP_SPREAD, LEAF_SPREAD
    )[-1]  # fmt: skip
    np.testing.assert_allclose(found.newcomers.mean, newcomer.mean)
    np.testing.assert_allclose(found.newcomers.covariance, newcomer.covariance)


def at_one_stroke(seen, groups, count):
    """Answer the posterior of root, groups and leaves as one big Gaussian, without messages."""
    n = len(groups)
    size = D * (1 + count + n)
    precision, shift = np.zeros((size, size)), np.zeros(size)

    def block(place):
        return slice(D * place, D * (place + 1))

    precision[block(0), block(0)] += TOP.precision
    shift[block(0)] += TOP.shift
    edges = [(0, 1 + g, GROUP_SPREAD) for g in range(count)]
    edges += [(1 + g, 1 + count + i, LEAF_SPREAD) for i, g in enumerate(groups)]
    for parent, child, spread in edges:
        tie = np.diag(1 / spread)
        precision[block(parent), block(parent)] += tie
        precision[block(child), block(child)] += tie
        precision[block(parent), block(child)] -= tie
        precision[block(child), block(parent)] -= tie
    for i in range(n):
        precision[block(1 + count + i), block(1 + count + i)] += seen.precision[i]
        shift[block(1 + count + i)] += seen.shift[i]
    covariance = np.linalg.inv(precision)
    mean = covariance @ shift
    leaves = [block(1 + count + i) for i in range(n)]
    return np.stack([mean[one] for one in leaves]), np.stack(
        [covariance[one, one] for one in leaves]
    )


def test_beliefs_are_those_of_one_big_gaussian():
    seen, groups = evidence(6), np.array([0, 0, 0, 1, 1, 2])
    seen.precision[2] = seen.shift[2] = 0.0
    pooled = pool_tree(seen, groups, 3, TOP, (GROUP_SPREAD, LEAF_SPREAD))
    found = believe(pooled.leaves, seen).beliefs
    mean, covariance = at_one_stroke(seen, groups, 3)
    np.testing.assert_allclose(found.mean, mean, atol=1e-10)
    np.testing.assert_allclose(found.covariance, covariance, atol=1e-10)
    np.testing.assert_allclose(pooled.newcomers.mean[0], found.mean[2], atol=1e-10)


def test_strangers_know_what_everybody_has_in_common():
    nobody = pool_tree(nothing(0, D), np.zeros(0, np.int64), 0, TOP, (GROUP_SPREAD, LEAF_SPREAD))
    np.testing.assert_allclose(nobody.strangers.mean[0], [0.5, 0.0, -0.2])
    spread = np.array([1.0, 0.5, 0.5]) + GROUP_SPREAD + LEAF_SPREAD
    np.testing.assert_allclose(np.diag(nobody.strangers.covariance[0]), spread)
    seen = evidence(6)
    some = pool_tree(seen, np.array([0, 0, 0, 1, 1, 1]), 2, TOP, (GROUP_SPREAD, LEAF_SPREAD))
    narrower = np.diag(some.strangers.covariance[0])
    assert (narrower < spread).all()
    assert (narrower > np.diag(some.newcomers.covariance[0])).all()


def test_snapshots_are_not_to_be_written():
    made = frozen(np.zeros((2, D))[::1], np.zeros((4, D, D))[::2], 3.0)
    assert made.covariance.flags.c_contiguous
    for array in (made.mean, made.covariance):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1.0
