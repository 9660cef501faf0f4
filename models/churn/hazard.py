"""Survival from a discrete-time hazard: the chance of still being silent after so many days.

h(j | x) = sigmoid(raw(x, j)) is the chance of coming back in interval j for who has not before;
S(t) is the product of 1 - h, between interval ends by constant hazard (Singer and Willett,
1993). Knows nothing of how it was fitted.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from models.calibration import sigmoid
from models.forest.forest import Forest

F64 = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Hazard:
    """A forest over f features and, last, the interval's number; m intervals of `step` days.

    Beyond the last interval its hazard holds on.
    """

    forest: Forest
    intervals: int
    step: float

    def cumulative(self, rows: F64) -> F64:
        """Answer float64[n, intervals]: the summed hazard -ln S at the end of each interval."""
        n = len(rows)
        wide = np.concatenate([rows, np.zeros((n, 1))], axis=1)
        out = np.empty((n, self.intervals))
        for interval in range(self.intervals):
            wide[:, -1] = interval
            out[:, interval] = -np.log1p(-sigmoid(self.forest.raw(wide)))
        return np.cumsum(out, axis=1)

    def survival(self, rows: F64, days: F64, at: float = 0.0, known: F64 | None = None) -> F64:
        """Answer float64[n, len(days)], the chance of silence up to each of `days`.

        known: float64[n], the calibrated chance at `at` days; the hazards of each row are then
        raised or lowered in proportion so that the curve goes through it.
        """
        summed = np.concatenate([np.zeros((len(rows), 1)), self.cumulative(rows)], axis=1)
        last = summed[:, -1] - summed[:, -2]
        ends = np.arange(self.intervals + 1) * self.step

        def hazard_at(day: float) -> F64:
            if day >= ends[-1]:
                return summed[:, -1] + last * (day - ends[-1]) / self.step
            place = int(day // self.step)
            share = (day - ends[place]) / self.step
            return summed[:, place] + share * (summed[:, place + 1] - summed[:, place])

        ratio = np.ones(len(rows))
        if known is not None:
            own = np.maximum(hazard_at(at), 1e-12)
            ratio = -np.log(np.clip(known, 1e-12, 1 - 1e-12)) / own
        columns = [np.exp(-ratio * hazard_at(float(day))) for day in days]
        return np.stack(columns, axis=1) if columns else np.empty((len(rows), 0))

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Answer every number by name, for a bundle."""
        return {**self.forest.arrays(), "intervals": np.array([self.intervals, self.step])}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        """Make it again from what `arrays` answered; raises KeyError and ValueError."""
        intervals, step = arrays["intervals"].tolist()
        return cls(Forest.from_arrays(arrays), int(intervals), float(step))
