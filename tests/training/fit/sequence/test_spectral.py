"""Vectors to begin with: likeness of what is used together."""

import numpy as np

from tests.training.fit.sequence.grammar import log_of
from training.fit.sequence.spectral import nearness, spectral_vectors


def two_worlds(n=40, seed=0):
    """Users of the even items, and users of the odd ones."""
    rng = np.random.default_rng(seed)
    return log_of([2 * rng.choice(n // 2, 6, False) + user % 2 for user in range(200)], n)


def test_what_is_used_together_lies_together():
    vectors = spectral_vectors(two_worlds(), 8)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = unit @ unit.T
    same = (np.arange(40)[:, None] + np.arange(40)) % 2 == 0
    assert cosines[same].mean() > cosines[~same].mean() + 0.3
    assert vectors.shape == (40, 8)
    np.testing.assert_allclose((vectors**2).sum() / 40, 1, rtol=1e-4)


def test_many_items_take_the_sparse_way_to_the_same_end():
    log = two_worlds()
    few, wide = spectral_vectors(log, 4), spectral_vectors(log, 39)
    gram, wanted = few @ few.T, wide[:, :4] @ wide[:, :4].T
    np.testing.assert_allclose(gram / np.trace(gram), wanted / np.trace(wanted), atol=1e-3)


def test_nearness_falls_with_distance_and_has_no_direction():
    found = nearness(log_of([[0, 1, 2]], 3)).toarray()
    np.testing.assert_array_equal(found, found.T)
    sums = np.array([1.5, 2.0, 1.5]) + 1
    wanted = np.array([[0, 1, 0.5], [1, 0, 1], [0.5, 1, 0]]) / np.sqrt(np.outer(sums, sums))
    np.testing.assert_allclose(found, wanted, rtol=1e-5)


def test_it_is_the_same_each_time():
    log = two_worlds()
    np.testing.assert_array_equal(spectral_vectors(log, 4), spectral_vectors(log, 4))


def test_a_log_of_single_events_has_no_directions():
    assert not spectral_vectors(log_of([[1], [2]], 5), 4).any()


def test_fewer_items_than_directions_are_filled_up():
    found = spectral_vectors(log_of([[0, 1], [1, 2]], 3), 8)
    assert found.shape == (3, 8)
    assert found.any()
    assert not found[:, 3:].any()
