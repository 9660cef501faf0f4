"""Vectors at 16 bits against plain products."""

import numpy as np
import pytest

from models.recommend.rounded import Rounded, products, whole


def random_vectors(n=300, d=16, seed=0):
    return np.random.default_rng(seed).normal(0, 0.3, (n, d)).astype(np.float32)


def test_mean_and_deviation_are_those_of_the_products():
    vectors, vector = random_vectors(), random_vectors(seed=1)[0]
    held, out = Rounded(vectors), np.empty(300, np.float32)
    mean, scale = products(held.blocks, held.spread, whole(vector), out)
    wide = out.astype(float)
    assert mean == pytest.approx(wide.mean(), rel=1e-4)
    assert 1 / scale == pytest.approx(wide.std(), rel=1e-4)
    wanted = vectors @ vector
    standard = (wanted - wanted.mean()) / wanted.std()
    np.testing.assert_allclose((out - mean) * scale, standard, atol=2e-3)


def test_cosines_are_cosines_but_for_scale():
    vectors = random_vectors()
    vectors[7] = 0
    out = np.full(300, np.nan, np.float32)
    Rounded(vectors).cosines(vectors[3], out)
    lengths = np.linalg.norm(vectors, axis=1)
    wanted = vectors @ vectors[3] / np.where(lengths > 0, lengths, 1)
    np.testing.assert_allclose(out / out[3], wanted / wanted[3], atol=1e-3)
    assert out[7] == 0


@pytest.mark.parametrize("size", [1e-20, 1.0, 1e20])
def test_rounding_leaves_room_for_the_sum(size):
    found = whole(random_vectors(seed=4)[0] * np.float32(size))
    assert 32_000 < np.abs(found.astype(int)).sum() <= 2**15


@pytest.mark.parametrize("vector", [[0.0, 0.0], [np.inf, 1.0], [np.nan, 1.0]])
def test_what_is_no_direction_is_zeros(vector):
    assert not whole(np.array(vector, np.float32)).any()


def test_vectors_that_are_all_zero_say_nothing():
    held, out = Rounded(np.zeros((5, 4), np.float32)), np.ones(5, np.float32)
    assert products(held.blocks, held.spread, whole(np.ones(4, np.float32)), out) == (0.0, 0.0)
    assert not out.any()
