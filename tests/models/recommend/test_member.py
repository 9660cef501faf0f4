import numpy as np
import pytest

from models.recommend.member import frozen, standardise


def test_standard_scores_have_mean_0_and_deviation_1():
    scores = np.random.default_rng(0).gamma(0.1, 1, 10_007).astype(np.float32)
    wanted = (scores - scores.mean(dtype=float)) / scores.std(dtype=float)
    standardise(scores)
    np.testing.assert_allclose(scores, wanted, atol=1e-4)
    assert abs(scores.mean(dtype=float)) < 1e-5
    assert scores.std(dtype=float) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("value", [0.0, 0.1, -3e7, 1e-38])
def test_a_constant_row_says_nothing(value):
    scores = np.full(1_001, value, np.float32)
    standardise(scores)
    assert not scores.any()


def test_one_score_and_none_say_nothing():
    for n in (0, 1):
        scores = np.ones(n, np.float32)
        standardise(scores)
        assert not scores.any()


def test_standardising_keeps_the_order_and_ignores_scale():
    scores = np.random.default_rng(1).normal(size=500).astype(np.float32)
    ten = scores * 10 + 3
    order = np.argsort(scores)
    standardise(scores)
    standardise(ten)
    assert (np.argsort(scores) == order).all()
    np.testing.assert_allclose(scores, ten, atol=1e-5)


def test_frozen_is_read_only_and_leaves_its_source_writable():
    source = np.arange(4, dtype=np.float32)
    view = frozen(source, np.float32)
    with pytest.raises(ValueError, match="read-only"):
        view[0] = 1
    source[0] = 7
    assert view[0] == 7
    assert frozen(source[::2], np.float32).flags.c_contiguous
