"""The landscape: how likely a bid wins, with how sure that is, learned from four kinds of notices.

The logarithm of the price to beat has a location, the sum of a few weights that a context picks
by hashing, and one scale; weights have a normal posterior (Laplace's approximation). A chance of
winning is between 0 and 1 for any bid and never falls with it. Knows nothing of what is bid.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from numba import njit

from domain.ids import hash64
from models.bidding.feedback import Rows, checked, location_of, summed
from models.bidding.laws import LAWS, below

F64 = npt.NDArray[np.float64]

FIELDS = ("exchange", "site", "size", "device", "country", "hour", "floor")
"""Words of a context that move prices, in the stored order; what is missing is the word ""."""

LOG_SCALES = (math.log(0.02), math.log(5.0))
LOCATIONS = (0.0, 30.0)
"""Sane limits: no price spreads less than 2 % or more than e^5 each way; locations are of micros,
from one micro to about ten million units a thousand."""

MOST_STEP = 2.0
"""How far one update may move the location or the log-scale: no burst of notices rules a market."""

_STEPS, _HALVINGS, _NEAR = 12, 12, 1e-6


Moments = tuple[float, float, float, float, float]
"""Of a location and the log-scale: mean and deviation of the first, mean of the second, how far it
goes along with a deviation of the first, and its deviation apart from that."""


@njit(cache=True, nogil=True, error_model="numpy")
def moments_at(weights: F64, covariance: F64, places: npt.NDArray[np.int32]) -> Moments:
    """Answer the moments of the posterior at some places: k places need k² of its entries."""
    last = weights.shape[0] - 1
    spread, joint = 0.0, 0.0
    for place in places:
        joint += covariance[place, last]
        for neighbour in places:
            spread += covariance[place, neighbour]
    deviation = math.sqrt(max(spread, 0.0))
    along = joint / deviation if deviation > 0.0 else 0.0
    apart = math.sqrt(max(covariance[last, last] - along * along, 0.0))
    return location_of(places, weights), deviation, float(weights[last]), float(along), apart


@njit(cache=True, nogil=True, error_model="numpy")
def drawn_from(moments: Moments, one: float, other: float) -> tuple[float, float]:
    """Answer location and scale of a draw, kept within their limits.

    one, other: two standard normal numbers; 0, 0 gives the most likely pair. The joint
    distribution is exact.
    """
    location, deviation, log_scale, along, apart = moments
    location = min(max(location + deviation * one, LOCATIONS[0]), LOCATIONS[1])
    log_scale = min(max(log_scale + along * one + apart * other, LOG_SCALES[0]), LOG_SCALES[1])
    return location, math.exp(log_scale)


@njit(cache=True, nogil=True, error_model="numpy")
def drawn(
    weights: F64, covariance: F64, places: npt.NDArray[np.int32], one: float, other: float
) -> tuple[float, float]:
    """Answer location and scale drawn from the posterior at some places; see drawn_from."""
    return drawn_from(moments_at(weights, covariance, places), one, other)


@njit(cache=True, nogil=True, error_model="numpy")
def win_chance(law: int, bid: float, location: float, scale: float) -> float:
    """Answer the chance that `bid` (cpm micros) wins; 0 for what is no bid."""
    if not bid > 0.0:
        return 0.0
    return below(law, (math.log(bid) - location) / scale)


@dataclass(frozen=True, eq=False)
class Landscape:
    """What prices are believed to be; pure, may run in threads.

    law: of models.bidding.laws. weights: float64[1 + fields·buckets + 1]: everybody's, each
    word's, the log-scale. covariance: float64[d, d], of the weights' posterior. buckets: how
    many hashed words a field tells apart.
    """

    law: int
    weights: F64
    covariance: F64
    buckets: int

    def __post_init__(self) -> None:
        d = len(self.weights)
        if d != columns_of(self.buckets) + 1 or self.covariance.shape != (d, d):
            raise ValueError("a landscape has a weight for every bucket, and as wide a covariance")
        if self.law not in LAWS.values() or not np.isfinite(self.weights).all():
            raise ValueError("a landscape has a known law and finite weights")
        if not np.isfinite(self.covariance).all() or np.any(np.diag(self.covariance) < 0):
            raise ValueError("a landscape's covariance is finite, its variances 0 or more")

    def places(self, context: Mapping[str, str]) -> npt.NDArray[np.int32]:
        """Answer int32[1 + fields], the weights that a context picks."""
        return places_of(context, self.buckets)

    def chance(self, context: Mapping[str, str], bid: float) -> float:
        """Answer the most likely chance that a bid (cpm micros) wins."""
        location, scale = drawn(self.weights, self.covariance, self.places(context), 0.0, 0.0)
        return win_chance(self.law, bid, location, scale)

    def updated(self, rows: Rows, forget: float = 1.0) -> "Landscape":
        """Answer the landscape after more notices: Newton's steps from the posterior so far.

        forget: share of the old precision that is kept, so that markets may move. What would
        move a location or the log-scale by more than MOST_STEP is cut, and nobody grows surer.
        Raises ValueError for rows that are none or a share outside (0, 1].
        """
        if not 0 < forget <= 1:
            raise ValueError("a share of what was known is kept, above 0 and at most 1")
        rows = checked(rows, len(self.weights) - 1)
        if not len(rows.kind):
            return self
        held = np.asarray(np.linalg.inv(self.covariance) * forget, np.float64)
        weights, precision = self._climbed(rows, held)
        change = weights - self.weights
        moved = max(abs(float(change[-1])), float(np.abs(change[rows.places].sum(axis=1)).max()))
        if moved > MOST_STEP:
            # So far off, the notices say where to go but not yet how sure to be.
            weights, precision = self.weights + change * (MOST_STEP / moved), held
        covariance = np.linalg.inv(precision)
        weights[-1] = min(max(float(weights[-1]), LOG_SCALES[0]), LOG_SCALES[1])
        return replace(self, weights=weights, covariance=0.5 * (covariance + covariance.T))

    def _climbed(self, rows: Rows, held: F64) -> tuple[F64, F64]:
        """Answer the most probable weights and their precision, the prior's precision `held`."""
        ones = np.ones(len(rows.kind))
        weights, precision = self.weights.copy(), held
        value, slope, curvature = summed(self.law, rows, weights, ones)
        for _ in range(_STEPS):
            # A censored row may curve the wrong way far from the best: it then counts as flat.
            values, vectors = np.linalg.eigh(-curvature)
            precision = held + (vectors * np.maximum(values, 0.0)) @ vectors.T
            off = weights - self.weights
            step = np.linalg.solve(precision, slope - held @ off)
            step *= min(1.0, MOST_STEP / max(float(np.abs(step).max()), _NEAR))
            # Beyond its limits a scale would overflow, as where all prices are the same.
            step[-1] = np.clip(weights[-1] + step[-1], *LOG_SCALES) - weights[-1]
            before = value - 0.5 * float(off @ held @ off)
            for _ in range(_HALVINGS):
                off = weights + step - self.weights
                value, slope, curvature = summed(self.law, rows, weights + step, ones)
                if value - 0.5 * float(off @ held @ off) >= before:
                    break
                step = 0.5 * step
            weights = weights + step
            if np.abs(step).max() < _NEAR:
                break
        return weights, precision

    def arrays(self) -> dict[str, F64]:
        """Answer every array by name, for a bundle."""
        return {"landscape_weights": self.weights, "landscape_covariance": self.covariance}

    def params(self) -> dict[str, Any]:
        """Answer everything else as JSON values."""
        law = next(name for name, number in LAWS.items() if number == self.law)
        return {"law": law, "buckets": self.buckets, "fields": list(FIELDS)}

    @classmethod
    def from_parts(cls, arrays: Mapping[str, npt.NDArray[Any]], params: Mapping[str, Any]) -> Self:
        """Make it of what `arrays` and `params` answered; raises KeyError and ValueError."""
        if params["fields"] != list(FIELDS):
            raise ValueError("its fields are not those of this release")
        weights = np.array(arrays["landscape_weights"], np.float64)
        covariance = np.array(arrays["landscape_covariance"], np.float64)
        return cls(LAWS[params["law"]], weights, covariance, int(params["buckets"]))


def columns_of(buckets: int) -> int:
    """Answer how many weights a location may use: everybody's and each field's."""
    return 1 + len(FIELDS) * buckets


def places_of(context: Mapping[str, str], buckets: int) -> npt.NDArray[np.int32]:
    """Answer int32[1 + fields]: everybody's weight and the bucket of each field's word."""
    found = np.zeros(1 + len(FIELDS), np.int32)
    for number, name in enumerate(FIELDS):
        word = context.get(name, "")
        found[1 + number] = 1 + number * buckets + hash64(f"{name}={word}") % buckets
    return found


def floor_word(floor: float) -> str:
    """Answer a floor (cpm micros) as a word of a context: doublings, "" without one."""
    return f"{math.log2(floor):.0f}" if floor >= 1.0 and math.isfinite(floor) else ""
