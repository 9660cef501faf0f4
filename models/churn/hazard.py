"""Survival from a discrete-time hazard: the chance of still being silent after so many days.

h(j | x) = sigmoid(raw(x, j)) is the chance of coming back in interval j for who has not before;
S(t) is the product of 1 - h, between interval ends by constant hazard (Singer and Willett,
1993). Knows nothing of how it was fitted.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from numba import njit

from models.forest.blocks import FEW
from models.forest.forest import Forest
from models.forest.lean import Swaps, raw_swapped

F64 = npt.NDArray[np.float64]
_NONE = 1e-12
"""No hazard is smaller than this, and no known chance nearer to 0 or 1."""


@njit(cache=True, nogil=True, error_model="numpy")
def _summed_at(summed: np.ndarray, step: float, day: float) -> float:
    """Answer the summed hazard at a day: constant within an interval, the last one's beyond."""
    last = summed.shape[0] - 1
    place = min(int(day // step), last - 1)
    share = (day - place * step) / step
    return summed[place] + share * (summed[place + 1] - summed[place])


@njit(cache=True, nogil=True, error_model="numpy")
def _sum(raw: np.ndarray, out: np.ndarray) -> None:
    """Write the summed hazards -ln S at 0 and the end of each interval, of log-odds `raw`."""
    for i in range(raw.shape[0]):
        out[i, 0] = 0.0
        for j in range(raw.shape[1]):
            # -ln(1 - sigmoid(x)) is ln(1 + e^x), written so that nothing overflows.
            x = raw[i, j]
            out[i, j + 1] = out[i, j] + max(x, 0.0) + np.log1p(np.exp(-abs(x)))


@njit(cache=True, nogil=True, error_model="numpy")
def _survive(
    summed: np.ndarray, step: float, days: np.ndarray, at: float, known: np.ndarray, out: np.ndarray
) -> None:
    for i in range(summed.shape[0]):
        ratio = 1.0
        if known.shape[0]:
            chance = min(max(known[i], _NONE), 1 - _NONE)
            ratio = -np.log(chance) / max(_summed_at(summed[i], step, at), _NONE)
        for k in range(days.shape[0]):
            out[i, k] = np.exp(-ratio * _summed_at(summed[i], step, days[k]))


@dataclass(frozen=True, eq=False)
class Hazard:
    """A forest over f features and, last, the interval's number; m intervals of `step` days.

    Beyond the last interval its hazard holds on.
    """

    forest: Forest
    intervals: int
    step: float
    _swaps: Swaps | None = field(init=False, repr=False)

    def __post_init__(self) -> None:
        swaps = None
        if self.forest.few is not None:
            swaps = self.forest.swaps(self.forest.features - 1, self._intervals())
        object.__setattr__(self, "_swaps", swaps)

    def _intervals(self) -> F64:
        return np.arange(self.intervals, dtype=np.float64)

    def cumulative(self, rows: F64) -> F64:
        """Answer float64[n, 1 + intervals]: -ln S at 0 and at the end of each interval."""
        wide = np.empty((len(rows), rows.shape[1] + 1))
        wide[:, :-1] = rows
        wide[:, -1] = 0.0
        out = np.empty((len(rows), self.intervals + 1))
        few, swaps = self.forest.few, self._swaps
        if few is not None and swaps is not None and len(rows) <= FEW:
            raw = np.zeros((len(rows), self.intervals))
            parts = (few.asks, few.thresholds, few.place, few.leaf, few.value)
            raw_swapped(*parts, swaps.keep, swaps.chosen, wide, raw)
        else:
            raw = self.forest.raw_along(wide, rows.shape[1], self._intervals())
        _sum(raw, out)
        return out

    def survival(self, rows: F64, days: F64, at: float = 0.0, known: F64 | None = None) -> F64:
        """Answer float64[n, len(days)], the chance of silence up to each of `days`.

        known: float64[n], the calibrated chance at `at` days; the hazards of each row are then
        raised or lowered in proportion so that the curve goes through it.
        """
        out = np.empty((len(rows), len(days)))
        asked = np.ascontiguousarray(days, np.float64)
        through = np.empty(0) if known is None else np.ascontiguousarray(known, np.float64)
        _survive(self.cumulative(rows), self.step, asked, at, through, out)
        return out

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Answer every number by name, for a bundle."""
        return {**self.forest.arrays(), "intervals": np.array([self.intervals, self.step])}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        """Make it again from what `arrays` answered; raises KeyError and ValueError."""
        intervals, step = arrays["intervals"].tolist()
        return cls(Forest.from_arrays(arrays), int(intervals), float(step))
