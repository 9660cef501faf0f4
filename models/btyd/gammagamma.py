"""Gamma-Gamma: what a customer spends an order on average, shrunk towards everybody's mean.

Source: Fader and Hardie, The Gamma-Gamma Model of Monetary Value (2013). Takes it that what
people spend says nothing of how often they order. Knows nothing of fitting.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit

from models.btyd.customers import F64


@njit(cache=True, nogil=True, error_model="numpy")
def _log_likelihood(
    p: float, q: float, gamma: float, orders: np.ndarray, spend: np.ndarray
) -> np.ndarray:
    out = np.empty(orders.shape[0])
    for i in range(out.shape[0]):
        shape, mean = p * orders[i], spend[i]
        out[i] = math.lgamma(shape + q) - math.lgamma(shape) - math.lgamma(q)
        out[i] += q * math.log(gamma) + (shape - 1.0) * math.log(mean)
        out[i] += shape * math.log(orders[i])
        out[i] -= (shape + q) * math.log(gamma + orders[i] * mean)
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def expected_one(
    p: float, q: float, gamma: float, mean: float, orders: float, spend: float
) -> float:
    """Answer `GammaGamma.expected` of one customer; mean: over everybody."""
    if not (orders > 0.0 and spend > 0.0):
        return mean
    weight = p * orders + q - 1.0
    return p * (gamma + orders * spend) / weight if weight > 0.0 else np.inf


@njit(cache=True, nogil=True, error_model="numpy")
def _expected(
    p: float, q: float, gamma: float, mean: float, orders: np.ndarray, spend: np.ndarray
) -> np.ndarray:
    out = np.empty(orders.shape[0])
    for i in range(out.shape[0]):
        out[i] = expected_one(p, q, gamma, mean, orders[i], spend[i])
    return out


def _columns(orders: npt.ArrayLike, spend: npt.ArrayLike) -> tuple[F64, F64]:
    count, value = (np.ascontiguousarray(one, np.float64) for one in (orders, spend))
    if count.shape != value.shape or count.ndim != 1:
        raise ValueError("orders and spend are two columns of one length")
    return count, value


@dataclass(slots=True, frozen=True)
class GammaGamma:
    """An order's value ~ Gamma(p, v), v ~ Gamma(q, gamma) a customer; all above 0, gamma money."""

    p: float
    q: float
    gamma: float

    def log_likelihood(self, orders: npt.ArrayLike, spend: npt.ArrayLike) -> F64:
        """Answer float64[n] (equation 1a of the paper).

        orders: float64[n], at least 1. spend: float64[n], mean value an order, above 0. Raises
        ValueError unless both are of one length.
        """
        return _log_likelihood(self.p, self.q, self.gamma, *_columns(orders, spend))

    def mean(self) -> float:
        """Answer the mean value an order over everybody; infinite when q is 1 or less."""
        return self.p * self.gamma / (self.q - 1) if self.q > 1 else math.inf

    def expected(self, orders: npt.ArrayLike, spend: npt.ArrayLike) -> F64:
        """Answer float64[n]: the value an order to expect from now on (equation 5).

        As log_likelihood; where orders is 0 or spend is not above 0 (or NaN), the mean over all.
        """
        return _expected(self.p, self.q, self.gamma, self.mean(), *_columns(orders, spend))
