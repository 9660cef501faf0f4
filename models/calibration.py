"""Calibration: from a model's probability to one that means what it says.

Each kind is its formula with learned numbers in it; which kind and which numbers is decided
by a fit elsewhere, on rows held out. Knows nothing of labels.
"""

import math
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

CERTAIN = 1e-12
"""Probabilities are kept this far from 0 and 1, so that every log-odds is finite."""


class Calibration(Protocol):
    """What every kind can do."""

    def at(self, log_odds: float) -> float:
        """Answer the calibrated probability of one log-odds; `apply` of `sigmoid`, sooner."""
        ...

    def apply(self, probabilities: npt.ArrayLike) -> Floats:
        """Answer calibrated probabilities, float64 of the same shape, strictly in (0, 1)."""
        ...

    def params(self) -> dict[str, Any]:
        """Answer the kind and its numbers as JSON values."""
        ...


def inside(probabilities: npt.ArrayLike) -> Floats:
    """Answer the probabilities kept away from 0 and 1; NaN stays NaN."""
    kept = np.maximum(np.asarray(probabilities, np.float64), CERTAIN)
    return np.minimum(kept, 1 - CERTAIN)


def logit(probabilities: npt.ArrayLike) -> Floats:
    """Answer the log-odds of probabilities."""
    kept = inside(probabilities)
    return np.log(kept) - np.log1p(-kept)


def sigmoid(log_odds: npt.ArrayLike) -> Floats:
    """Answer the probabilities of log-odds, without overflow."""
    odds = np.asarray(log_odds, np.float64)
    small = np.exp(-np.abs(odds))
    return inside(np.where(odds >= 0, 1.0, small) / (1.0 + small))


def chance(log_odds: float) -> float:
    """Answer `sigmoid` of one number: a call of numpy costs more than the arithmetic."""
    small = math.exp(-abs(log_odds))
    return within((1.0 if log_odds >= 0 else small) / (1.0 + small))


def within(probability: float) -> float:
    """Answer `inside` of one number."""
    return min(max(probability, CERTAIN), 1 - CERTAIN)


def _odds(probability: float) -> float:
    return math.log(probability) - math.log1p(-probability)


@dataclass(frozen=True)
class Uncalibrated:
    """The model's own probability, as it is."""

    def at(self, log_odds: float) -> float:
        """See Calibration."""
        return chance(log_odds)

    def apply(self, probabilities: npt.ArrayLike) -> Floats:
        """See Calibration."""
        return inside(probabilities)

    def params(self) -> dict[str, Any]:
        """See Calibration."""
        return {"kind": "none"}


@dataclass(frozen=True)
class Platt:
    """sigmoid(slope * logit(p) + intercept); Platt 1999, on the log-odds scale.

    Raises ValueError for a slope below 0, which would turn the order around.
    """

    slope: float
    intercept: float

    def __post_init__(self) -> None:
        _check_finite(self.slope, self.intercept)
        _check_rising(self.slope)

    def at(self, log_odds: float) -> float:
        """See Calibration."""
        return chance(self.slope * _odds(chance(log_odds)) + self.intercept)

    def apply(self, probabilities: npt.ArrayLike) -> Floats:
        """See Calibration."""
        return sigmoid(self.slope * logit(probabilities) + self.intercept)

    def params(self) -> dict[str, Any]:
        """See Calibration."""
        return {"kind": "platt", **asdict(self)}


@dataclass(frozen=True)
class BetaCurve:
    """sigmoid(a * ln(p) - b * ln(1 - p) + c); Kull, Silva Filho and Flach 2017.

    With a = b it is Platt's. Raises ValueError for a or b below 0.
    """

    a: float
    b: float
    c: float

    def __post_init__(self) -> None:
        _check_finite(self.a, self.b, self.c)
        _check_rising(self.a)
        _check_rising(self.b)

    def at(self, log_odds: float) -> float:
        """See Calibration."""
        kept = chance(log_odds)
        return chance(self.a * math.log(kept) - self.b * math.log1p(-kept) + self.c)

    def apply(self, probabilities: npt.ArrayLike) -> Floats:
        """See Calibration."""
        kept = inside(probabilities)
        return sigmoid(self.a * np.log(kept) - self.b * np.log1p(-kept) + self.c)

    def params(self) -> dict[str, Any]:
        """See Calibration."""
        return {"kind": "beta", **asdict(self)}


@dataclass(frozen=True)
class Isotonic:
    """Straight lines between points that never fall; constant beyond the first and the last.

    points: rising probabilities in; heights: what comes out. Raises ValueError when the points
    do not rise, the heights fall or leave 0 to 1, or there is none.
    """

    points: tuple[float, ...]
    heights: tuple[float, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "points", tuple(map(float, self.points)))
        object.__setattr__(self, "heights", tuple(map(float, self.heights)))
        _check_finite(*self.points, *self.heights)
        if not self.points or len(self.points) != len(self.heights):
            raise ValueError("isotonic calibration wants as many heights as points, at least one")
        if np.any(np.diff(self.points) <= 0):
            raise ValueError("the points of isotonic calibration rise")
        if np.any(np.diff(self.heights) < 0) or self.heights[0] < 0 or self.heights[-1] > 1:
            raise ValueError("the heights of isotonic calibration never fall and are 0 to 1")

    def at(self, log_odds: float) -> float:
        """See Calibration."""
        points, heights, asked = self.points, self.heights, chance(log_odds)
        above = bisect_right(points, asked)
        if above == 0 or above == len(points):
            return within(heights[min(above, len(points) - 1)])
        slope = (heights[above] - heights[above - 1]) / (points[above] - points[above - 1])
        return within(heights[above - 1] + slope * (asked - points[above - 1]))

    def apply(self, probabilities: npt.ArrayLike) -> Floats:
        """See Calibration."""
        return inside(np.interp(inside(probabilities), self.points, self.heights))

    def params(self) -> dict[str, Any]:
        """See Calibration."""
        return {"kind": "isotonic", "points": list(self.points), "heights": list(self.heights)}


def _check_finite(*numbers: float) -> None:
    if not np.all(np.isfinite(numbers)):
        raise ValueError("the numbers of a calibration are finite")


def _check_rising(slope: float) -> None:
    if slope < 0:
        raise ValueError("a calibration never turns the order around: its slope is 0 or more")


KINDS: dict[str, Callable[..., Calibration]] = {
    "none": Uncalibrated,
    "platt": Platt,
    "beta": BetaCurve,
    "isotonic": Isotonic,
}
"""Every kind by the name it has in a bundle."""


def from_params(params: Mapping[str, Any]) -> Calibration:
    """Answer the calibration that gave `params`.

    Raises ValueError for an unknown kind or numbers that do not fit it.
    """
    numbers: dict[str, float | Sequence[float]] = dict(params)
    kind = KINDS.get(str(numbers.pop("kind", "")))
    if kind is None:
        raise ValueError("no such calibration; one of " + ", ".join(KINDS))
    try:
        return kind(**numbers)
    except TypeError as error:
        raise ValueError("the numbers do not fit this kind of calibration") from error
