"""The linear part by hand: one feature, one missing, the bound."""

import math

import numpy as np
import pytest

from models.churn.linear import BOUND, Linear, standardised

ONE = Linear(
    center=np.array([math.log1p(9)]),
    scale=np.array([0.5]),
    weights=np.array([2.0, -1.0]),
    means=np.array([0.1, 0.25]),
    intercept=-0.3,
)


def test_a_value_at_the_center_is_no_deviation() -> None:
    assert ONE.contributions(np.array([[9.0]]))[0].tolist() == pytest.approx(
        [2.0 * (0 - 0.1) - (0 - 0.25), -0.3]
    )


def test_a_missing_value_has_no_deviation_and_its_indicator() -> None:
    assert ONE.raw(np.array([[np.nan]]))[0] == pytest.approx(2 * -0.1 - (1 - 0.25) - 0.3)


def test_the_squeeze_keeps_the_sign() -> None:
    z = standardised(np.array([[-9.0], [9.0]]), np.zeros(1), np.ones(1))
    assert z[0, 0] == -z[1, 0] == -math.log(10)


def test_deviations_are_bounded() -> None:
    z = standardised(np.array([[1e308], [-1e308]]), np.zeros(1), np.full(1, 0.01))
    assert z[:, 0].tolist() == [BOUND, -BOUND]


def test_rows_are_independent_of_their_neighbours() -> None:
    rows = np.array([[1.0], [np.nan], [50.0]])
    together = ONE.raw(rows)
    assert [ONE.raw(rows[k : k + 1])[0] for k in range(3)] == together.tolist()


def test_what_is_missing_in_a_bundle_is_named() -> None:
    arrays = ONE.arrays()
    del arrays["scale"]
    with pytest.raises(KeyError, match="scale"):
        Linear.from_arrays(arrays)
