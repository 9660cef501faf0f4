"""Likelihoods of the four kinds of notices: by integration, numeric slopes, and their sums."""

import math

import numpy as np
import pytest

from models.bidding.feedback import Kind, Rows, checked, location_of, notice, summed
from models.bidding.laws import LAWS, below, log_density

BOTH = pytest.mark.parametrize("law", LAWS.values(), ids=LAWS)


@BOTH
def test_each_kind_is_its_chance(law):
    location, scale = 8.0, 0.7
    z = (8.5 - location) / scale
    chances = {
        Kind.exact: math.exp(log_density(law, z)) / scale,
        Kind.won: below(law, z),
        Kind.lost: 1 - below(law, z),
        Kind.minimum: below(law, z) - below(law, z - 0.1 / scale),
    }
    for kind, chance in chances.items():
        low = 8.4 if kind == Kind.minimum else 8.5
        value = notice(law, kind, low, 8.5, location, math.log(scale))[0]
        assert math.exp(value) == pytest.approx(chance, rel=1e-9)


@BOTH
@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("off", [-9.0, -2.0, -0.1, 0.0, 0.4, 3.0, 8.0])
def test_slopes_are_those_of_the_value(law, kind, off):
    low, high, log_scale, step = 5.0, 5.3, -0.4, 1e-5
    location = 5.1 + off

    def value(m, e):
        return notice(law, kind, low, high, m, e)

    _, by_m, by_e, mm, me, ee = value(location, log_scale)
    up, down = value(location + step, log_scale), value(location - step, log_scale)
    wide, thin = value(location, log_scale + step), value(location, log_scale - step)
    near = {"rel": 2e-3, "abs": 1e-5}
    assert by_m == pytest.approx((up[0] - down[0]) / (2 * step), **near)
    assert by_e == pytest.approx((wide[0] - thin[0]) / (2 * step), **near)
    assert mm == pytest.approx((up[1] - down[1]) / (2 * step), **near)
    assert me == pytest.approx((wide[1] - thin[1]) / (2 * step), **near)
    assert ee == pytest.approx((wide[2] - thin[2]) / (2 * step), **near)


@BOTH
def test_a_narrow_step_is_the_density_of_its_middle(law):
    wide = notice(law, Kind.minimum, 5.0, 5.002, 4.5, 0.0)
    exact = notice(law, Kind.exact, 5.001, 0.0, 4.5, 0.0)
    assert wide[0] == pytest.approx(exact[0] + math.log(0.002), abs=1e-5)
    narrow = notice(law, Kind.minimum, 5.0, 5.0, 4.5, 0.0)
    assert narrow[1:] == pytest.approx(notice(law, Kind.exact, 5.0, 0.0, 4.5, 0.0)[1:])


@BOTH
@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("price", [-1e6, 0.0, 1e6])
def test_absurd_prices_give_finite_numbers(law, kind, price):
    assert np.isfinite(notice(law, kind, price, price + 1, 8.0, -3.0)).all()


def test_sums_are_those_of_the_rows():
    rng = np.random.default_rng(0)
    n, d = 12, 5
    places = np.stack([np.zeros(n), rng.integers(1, 3, n), rng.integers(3, 4, n)], 1)
    low = rng.normal(8, 1, n)
    kinds = rng.integers(0, 4, n)
    rows = checked(Rows(places.astype(np.int32), kinds.astype(np.uint8), low, low + 0.2), d - 1)
    weights, weight = np.array([7.0, 0.5, -0.2, 0.3, -0.5]), rng.random(n) + 0.5
    total, slope, curvature = summed(0, rows, weights, weight)
    expected, by = 0.0, np.zeros(d)
    for row in range(n):
        location = location_of(rows.places[row], weights)
        told = notice(0, rows.kind[row], rows.low[row], rows.high[row], location, -0.5)
        expected += weight[row] * told[0]
        np.add.at(by, rows.places[row], weight[row] * told[1])
        by[-1] += weight[row] * told[2]
    assert total == pytest.approx(expected)
    np.testing.assert_allclose(slope, by)
    np.testing.assert_allclose(curvature, curvature.T)
    for place in range(d):
        step = np.zeros(d)
        step[place] = 1e-5
        rise = (
            summed(0, rows, weights + step, weight)[1] - summed(0, rows, weights - step, weight)[1]
        )
        np.testing.assert_allclose(curvature[place], rise / 2e-5, rtol=1e-3, atol=1e-3)


def rows(**changes):
    plain = {
        "places": np.zeros((2, 1), np.int32),
        "kind": np.array([1, 2], np.uint8),
        "low": np.array([np.nan, 3.0]),
        "high": np.array([3.0, np.inf]),
    }
    return Rows(**{**plain, **changes})


def test_the_side_that_is_not_read_may_be_anything():
    assert np.isfinite(checked(rows(), 1).low).all()
    assert np.isfinite(checked(rows(), 1).high).all()


@pytest.mark.parametrize(
    "changes",
    [
        {"low": np.array([1.0, np.inf])},
        {"high": np.array([np.nan, 1.0])},
        {"kind": np.array([1, 4], np.uint8)},
        {"places": np.full((2, 1), 7, np.int32)},
        {"places": np.zeros((3, 1), np.int32)},
        {"kind": np.full(2, 3, np.uint8), "low": np.ones(2), "high": np.zeros(2)},
    ],
)
def test_rows_that_are_none_are_refused(changes):
    with pytest.raises(ValueError, match=r"notice|logarithm|least price"):
        checked(rows(**changes), 1)
