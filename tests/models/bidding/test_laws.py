"""The two laws against other formulas, other precision and numeric slopes."""

import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.bidding.laws import (
    LAWS,
    LOGISTIC,
    NORMAL,
    below,
    below_slopes,
    density_slopes,
    log_below,
    log_density,
    normal_ratio,
    slope_below,
)

BOTH = pytest.mark.parametrize("law", LAWS.values(), ids=LAWS)


@pytest.mark.parametrize("z", [-7.0, -1.5, 0.0, 0.3, 4.0])
def test_known_chances(z):
    assert below(NORMAL, z) == pytest.approx(NormalDist().cdf(z), rel=1e-9)
    assert below(LOGISTIC, z) == pytest.approx(1 / (1 + math.exp(-z)), rel=1e-12)
    assert math.exp(log_density(NORMAL, z)) == pytest.approx(NormalDist().pdf(z))


@BOTH
@given(st.floats(-40, 40))
def test_logarithms_are_finite_and_agree_with_chances(law, z):
    assert math.isfinite(log_below(law, z))
    assert math.exp(log_below(law, z)) == pytest.approx(below(law, z), rel=1e-6, abs=1e-300)
    assert below(law, z) + below(law, -z) == pytest.approx(1.0)


@BOTH
@pytest.mark.parametrize("z", [-30.0, -8.5, -7.5, -2.0, 0.0, 1.0, 6.0])
def test_slopes_are_those_of_the_functions(law, z):
    step = 1e-5
    for function, slopes in ((log_below, below_slopes), (log_density, density_slopes)):
        first, second = slopes(law, z)
        rise = (function(law, z + step) - function(law, z - step)) / (2 * step)
        assert first == pytest.approx(rise, rel=1e-4, abs=1e-8)
        bend = (slopes(law, z + step)[0] - slopes(law, z - step)[0]) / (2 * step)
        assert second == pytest.approx(bend, rel=1e-2, abs=1e-7)


@BOTH
def test_the_chance_is_log_concave(law):
    z = np.linspace(-20, 20, 2001)
    slopes = np.array([slope_below(law, each) for each in z])
    assert (np.diff(slopes) <= 1e-12).all()
    assert (slopes >= 0).all()


def test_the_normal_tail_is_one_curve_where_its_formulas_meet():
    assert normal_ratio(-8.0 - 1e-9) == pytest.approx(normal_ratio(-8.0 + 1e-9), rel=1e-4)
    assert log_below(NORMAL, -8.0 - 1e-9) == pytest.approx(log_below(NORMAL, -8 + 1e-9), rel=1e-5)
