"""Trees and a line joined in one pass: the sums that arrays of numpy would give."""

import numpy as np
import pytest

from models.churn.joining import cleaned, join, trust
from models.churn.linear import Linear

F = 5
ODD = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1e308, -7.5]


def line(seed: int = 0) -> Linear:
    rng = np.random.default_rng(seed)
    weights, means = rng.normal(size=(2, 2 * F))
    return Linear(rng.normal(size=F), rng.uniform(0.5, 2, F), weights, means, -1.25)


def rows(n: int, seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    out = rng.normal(0, 20, (n, F))
    places = rng.random(out.shape) < 0.3
    out[places] = rng.choice(ODD, places.sum())
    return out


def test_infinities_are_missing_and_the_given_rows_stay():
    given = rows(50)
    before = given.copy()
    found = cleaned(given)
    np.testing.assert_array_equal(found, np.where(np.isinf(given), np.nan, given))
    np.testing.assert_array_equal(given, before)
    assert cleaned(given[:, ::-1].T).flags.c_contiguous


@pytest.mark.parametrize("blend", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("n", [0, 1, 7])
def test_shares_are_mixed_and_add_up(blend: float, n: int):
    own, x = line(), cleaned(rows(n))
    trees = np.random.default_rng(3).normal(size=(n, F + 1))
    parts = trees.copy()
    log_odds = join(parts, x, own, blend)
    wanted = (1 - blend) * trees + blend * own.contributions(x)
    np.testing.assert_array_equal(parts, wanted)
    np.testing.assert_allclose(log_odds, wanted.sum(axis=1), 0, 1e-12)


def test_a_row_alone_is_the_row_among_others():
    own, x = line(), cleaned(rows(20))
    trees = np.random.default_rng(3).normal(size=(20, F + 1))
    together = join(trees.copy(), x, own, 0.4)
    alone = [join(trees[i : i + 1].copy(), x[i : i + 1], own, 0.4)[0] for i in range(20)]
    assert together.tolist() == alone


def test_trust_is_the_share_of_known_numbers_within_bounds():
    low, high = np.zeros(F), np.full(F, 10.0)
    x = np.array([[1, 2, 3, 4, 5], [1, np.nan, 11, -1, 10], [np.nan] * 5, [np.inf, 0, 0, 0, 0]])
    assert trust(x, low, high).tolist() == [1.0, 0.5, 0.0, 0.8]
