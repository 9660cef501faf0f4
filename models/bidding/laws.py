"""The two laws a logarithm of prices may follow: logistic and normal, as compiled functions.

Prices themselves are then log-logistic or lognormal; both chances of winning are log-concave in the
bid, which makes the best bid unique. Knows nothing of prices, bids or what is learned.
"""

import math

from numba import njit

LOGISTIC, NORMAL = 0, 1
"""Numbers of the laws, part of the stored format."""

LAWS = {"logistic": LOGISTIC, "normal": NORMAL}

_ROOT_2 = math.sqrt(2.0)
_ROOT_2_PI = math.sqrt(2.0 * math.pi)
_DEEP = -8.0
"""Below this the normal's tail is taken from its continued fraction: erfc would lose digits."""


@njit(cache=True, nogil=True, error_model="numpy")
def below(law: int, z: float) -> float:
    """Answer the chance of being at or below z."""
    if law == LOGISTIC:
        if z >= 0.0:
            return 1.0 / (1.0 + math.exp(-z))
        small = math.exp(z)
        return small / (1.0 + small)
    return 0.5 * math.erfc(-z / _ROOT_2)


@njit(cache=True, nogil=True, error_model="numpy")
def log_below(law: int, z: float) -> float:
    """Answer the logarithm of `below`, exact far down the tail too."""
    if law == LOGISTIC:
        return -math.log1p(math.exp(-z)) if z >= 0.0 else z - math.log1p(math.exp(z))
    if z > _DEEP:
        return math.log(0.5 * math.erfc(-z / _ROOT_2))
    return -0.5 * z * z - math.log(_ROOT_2_PI * normal_ratio(z))


@njit(cache=True, nogil=True, error_model="numpy")
def normal_ratio(z: float) -> float:
    """Answer density over chance below for the normal law, the slope of `log_below`."""
    if z > _DEEP:
        return math.exp(-0.5 * z * z) / (_ROOT_2_PI * 0.5 * math.erfc(-z / _ROOT_2))
    # Laplace's continued fraction of Mills' ratio, four terms deep.
    x = -z
    return x + 1.0 / (x + 2.0 / (x + 3.0 / (x + 4.0 / x)))


@njit(cache=True, nogil=True, error_model="numpy")
def slope_below(law: int, z: float) -> float:
    """Answer d/dz of `log_below`: density over chance below, above 0 and falling."""
    return 1.0 - below(LOGISTIC, z) if law == LOGISTIC else normal_ratio(z)


@njit(cache=True, nogil=True, error_model="numpy")
def log_density(law: int, z: float) -> float:
    """Answer the logarithm of the density at z."""
    if law == LOGISTIC:
        return log_below(LOGISTIC, z) + log_below(LOGISTIC, -z)
    return -0.5 * z * z - math.log(_ROOT_2_PI)


@njit(cache=True, nogil=True, error_model="numpy")
def density_slopes(law: int, z: float) -> tuple[float, float]:
    """Answer the first and second derivative of `log_density`."""
    if law == LOGISTIC:
        p = below(LOGISTIC, z)
        return 1.0 - 2.0 * p, -2.0 * p * (1.0 - p)
    return -z, -1.0


@njit(cache=True, nogil=True, error_model="numpy")
def below_slopes(law: int, z: float) -> tuple[float, float]:
    """Answer the first and second derivative of `log_below`."""
    r = slope_below(law, z)
    if law == LOGISTIC:
        return r, -r * (1.0 - r)
    return r, -r * (z + r)
