"""The line from a score to an effect, and how far off it may be.

Knows nothing of how the score came about or the line was found.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]


class Line(NamedTuple):
    """effect = mean + slope * (score - centre).

    doubt: variance of the mean, covariance of both, variance of the slope.
    """

    centre: float
    mean: float
    slope: float
    doubt: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def effect(self, score: F64) -> F64:
        """Answer float64[n], the effects of scores, float64[n]."""
        return self.mean + self.slope * (score - self.centre)

    def variance(self, score: F64, spread: F64) -> F64:
        """Answer float64[n], the variance of the effects; spread: that of the scores."""
        away = score - self.centre
        mean, both, slope = self.doubt
        own = mean + 2 * both * away + slope * away**2
        return np.maximum(own, 0.0) + self.slope**2 * spread

    def params(self) -> dict[str, Any]:
        """Answer the line as JSON values."""
        return {**self._asdict(), "doubt": list(self.doubt)}

    @classmethod
    def from_params(cls, params: dict[str, Any]) -> "Line":
        """Make it again; raises KeyError and ValueError."""
        mean, both, slope = (float(one) for one in params["doubt"])
        centre, level, steep = (float(params[name]) for name in ("centre", "mean", "slope"))
        return cls(centre, level, steep, (mean, both, slope))
