"""What BG/NBD and MBG/NBD share: orders at a gamma rate, leaving after an order by chance.

While alive a customer orders as a Poisson process of rate ~ Gamma(r, alpha); after an order they
leave with probability p ~ Beta(a, b). `early` is 1 when the first order may be the last (MBG/NBD)
and 0 when it may not (BG/NBD); no other difference. Knows nothing of fitting.
"""

import math

import numpy as np
from numba import njit

from models.btyd.special import log_add, mixed_decay, mixed_growth


@njit(cache=True, nogil=True, error_model="numpy")
def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


@njit(cache=True, nogil=True, error_model="numpy")
def _log_gone(numbers: tuple[float, float, float, float], early: int, x: float, tx: float) -> float:
    """Answer the log of what the history weighs if they left after the last order seen."""
    r, alpha, a, b = numbers
    if x + early == 0:
        return -np.inf
    return math.log(a) - math.log(b + early + x - 1.0) - (r + x) * math.log(alpha + tx)


@njit(cache=True, nogil=True, error_model="numpy")
def log_likelihood(
    numbers: tuple[float, float, float, float],
    early: int,
    frequency: np.ndarray,
    recency: np.ndarray,
    age: np.ndarray,
) -> np.ndarray:
    """Answer float64[n]: the log-likelihood of each customer. numbers: r, alpha, a, b."""
    r, alpha, a, b = numbers
    out = np.empty(frequency.shape[0])
    fixed = r * math.log(alpha) - math.lgamma(r) - _log_beta(a, b)
    for i in range(out.shape[0]):
        x = frequency[i]
        here = -(r + x) * math.log(alpha + age[i])
        either = log_add(here, _log_gone(numbers, early, x, recency[i]))
        out[i] = fixed + math.lgamma(r + x) + _log_beta(a, b + early + x) + either
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def alive_one(
    numbers: tuple[float, float, float, float], early: int, x: float, tx: float, age: float
) -> float:
    """Answer `alive` of one customer."""
    here = -(numbers[0] + x) * math.log(numbers[1] + age)
    return 1.0 / (1.0 + math.exp(_log_gone(numbers, early, x, tx) - here))


@njit(cache=True, nogil=True, error_model="numpy")
def alive(
    numbers: tuple[float, float, float, float],
    early: int,
    frequency: np.ndarray,
    recency: np.ndarray,
    age: np.ndarray,
) -> np.ndarray:
    """Answer float64[n]: the probability that each customer has not left."""
    out = np.empty(frequency.shape[0])
    for i in range(out.shape[0]):
        out[i] = alive_one(numbers, early, frequency[i], recency[i], age[i])
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def expected_one(
    numbers: tuple[float, float, float, float], early: int, x: float, age: float, horizon: float
) -> float:
    """Answer `expected` of one customer who is alive for certain."""
    r, alpha, a, b = numbers
    return mixed_growth(r + x, a, b + early + x, horizon / (alpha + age))


@njit(cache=True, nogil=True, error_model="numpy")
def some_one(
    numbers: tuple[float, float, float, float],
    early: int,
    x: float,
    age: float,
    horizon: float,
    lead: float,
) -> float:
    """Answer the chance of an order in the window of one customer who is alive for certain."""
    r, alpha, a, b = numbers
    k, scale = r + x, alpha + age
    wait, window = lead / scale, horizon / scale
    some = -math.expm1(-k * math.log1p(window))
    if wait > 0.0:
        later = mixed_decay(k, a, b + early + x, wait / (1.0 + window))
        some = mixed_decay(k, a, b + early + x, wait) - (1.0 - some) * later
    return max(0.0, some)


@njit(cache=True, nogil=True, error_model="numpy")
def expected(
    numbers: tuple[float, float, float, float],
    early: int,
    frequency: np.ndarray,
    recency: np.ndarray,
    age: np.ndarray,
    horizon: float,
) -> np.ndarray:
    """Answer float64[n]: the orders to expect within `horizon` from now.

    Given alive, rate ~ Gamma(r + x, alpha + age) and p ~ Beta(a, b + early + x), and the count
    to expect given both is (1 - exp(-rate * p * horizon)) / p.
    """
    out = np.empty(frequency.shape[0])
    for i in range(out.shape[0]):
        here = alive_one(numbers, early, frequency[i], recency[i], age[i])
        out[i] = here * expected_one(numbers, early, frequency[i], age[i], horizon)
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def inactive(
    numbers: tuple[float, float, float, float],
    early: int,
    frequency: np.ndarray,
    recency: np.ndarray,
    age: np.ndarray,
    horizon: float,
    lead: float,
) -> np.ndarray:
    """Answer float64[n]: the chance of no order in (now + lead, now + lead + horizon].

    Alive after the lead has the chance exp(-rate * p * lead), an order then 1 - exp(-rate *
    horizon); both are averaged over rate and p as in `expected`.
    """
    out = np.empty(frequency.shape[0])
    for i in range(out.shape[0]):
        some = some_one(numbers, early, frequency[i], age[i], horizon, lead)
        out[i] = 1.0 - alive_one(numbers, early, frequency[i], recency[i], age[i]) * some
    return out
