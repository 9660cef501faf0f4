"""The linear part against scikit-learn, and its own promises."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from models.churn.linear import Linear, standardised
from training.fit.churn.linear import fit_linear


def _world(rows=800, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 5)) * [1, 10, 100, 1, 1]
    x[rng.random(x.shape) < 0.1] = np.nan
    x[:, 4] = 3.0
    z = np.nan_to_num(x[:, 0]) - np.nan_to_num(x[:, 1]) / 10 + np.isnan(x[:, 3])
    y = (rng.random(rows) < 1 / (1 + np.exp(-z))).astype(np.uint8)
    return x, y


@pytest.mark.parametrize("penalty", [0.003, 0.1, 10.0])
def test_it_is_the_regression_that_scikit_learn_finds(penalty) -> None:
    x, y = _world()
    found = fit_linear(x, y, penalty)
    z = standardised(x, found.center, found.scale) - found.means
    other = LogisticRegression(C=penalty, tol=1e-10, max_iter=10_000).fit(z, y)
    assert found.weights == pytest.approx(other.coef_[0], abs=1e-5)
    assert found.intercept == pytest.approx(other.intercept_[0], abs=1e-5)


def test_shares_add_up_and_a_mean_row_has_none() -> None:
    x, y = _world()
    found = fit_linear(x, y, 0.1)
    parts = found.contributions(x)
    assert parts.sum(axis=1) == pytest.approx(found.raw(x), abs=1e-12)
    assert parts[:, :-1].mean(axis=0) == pytest.approx(0, abs=1e-9)
    assert np.all(parts[:, 4] == 0)


def test_a_wild_value_is_bounded() -> None:
    x, y = _world()
    found = fit_linear(x, y, 0.1)
    wild = np.array([[1e300, 0, 0, 0, 3.0], [1e9, 0, 0, 0, 3.0]])
    raw = found.raw(wild)
    assert np.isfinite(raw).all()
    assert raw[0] == raw[1]


def test_it_comes_back_from_its_arrays() -> None:
    x, y = _world()
    found = fit_linear(x, y, 0.1)
    arrays = found.arrays()
    assert np.array_equal(Linear.from_arrays(arrays).raw(x), found.raw(x))
    with pytest.raises(ValueError, match="belong together"):
        Linear.from_arrays({**arrays, "weights": np.zeros(3)})


def test_separable_labels_do_not_run_away() -> None:
    x = np.linspace(-1, 1, 50)[:, None]
    found = fit_linear(x, (x[:, 0] > 0).astype(np.uint8), 1.0)
    assert np.isfinite(found.weights).all()
    assert found.raw(np.array([[1.0]]))[0] > 0 > found.raw(np.array([[-1.0]]))[0]
