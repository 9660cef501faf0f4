"""Gamma-Gamma: what a customer spends an order on average, shrunk towards everybody's mean.

Source: Fader and Hardie, The Gamma-Gamma Model of Monetary Value (2013). Takes it that what
people spend says nothing of how often they order. Knows nothing of fitting.
"""

import math
from dataclasses import astuple, dataclass

import numpy as np
import numpy.typing as npt
from numba import njit

from models.btyd.customers import F64


@njit(cache=True, nogil=True, error_model="numpy")
def _log_likelihood(
    numbers: tuple[float, float, float], orders: np.ndarray, spend: np.ndarray
) -> np.ndarray:
    p, q, gamma = numbers
    out = np.empty(orders.shape[0])
    for i in range(out.shape[0]):
        shape, mean = p * orders[i], spend[i]
        out[i] = math.lgamma(shape + q) - math.lgamma(shape) - math.lgamma(q)
        out[i] += q * math.log(gamma) + (shape - 1.0) * math.log(mean)
        out[i] += shape * math.log(orders[i])
        out[i] -= (shape + q) * math.log(gamma + orders[i] * mean)
    return out


@dataclass(slots=True, frozen=True)
class GammaGamma:
    """An order's value ~ Gamma(p, v), v ~ Gamma(q, gamma) a customer; all above 0, gamma money."""

    p: float
    q: float
    gamma: float

    def log_likelihood(self, orders: npt.ArrayLike, spend: npt.ArrayLike) -> F64:
        """Answer float64[n] (equation 1a of the paper).

        orders: float64[n], at least 1. spend: float64[n], mean value an order, above 0.
        """
        return _log_likelihood(
            astuple(self), np.asarray(orders, np.float64), np.asarray(spend, np.float64)
        )

    def mean(self) -> float:
        """Answer the mean value an order over everybody; infinite when q is 1 or less."""
        return self.p * self.gamma / (self.q - 1) if self.q > 1 else math.inf

    def expected(self, orders: npt.ArrayLike, spend: npt.ArrayLike) -> F64:
        """Answer float64[n]: the value an order to expect from now on (equation 5).

        As log_likelihood; where orders is 0 or spend is not above 0, it is the mean over all.
        """
        count, value = np.asarray(orders, np.float64), np.asarray(spend, np.float64)
        known = (count > 0) & (value > 0)
        count, value = np.where(known, count, 1.0), np.where(known, value, 1.0)
        weight = self.p * count + self.q - 1
        with np.errstate(divide="ignore"):
            own = np.where(weight > 0, self.p * (self.gamma + count * value) / weight, math.inf)
        return np.where(known, own, self.mean())
