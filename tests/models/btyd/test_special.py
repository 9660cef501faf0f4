import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import betaln, hyp2f1

from models.btyd.special import log_add, log_power_integral, mixed_decay, mixed_growth


def beta_mean(function, a, c):
    """The mean over Beta(a, c), in two halves so that each end's singularity is the weight's."""
    scale = math.exp(-betaln(a, c))
    left = quad(lambda p: function(p) * (1 - p) ** (c - 1), 0, 0.5, weight="alg", wvar=(a - 1, 0))[
        0
    ]
    right = quad(lambda p: function(p) * p ** (a - 1), 0.5, 1, weight="alg", wvar=(0, c - 1))[0]
    return scale * (left + right)


SHAPES = [(0.3, 0.8, 2.4), (3.2, 1.0, 1.0), (12.0, 0.2, 0.5), (1.0, 4.0, 9.0), (0.05, 2.0, 0.9)]


@pytest.mark.parametrize("tau", [0.0, 1e-6, 0.3, 2.0, 40.0])
@pytest.mark.parametrize(("k", "a", "c"), SHAPES)
def test_mixed_decay_is_the_integral(k, a, c, tau):
    wanted = beta_mean(lambda p: (1 + p * tau) ** -k, a, c)
    assert mixed_decay(k, a, c, tau) == pytest.approx(wanted, rel=1e-7)


@pytest.mark.parametrize("tau", [0.0, 1e-6, 0.3, 2.0, 40.0])
@pytest.mark.parametrize(("k", "a", "c"), SHAPES)
def test_mixed_growth_is_the_integral(k, a, c, tau):
    def inner(p):
        return -math.expm1(-k * math.log1p(p * tau)) / p if p > 0 else k * tau

    assert mixed_growth(k, a, c, tau) == pytest.approx(beta_mean(inner, a, c), rel=1e-7)


@pytest.mark.parametrize(("k", "a", "c"), SHAPES)
def test_mixed_decay_is_the_hypergeometric_function(k, a, c):
    tau = 0.9
    assert mixed_decay(k, a, c, tau) == pytest.approx(hyp2f1(k, a, a + c, -tau), rel=1e-12)


def test_growth_keeps_its_digits_where_little_happens():
    assert mixed_growth(0.5, 0.8, 2.0, 1e-12) == pytest.approx(0.5e-12, rel=1e-9)


def test_counts_beyond_the_range_of_numbers_do_no_harm():
    assert mixed_decay(5_000.0, 1.0, 1.0, 50.0) == pytest.approx(1 / 4_999 / 50, rel=1e-9)
    assert 0 < mixed_growth(5_000.0, 0.5, 50.0, 50.0) < 5_000 * 50


def power_integral(a, p, b, q, span):
    inner = quad(
        lambda v: math.exp((1 - p) * v - q * math.log1p(a / b * math.expm1(v)) - q * math.log(b)),
        0,
        math.log1p(span / a),
        epsabs=0,
        epsrel=1e-12,
        limit=500,
    )[0]
    return math.log(inner) + (1 - p) * math.log(a)


@pytest.mark.parametrize("span", [1e-8, 0.5, 30.0, 1e5])
@pytest.mark.parametrize(
    ("a", "p", "b", "q"),
    [
        (10.6, 0.55, 11.7, 1.6),
        (1.0, 60.0, 1_000.0, 1.2),
        (1_000.0, 60.0, 1.0, 1.2),
        (3.0, 0.01, 3.0, 1.01),
        (0.5, 0.1, 80.0, 0.2),
        (20.0, 7.0, 0.001, 3.0),
    ],
)
def test_power_integral_is_the_integral(a, p, b, q, span):
    smaller_first = (a, p, b, q) if a <= b else (b, q, a, p)
    wanted = power_integral(*smaller_first, span)
    assert log_power_integral(a, p, b, q, span) == pytest.approx(wanted, abs=1e-10)


@given(
    st.floats(0.01, 500),
    st.floats(0.01, 300),
    st.floats(1.01, 50),
    st.floats(0, 1e4),
)
def test_power_integral_of_equal_bases_is_closed(a, p, q, span):
    power = p + q - 1
    wanted = -math.expm1(-power * math.log1p(span / a)) / power
    found = log_power_integral(a, p, a, q, span)
    if wanted == 0:
        assert found == -np.inf
    else:
        assert found == pytest.approx(math.log(wanted) - power * math.log(a), abs=1e-9)


def test_power_integral_over_nothing_is_nothing():
    assert log_power_integral(1.0, 1.0, 2.0, 1.0, 0.0) == -np.inf


def test_log_add():
    assert log_add(math.log(3), math.log(4)) == pytest.approx(math.log(7))
    assert log_add(-np.inf, 2.0) == log_add(2.0, -np.inf) == 2.0
    assert log_add(-np.inf, -np.inf) == -np.inf
    assert log_add(-5_000.0, -5_000.0) == pytest.approx(-5_000 + math.log(2))
