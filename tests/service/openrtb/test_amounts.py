"""Amounts: a floor is never rounded down, and what cannot be reached stays out of reach."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.openrtb.amounts import OUT_OF_REACH, floor_micros, millionths, price_of


@given(st.floats(0, 1e9))
def test_a_floor_in_micros_is_the_least_that_is_not_below(amount: float) -> None:
    micros = floor_micros(amount)
    assert micros is not None
    exact = Fraction(Decimal(repr(amount))) * 1_000_000
    assert exact <= micros < exact + 1


@given(st.integers(0, 10**14))
def test_a_price_comes_back_as_it_went(micros: int) -> None:
    assert floor_micros(price_of(micros)) == micros


@pytest.mark.parametrize(
    ("amount", "micros"),
    [
        (None, None), (0.03, 30_000), (0, 0), (-1, 0), (-0.0, 0), (0.0000001, 1),
        (2.999999, 2_999_999), (4.00000001, 4_000_001), (1e9, 10**15), (1.1e9, OUT_OF_REACH),
        (1e300, OUT_OF_REACH), (float("nan"), OUT_OF_REACH), (float("inf"), OUT_OF_REACH),
    ],
)  # fmt: skip
def test_known_floors(amount: float | None, micros: int | None) -> None:
    assert floor_micros(amount) == micros


@pytest.mark.parametrize(
    ("quantity", "told"), [(1, 10**6), (14.2, 14_200_000), (0.5, 500_000), (0, 0), (-3, 0),
                           (1e10, 0), (float("nan"), 0)]
)  # fmt: skip
def test_quantities(quantity: float, told: int) -> None:
    assert millionths(quantity) == told
