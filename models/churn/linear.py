"""The linear part of a churn model: a logistic regression whose shares are exact by themselves.

z = clip((sign(x) ln(1 + |x|) - center) / scale, -5, 5) of each feature, missing values filled by
the center and marked by an indicator of their own. Knows nothing of how it was fitted.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]
BOUND = 5.0
"""Deviations a value may be off, at most: one odd number must not decide an answer."""


def standardised(rows: F64, center: F64, scale: F64) -> F64:
    """Answer float64[n, 2 f]: bounded deviations, then indicators of missing values."""
    missing = np.isnan(rows)
    squeezed = np.copysign(np.log1p(np.abs(rows)), rows)
    deviations = np.clip((squeezed - center) / scale, -BOUND, BOUND)
    return np.concatenate([np.where(missing, 0.0, deviations), missing], axis=1)


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
        f = len(self.center)
        parts = (standardised(rows, self.center, self.scale) - self.means) * self.weights
        out = np.empty((len(rows), f + 1))
        np.add(parts[:, :f], parts[:, f:], out=out[:, :f])
        out[:, f] = self.intercept
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
