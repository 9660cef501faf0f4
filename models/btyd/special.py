"""The two sums that buy-till-you-die models need, free of cancellation and of singular points.

They stand in for the Gauss hypergeometric function of the papers, whose differences lose every
digit when recency nears age and which divides by zero at a = 1 or s = 1. Knows no model.
"""

import math

import numpy as np
from numba import njit

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(12)
_ENOUGH = 1e-15
"""A remainder this small beside the sum is left out."""

_MOST_TERMS = 1_000_000
_LARGE = 1e200


@njit(cache=True, nogil=True, error_model="numpy")
def log_add(left: float, right: float) -> float:
    """Answer log(exp(left) + exp(right)); minus infinity is a part of nothing."""
    high, low = (left, right) if left > right else (right, left)
    if high == -np.inf:
        return high
    return high + math.log1p(math.exp(low - high))


@njit(cache=True, nogil=True, error_model="numpy")
def mixed_decay(k: float, a: float, c: float, tau: float) -> float:
    """Answer the mean of (1 + p * tau)^-k over p ~ Beta(a, c); k, a, c > 0, tau >= 0.

    With q = 1 - p it is a mixture of q^n, n negative binomial (k, z = tau / (1 + tau)), whose
    means are products: a sum of positive terms, at most about 35 * (1 + tau) + k * tau of them.
    """
    z = tau / (1.0 + tau)
    term, whole, kept, total = 1.0, 1.0, 1.0, 1.0
    for n in range(_MOST_TERMS):
        ratio = z * (k + n) / (n + 1.0)
        term *= ratio
        kept *= (c + n) / (a + c + n)
        whole += term
        total += term * kept
        bound = max(z, ratio)
        if bound < 1.0 and term * bound <= _ENOUGH * (1.0 - bound) * total:
            break
        if whole > _LARGE:
            term, whole, total = term / _LARGE, whole / _LARGE, total / _LARGE
    return total / whole


@njit(cache=True, nogil=True, error_model="numpy")
def mixed_growth(k: float, a: float, c: float, tau: float) -> float:
    """Answer the mean of (1 - (1 + p * tau)^-k) / p over p ~ Beta(a, c); as mixed_decay.

    (1 - q^n) / p = 1 + q + … + q^(n - 1), so again every term is positive, whatever a is. Past a
    million terms (tau beyond 25,000) the rest is left out and the answer is somewhat low.
    """
    z = tau / (1.0 + tau)
    term, whole, kept, reached, total = 1.0, 1.0, 1.0, 0.0, 0.0
    for n in range(_MOST_TERMS):
        ratio = z * (k + n) / (n + 1.0)
        term *= ratio
        reached += kept
        kept *= (c + n) / (a + c + n)
        whole += term
        total += term * reached
        bound = max(z, ratio)
        if bound < 1.0:
            rest = term * bound * (reached + kept / (1.0 - bound))
            if rest <= _ENOUGH * (1.0 - bound) * total:
                break
        if whole > _LARGE:
            term, whole, total = term / _LARGE, whole / _LARGE, total / _LARGE
    return total / whole


@njit(cache=True, nogil=True, error_model="numpy")
def log_power_integral(a: float, p: float, b: float, q: float, span: float) -> float:
    """Answer the log of the integral of (a + u)^-p * (b + u)^-q over u in 0 … span.

    a, b > 0; p, q >= 0; minus infinity when span is 0. Over v = log(1 + u / min(a, b)) the
    integrand is an exponential times a power of a logistic curve: panels of 12 Gauss-Legendre
    points, none wider than 2 or than six times the integrand's own scale, give 13 digits.
    """
    if not span > 0.0:
        return -np.inf
    if a > b:
        a, b, p, q = b, a, q, p
    whole = math.log1p(span / a)
    share = a / b
    total, start = 0.0, 0.0
    while start < whole:
        ahead = share * math.exp(min(start + 2.0, whole))
        steepest = abs(1.0 - p) + q * ahead / (1.0 - share + ahead)
        width = min(2.0, 6.0 / steepest, whole - start)
        for j in range(_NODES.shape[0]):
            v = start + 0.5 * width * (1.0 + _NODES[j])
            height = (1.0 - p) * v - q * math.log1p(share * math.expm1(v))
            total += 0.5 * width * _WEIGHTS[j] * math.exp(height)
        start += width
        grown = share * math.exp(start)
        slope = 1.0 - p - q * grown / (1.0 - share + grown)
        # The slope only falls, so what is left is less than an exponential of this slope.
        if slope < 0.0:
            height = (1.0 - p) * start - q * math.log1p(share * math.expm1(start))
            if math.exp(height) <= -slope * _ENOUGH * total:
                break
    return math.log(total) + (1.0 - p) * math.log(a) - q * math.log(b)
