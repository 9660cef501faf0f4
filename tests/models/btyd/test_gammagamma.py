import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from models.btyd import GammaGamma

MODEL = GammaGamma(6.25, 3.74, 15.44)
"""The numbers of Fader and Hardie (2013) on the CDNOW sample."""


@pytest.mark.parametrize("orders", [1, 2, 7])
def test_the_density_of_the_mean_order_is_one_in_all(orders):
    def density(spend):
        return math.exp(MODEL.log_likelihood([orders], [spend])[0])

    whole = quad(density, 0, 100, limit=200)[0] + quad(density, 100, math.inf, limit=200)[0]
    assert whole == pytest.approx(1, abs=1e-6)


def test_the_mean_over_everybody():
    """p * gamma / (q - 1) dollars, the paper's 35.2."""
    assert MODEL.mean() == pytest.approx(35.2, abs=0.05)
    found = quad(lambda z: z * math.exp(MODEL.log_likelihood([1], [z])[0]), 0, np.inf, limit=400)[0]
    assert found == pytest.approx(MODEL.mean(), rel=1e-4)


@given(st.integers(1, 50), st.floats(0.5, 500))
def test_between_their_own_and_everybody_s(orders, spend):
    low, high = sorted((spend, MODEL.mean()))
    found = MODEL.expected([orders], [spend])[0]
    assert low - 1e-9 <= found <= high + 1e-9
    more = MODEL.expected([orders + 1], [spend])[0]
    assert abs(more - spend) <= abs(found - spend) + 1e-9


@pytest.mark.parametrize(("orders", "spend"), [(0, 0), (0, 20), (3, 0), (3, -5), (3, np.nan)])
def test_without_orders_or_value_it_is_everybody_s(orders, spend):
    assert MODEL.expected([orders], [spend])[0] == MODEL.mean()


def test_a_tail_without_a_mean():
    heavy = GammaGamma(0.3, 0.6, 10.0)
    assert heavy.mean() == math.inf
    assert heavy.expected([0, 1, 4], [0, 20.0, 20.0])[:2].tolist() == [math.inf, math.inf]
    assert math.isfinite(heavy.expected([4], [20.0])[0])


def test_columns_of_different_lengths_are_refused():
    for answer in (MODEL.expected, MODEL.log_likelihood):
        with pytest.raises(ValueError, match="one length"):
            answer([1, 2], [5.0])
