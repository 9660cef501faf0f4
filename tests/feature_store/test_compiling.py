"""The compiler keeps the order of floating-point operations."""

import math

import numpy as np

from feature_store.compiling import compiled


def _sum(values: np.ndarray) -> float:
    total = 0.0
    for value in values:
        total += value
    return total


def _product_plus(a: float, b: float, c: float) -> float:
    return a * b + c


def _over(a: float, b: float) -> float:
    return a / b


def test_sums_are_taken_from_left_to_right() -> None:
    # Any other order, as vector units like it, gives other bits.
    values = np.array([1e16, 1.0, -1e16, 1.0] * 64 + [0.1] * 100)
    assert compiled(_sum)(values) == _sum(values)


def test_no_product_is_fused_with_a_sum() -> None:
    a = 1.0 + 2.0**-30
    assert compiled(_product_plus)(a, a, -1.0) == a * a - 1.0


def test_dividing_by_zero_is_infinite_not_an_error() -> None:
    assert compiled(_over)(1.0, 0.0) == math.inf
