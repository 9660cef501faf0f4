"""The linear part of a churn model: a logistic regression whose shares are exact by themselves.

z = clip((sign(x) ln(1 + |x|) - center) / scale, -5, 5) of each feature, missing values filled by
the center and marked by an indicator of their own. Knows nothing of how it was fitted.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from numba import njit

F64 = npt.NDArray[np.float64]
BOUND = 5.0
"""Deviations a value may be off, at most: one odd number must not decide an answer."""


def standardised(rows: F64, center: F64, scale: F64) -> F64:
    """Answer float64[n, 2 f]: bounded deviations, then indicators of missing values."""
    missing = np.isnan(rows)
    squeezed = np.copysign(np.log1p(np.abs(rows)), rows)
    deviations = np.clip((squeezed - center) / scale, -BOUND, BOUND)
    return np.concatenate([np.where(missing, 0.0, deviations), missing], axis=1)


@njit(cache=True, nogil=True, error_model="numpy")
def share_of(
    value: float,
    k: int,
    center: np.ndarray,
    scale: np.ndarray,
    weights: np.ndarray,
    means: np.ndarray,
) -> float:
    """Answer what a value of feature k adds to the log-odds."""
    f = center.shape[0]
    deviation, missing = 0.0, 1.0
    if value == value:
        squeezed = np.copysign(np.log1p(np.abs(value)), value)
        deviation = min(max((squeezed - center[k]) / scale[k], -BOUND), BOUND)
        missing = 0.0
    own = (deviation - means[k]) * weights[k]
    return own + (missing - means[f + k]) * weights[f + k]


@njit(cache=True, nogil=True, error_model="numpy")
def _contribute(
    rows: np.ndarray,
    center: np.ndarray,
    scale: np.ndarray,
    weights: np.ndarray,
    means: np.ndarray,
    out: np.ndarray,
) -> None:
    """Write what each feature adds: the products of `standardised`, in one pass."""
    for i in range(rows.shape[0]):
        for k in range(center.shape[0]):
            out[i, k] = share_of(rows[i, k], k, center, scale, weights, means)


@dataclass(frozen=True, eq=False)
class Linear:
    """A fitted logistic regression over f features.

    center, scale: float64[f]. weights, means: float64[2 f], of deviations and indicators, and
    their means over the rows of training. intercept: log-odds of a row that is all means.
    """

    center: F64
    scale: F64
    weights: F64
    means: F64
    intercept: float

    def raw(self, rows: F64) -> F64:
        """Answer float64[n], the log-odds of float64[n, f] (NaN is missing)."""
        return self.contributions(rows).sum(axis=1)

    def contributions(self, rows: F64) -> F64:
        """Answer float64[n, f + 1]: what each feature adds to the log-odds, and last the base."""
        out = np.empty((len(rows), len(self.center) + 1))
        given = np.ascontiguousarray(rows, np.float64)
        _contribute(given, self.center, self.scale, self.weights, self.means, out)
        out[:, -1] = self.intercept
        return out

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Answer every number by name, for a bundle."""
        return {
            "center": self.center,
            "scale": self.scale,
            "weights": self.weights,
            "means": self.means,
            "intercept": np.array([self.intercept]),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        """Make it again; raises KeyError naming what is missing, ValueError for other sizes."""
        f = len(arrays["center"])
        sizes = {"center": f, "scale": f, "weights": 2 * f, "means": 2 * f, "intercept": 1}
        if any(arrays[name].shape != (size,) for name, size in sizes.items()):
            raise ValueError("the arrays of a linear part do not belong together")
        parts = {name: np.array(arrays[name], np.float64) for name in sizes}
        return cls(**{**parts, "intercept": float(parts["intercept"][0])})
