"""How one outcome becomes a Gaussian about a score, so that outcomes add up.

Logistic: assumed-density filtering, i.e. one step of expectation propagation (Minka 2001;
Opper 1998), the tilted moments by quadrature. Linear: exact. Knows nothing of arms.
"""

from math import exp, sqrt
from typing import Final

import numpy as np
from numba import njit

LINEAR, LOGISTIC = 0, 1
"""Kinds of reward: any number with Gaussian noise; a chance from 0 to 1 on the log-odds scale."""
FAMILIES: Final[dict[str, int]] = {"linear": LINEAR, "logistic": LOGISTIC}

_NODES_COUNT = 32
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(_NODES_COUNT)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()
_LEAST_SITE = 1e-10
"""An outcome never says less than nothing; below this it is rounding."""


@njit(cache=True, nogil=True, error_model="numpy")
def logistic_site(mean: float, variance: float, reward: float) -> tuple[float, float]:
    """Answer precision and shift of the Gaussian that stands for one reward from 0 to 1.

    The score's posterior N(mean, variance) times p^reward (1-p)^(1-reward), p = 1/(1+e^-score),
    has moments m', v'; the Gaussian that turns one into the other has precision 1/v' - 1/v and
    shift m'/v' - m/v. The likelihood is log-concave, so the precision is not negative.
    """
    sd = sqrt(variance)
    whole, first, second = 0.0, 0.0, 0.0
    top = 0.0
    for i in range(_NODES_COUNT):
        score = mean + sd * _NODES[i]
        # log p^y (1-p)^(1-y) = y s - log(1 + e^s), kept from overflow
        softplus = max(score, 0.0) + np.log1p(exp(-abs(score)))
        height = reward * score - softplus
        if i == 0 or height > top:
            top = height
    for i in range(_NODES_COUNT):
        score = mean + sd * _NODES[i]
        softplus = max(score, 0.0) + np.log1p(exp(-abs(score)))
        weight = _WEIGHTS[i] * exp(reward * score - softplus - top)
        whole += weight
        first += weight * _NODES[i]
        second += weight * _NODES[i] * _NODES[i]
    first /= whole
    spread = max(second / whole - first * first, 1e-6)
    precision = max((1.0 / spread - 1.0) / variance, _LEAST_SITE)
    # shift = m'/v' - m/v, written so that small differences do not cancel
    shift = precision * mean + first / (spread * sd)
    return precision, shift


@njit(cache=True, nogil=True, error_model="numpy")
def absorb(
    mean: np.ndarray,
    covariance: np.ndarray,
    precision: np.ndarray,
    shift: np.ndarray,
    tallies: np.ndarray,
    x: np.ndarray,
    reward: float,
    kind: int,
    noise: float,
) -> bool:
    """Take in one outcome of one arm, in place; answer whether it could be taken.

    mean [d] and covariance [d, d] become the posterior; precision [d, d], shift [d] and tallies
    [3] the evidence. kind: LINEAR with `noise` as variance, or LOGISTIC. Refused, and nothing
    changed, when a number is not finite or a logistic reward is not from 0 to 1.
    """
    d = mean.shape[0]
    if not np.isfinite(reward) or (kind == LOGISTIC and not 0.0 <= reward <= 1.0):
        return False
    along = np.empty(d)
    at, variance = 0.0, 0.0
    for i in range(d):
        one = 0.0
        for j in range(d):
            one += covariance[i, j] * x[j]
        along[i] = one
        at += mean[i] * x[i]
        variance += x[i] * one
    if not (np.isfinite(at) and np.isfinite(variance)) or variance <= 0.0:
        return False
    if kind == LOGISTIC:
        weight, push = logistic_site(at, variance, reward)
    else:
        weight, push = 1.0 / noise, reward / noise
    if not (np.isfinite(weight) and np.isfinite(push)):
        return False
    step = (push - weight * at) / (1.0 + weight * variance)
    shrink = weight / (1.0 + weight * variance)
    for i in range(d):
        mean[i] += along[i] * step
        shift[i] += push * x[i]
        for j in range(d):
            covariance[i, j] -= shrink * along[i] * along[j]
            precision[i, j] += weight * x[i] * x[j]
    tallies[0] += 1.0
    tallies[1] += reward
    tallies[2] += reward * reward
    return True
