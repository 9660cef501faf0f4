"""What trees and a line say together, feature by feature, and how far a row may be trusted.

One pass over a row where arrays of Python would take a dozen. Knows nothing of calibration.
"""

import numpy as np
import numpy.typing as npt
from numba import njit

from models.churn.linear import Linear, share_of

F64 = npt.NDArray[np.float64]


@njit(cache=True, nogil=True, error_model="numpy")
def _clean(rows: np.ndarray, out: np.ndarray) -> None:
    for i in range(rows.shape[0]):
        for k in range(rows.shape[1]):
            value = rows[i, k]
            out[i, k] = value if np.abs(value) < np.inf else np.nan


def cleaned(rows: npt.ArrayLike) -> F64:
    """Answer a copy, float64[n, f], in which infinities are missing too."""
    given = np.ascontiguousarray(rows, np.float64)
    out = np.empty_like(given)
    _clean(given, out)
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def _join(
    parts: np.ndarray,
    rows: np.ndarray,
    blend: float,
    intercept: float,
    center: np.ndarray,
    scale: np.ndarray,
    weights: np.ndarray,
    means: np.ndarray,
    log_odds: np.ndarray,
) -> None:
    f = rows.shape[1]
    for i in range(rows.shape[0]):
        total = 0.0
        for k in range(f + 1):
            own = intercept
            if k < f:
                own = share_of(rows[i, k], k, center, scale, weights, means)
            parts[i, k] = (1 - blend) * parts[i, k] + blend * own
            total += parts[i, k]
        log_odds[i] = total


def join(parts: F64, rows: F64, linear: Linear, blend: float) -> F64:
    """Mix the line's shares into the trees', float64[n, f + 1]; answer float64[n], their sums."""
    log_odds = np.empty(len(rows))
    own = (linear.center, linear.scale, linear.weights, linear.means)
    _join(parts, rows, blend, linear.intercept, *own, log_odds)
    return log_odds


@njit(cache=True, nogil=True, error_model="numpy")
def _trust(rows: np.ndarray, low: np.ndarray, high: np.ndarray, out: np.ndarray) -> None:
    for i in range(rows.shape[0]):
        known, inside = 0, 0
        for k in range(low.shape[0]):
            value = rows[i, k]
            known += value == value
            inside += low[k] <= value <= high[k]
        out[i] = inside / known if known else 0.0


def trust(rows: F64, low: F64, high: F64) -> F64:
    """Answer float64[n], 0 to 1: the share of known features within low and high, float64[f].

    A row of which nothing is known has 0.
    """
    out = np.empty(len(rows))
    _trust(rows, low, high, out)
    return out
