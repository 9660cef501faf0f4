"""Newton's ridge logistic regression against its own optimality and known weights."""

import numpy as np
import pytest

from training.fit.bidding.newton import log_likelihood, ridge_logistic


def rows(n=20_000, seed=0):
    rng = np.random.default_rng(seed)
    x = np.c_[np.ones(n), rng.normal(size=(n, 2))]
    true = np.array([-2.0, 1.0, -0.5])
    y = (rng.random(n) < 1 / (1 + np.exp(-x @ true))).astype(float)
    return x, y, true


def test_known_weights_come_back_within_their_error():
    x, y, true = rows()
    line = ridge_logistic(x, y, np.full(3, 1e-6))
    error = np.sqrt(np.diag(np.linalg.inv(line.curvature)))
    assert (np.abs(line.weights - true) < 3.5 * error).all()


def test_at_the_end_the_slope_is_nought_and_any_start_leads_there():
    x, y, _ = rows(2000)
    ridge = np.array([0.1, 5.0, 50.0])
    line = ridge_logistic(x, y, ridge)
    p = 1 / (1 + np.exp(-x @ line.weights))
    np.testing.assert_allclose(x.T @ (y - p) - ridge * line.weights, 0, atol=1e-4)
    far = ridge_logistic(x, y, ridge, start=np.array([9.0, -9.0, 9.0]))
    np.testing.assert_allclose(far.weights, line.weights, atol=1e-5)


def test_a_weight_of_two_is_the_row_twice():
    x, y, _ = rows(500)
    weight = np.where(np.arange(500) < 100, 2.0, 1.0)
    twice = ridge_logistic(np.r_[x, x[:100]], np.r_[y, y[:100]], np.ones(3))
    np.testing.assert_allclose(
        ridge_logistic(x, y, np.ones(3), weight).weights, twice.weights, atol=1e-6
    )


def test_separable_rows_have_an_answer_with_a_ridge_and_are_refused_without():
    x = np.c_[np.ones(4), [-2.0, -1.0, 1.0, 2.0]]
    y = np.array([0.0, 0.0, 1.0, 1.0])
    line = ridge_logistic(x, y, np.ones(2))
    assert np.isfinite(line.weights).all()
    assert line.weights[1] > 0
    with pytest.raises(ValueError, match="above 0"):
        ridge_logistic(x, y, np.zeros(2))


def test_log_likelihood_by_hand():
    found = log_likelihood(np.array([[1.0], [1.0]]), np.array([1.0, 0.0]), np.array([1.0]))
    assert found == pytest.approx(np.log(1 / (1 + np.e**-1)) + np.log(1 - 1 / (1 + np.e**-1)))
