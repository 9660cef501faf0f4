"""Scaling: from columns with gaps and long tails to numbers a network can learn from.

    z = (sign(x) * ln(1 + |x|) - mean) / deviation, kept within ±LIMIT; missing is 0

and beside them one flag for each way of being missing. Knows nothing of what a column means.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from numba import njit

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
LIMIT = 5.0
"""Numbers this many deviations from the mean count as this far: what training never saw is
no reason for an answer it never gave."""


@njit(cache=True, nogil=True, error_model="numpy")
def scale(
    x: F64, mean: F64, deviation: F64, flags: npt.NDArray[np.int64], logarithmic: bool, out: F32
) -> None:
    """Write float64[n, c] as float32[n, c + f]: standard scores within LIMIT, 0 for what is not
    finite; then whether each of the f flagged columns (int64[f]) was not."""
    columns = x.shape[1]
    for row in range(x.shape[0]):
        for column in range(columns):
            value = x[row, column]
            if not np.isfinite(value):
                out[row, column] = 0.0
                continue
            if logarithmic:
                value = np.log1p(value) if value >= 0 else -np.log1p(-value)
            z = (value - mean[column]) / deviation[column]
            out[row, column] = min(max(z, -LIMIT), LIMIT)
        for place in range(len(flags)):
            out[row, columns + place] = not np.isfinite(x[row, flags[place]])


@dataclass(frozen=True, eq=False)
class Scaling:
    """Learned on columns float64[n, c]. mean, deviation: float64[c]. flags: int64[f], columns
    whose absence is told. logarithmic: whether ln(1 + |x|) is taken first."""

    mean: F64
    deviation: F64
    flags: npt.NDArray[np.int64]
    logarithmic: bool = True

    @property
    def columns(self) -> int:
        """How many columns go in."""
        return len(self.mean)

    @property
    def width(self) -> int:
        """How many numbers come out."""
        return len(self.mean) + len(self.flags)

    def apply(self, columns: npt.ArrayLike) -> F32:
        """Answer float32[n, width] of float[n, c]; NaN and infinities count as missing."""
        x = np.array(columns, np.float64)
        out = np.empty((len(x), self.width), np.float32)
        scale(x, self.mean, self.deviation, self.flags, self.logarithmic, out)
        return out

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Answer every array by name, for a bundle."""
        return {
            "mean": self.mean,
            "deviation": self.deviation,
            "flags": self.flags,
            "logarithmic": np.array([self.logarithmic]),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        """Make it of what `arrays` answered; raises KeyError and ValueError."""
        # Owned: of a bundle's read-only arrays another kernel would be compiled.
        mean, deviation, flags = (np.array(arrays[k]) for k in ("mean", "deviation", "flags"))
        fits = mean.shape == deviation.shape and np.isfinite(mean).all()
        if not fits or not (deviation > 0).all() or not ((flags >= 0) & (flags < len(mean))).all():
            raise ValueError("the numbers of a scaling do not fit each other")
        return cls(mean, deviation, flags, bool(arrays["logarithmic"][0]))

    @classmethod
    def learned(cls, columns: F64, *, logarithmic: bool = True) -> Self:
        """Learn mean and deviation of each column's numbers, and which absences to tell.

        Columns that are missing together share one flag; one that never or always misses has
        none. A column without two different numbers gets deviation 1.
        """
        x = np.asarray(columns, np.float64)
        finite = np.isfinite(x)
        x = np.where(finite, x, 0.0)
        if logarithmic:
            x = np.sign(x) * np.log1p(np.abs(x))
        count = np.maximum(finite.sum(axis=0), 1)
        mean = (x * finite).sum(axis=0) / count
        spread = np.sqrt((((x - mean) * finite) ** 2).sum(axis=0) / count)
        flags: dict[bytes, int] = {}
        for place in np.flatnonzero(finite.any(axis=0) & ~finite.all(axis=0)).tolist():
            flags.setdefault(finite[:, place].tobytes(), place)
        chosen = np.array(list(flags.values()), np.int64)
        return cls(mean, np.where(spread > 1e-9, spread, 1.0), chosen, logarithmic)
