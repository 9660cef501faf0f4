"""Pareto/NBD: orders at a gamma rate until a customer leaves, at any moment, at a gamma rate too.

Source: Schmittlein, Morrison and Colombo (Management Science, 1987); Fader and Hardie, A Note on
Deriving the Pareto/NBD Model (2005). Knows nothing of fitting; times are in the unit the
numbers were fitted in.
"""

import math
from dataclasses import dataclass

import numpy as np
from numba import njit

from models.btyd.customers import F64, Customers
from models.btyd.special import log_add, log_power_integral


@njit(cache=True, nogil=True, error_model="numpy")
def _either(
    numbers: tuple[float, float, float, float], x: float, tx: float, age: float
) -> tuple[float, float]:
    """Answer (log weight of being alive, log weight of having left between tx and age)."""
    r, alpha, s, beta = numbers
    here = -(r + x) * math.log(alpha + age) - s * math.log(beta + age)
    gone = log_power_integral(alpha + tx, r + x, beta + tx, s + 1.0, age - tx)
    return here, math.log(s) + gone


@njit(cache=True, nogil=True, error_model="numpy")
def _log_likelihood(
    numbers: tuple[float, float, float, float],
    frequency: np.ndarray,
    recency: np.ndarray,
    age: np.ndarray,
) -> np.ndarray:
    r, alpha, s, beta = numbers
    out = np.empty(frequency.shape[0])
    fixed = r * math.log(alpha) + s * math.log(beta) - math.lgamma(r)
    for i in range(out.shape[0]):
        here, gone = _either(numbers, frequency[i], recency[i], age[i])
        out[i] = fixed + math.lgamma(r + frequency[i]) + log_add(here, gone)
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def alive_one(numbers: tuple[float, float, float, float], x: float, tx: float, age: float) -> float:
    """Answer `ParetoNBD.alive` of one customer."""
    here, gone = _either(numbers, x, tx, age)
    return 1.0 / (1.0 + math.exp(gone - here))


@njit(cache=True, nogil=True, error_model="numpy")
def expected_one(
    numbers: tuple[float, float, float, float], x: float, age: float, horizon: float
) -> float:
    """Answer `ParetoNBD.expected` of one customer who is alive for certain."""
    r, alpha, s, beta = numbers
    stay = beta + age
    span = math.log1p(horizon / stay)
    # (1 - exp(-(s - 1) * span)) / (s - 1), which at s = 1 is the span itself.
    power = s - 1
    reach = span if abs(power) < 1e-12 else -math.expm1(-power * span) / power
    return (r + x) / (alpha + age) * stay * reach


@njit(cache=True, nogil=True, error_model="numpy")
def some_one(
    numbers: tuple[float, float, float, float], x: float, age: float, horizon: float, lead: float
) -> float:
    """Answer the chance of an order in the window of one customer who is alive for certain."""
    r, alpha, s, beta = numbers
    k, near, far = r + x, alpha + age, beta + age
    # The first order of the window comes after u, the customer having stayed lead + u.
    first = log_power_integral(near, k + 1.0, far + lead, s, horizon)
    return min(k * math.exp(k * math.log(near) + s * math.log(far) + first), 1.0)


@njit(cache=True, nogil=True, error_model="numpy")
def _expected(
    numbers: tuple[float, float, float, float],
    frequency: np.ndarray,
    recency: np.ndarray,
    age: np.ndarray,
    horizon: float,
) -> np.ndarray:
    out = np.empty(frequency.shape[0])
    for i in range(out.shape[0]):
        here = alive_one(numbers, frequency[i], recency[i], age[i])
        out[i] = here * expected_one(numbers, frequency[i], age[i], horizon)
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def _alive(
    numbers: tuple[float, float, float, float],
    frequency: np.ndarray,
    recency: np.ndarray,
    age: np.ndarray,
) -> np.ndarray:
    out = np.empty(frequency.shape[0])
    for i in range(out.shape[0]):
        out[i] = alive_one(numbers, frequency[i], recency[i], age[i])
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def _some(
    numbers: tuple[float, float, float, float],
    frequency: np.ndarray,
    age: np.ndarray,
    horizon: float,
    lead: float,
) -> np.ndarray:
    """Answer the chance of an order in the window, given alive now."""
    out = np.empty(frequency.shape[0])
    for i in range(out.shape[0]):
        out[i] = some_one(numbers, frequency[i], age[i], horizon, lead)
    return out


@dataclass(slots=True, frozen=True)
class ParetoNBD:
    """Order rate ~ Gamma(r, alpha), leaving rate ~ Gamma(s, beta).

    All above 0; alpha and beta are times.
    """

    r: float
    alpha: float
    s: float
    beta: float

    def _numbers(self) -> tuple[float, float, float, float]:
        return (self.r, self.alpha, self.s, self.beta)

    def log_likelihood(self, customers: Customers) -> F64:
        """Answer float64[n] (equation 18 of the note, its integral not split in two)."""
        return _log_likelihood(self._numbers(), *customers)

    def alive(self, customers: Customers) -> F64:
        """Answer float64[n]: the chance of not having left. Never a churn score: `inactive` is."""
        return _alive(self._numbers(), *customers)

    def expected(self, customers: Customers, horizon: float) -> F64:
        """Answer float64[n]: orders to expect within `horizon` (equation 41 of the note)."""
        return _expected(self._numbers(), *customers, horizon)

    def inactive(self, customers: Customers, horizon: float, lead: float = 0.0) -> F64:
        """Answer float64[n]: the chance of no order in (lead, lead + horizon] from now."""
        some = _some(self._numbers(), customers.frequency, customers.age, horizon, lead)
        return 1 - self.alive(customers) * some
