"""What notices have taught about prices since a landscape was fitted, as sums that add up.

In natural parameters: precision and precision-times-weights beyond those of the landscape that
was started from, the base. Evidence fades, the base does not. Knows nothing of notices' texts, of
who shares the sums, or of bids.
"""

import math
from hashlib import blake2b
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from models.bidding.feedback import Rows
from models.bidding.landscape import LOCATIONS, LOG_SCALES, Landscape, columns_of
from models.bidding.laws import LOGISTIC

F64 = npt.NDArray[np.float64]

EVERYBODY, WORD, SCALE = 1.5, 0.5, 0.5
"""Prior deviations of the shared location, of a word's weight, of the log-scale: prices lie
within a factor of e³ of the standard bids, and contexts within e of one another."""
BUCKETS = 16
"""Hashed words a field tells apart while no bundle says otherwise."""
PRIOR_LOG_SCALE = math.log(0.7)
MOST_PRECISION = 1e9
"""Of any direction; more is a fault, not knowledge."""
_LEAST_EIGENVALUE = -1e-6


class MarketEvidence(NamedTuple):
    """What was learned beyond a base.

    base: the mark of the landscape it adds to (`mark_of`). since: ms UTC when the base was taken
    up; renewed: when somebody last learned on it. precision: float64[d, d], shift: float64[d],
    count: notices, faded ones less.
    """

    base: str
    since: int
    renewed: int
    precision: F64
    shift: F64
    count: float


def prior_landscape(location: float, buckets: int = BUCKETS) -> Landscape:
    """Answer a landscape that has heard nothing: wide, about one location (log of cpm micros)."""
    d = columns_of(buckets) + 1
    weights, deviation = np.zeros(d), np.full(d, WORD)
    weights[0] = min(max(location, LOCATIONS[0]), LOCATIONS[1])
    weights[-1] = PRIOR_LOG_SCALE
    deviation[0], deviation[-1] = EVERYBODY, SCALE
    return Landscape(LOGISTIC, weights, np.diag(deviation**2), buckets)


def mark_of(base: Landscape) -> str:
    """Answer sixteen letters that tell landscapes apart."""
    found = blake2b(f"{base.law} {base.buckets}".encode(), digest_size=8)
    found.update(np.ascontiguousarray(base.weights, "<f8").tobytes())
    found.update(np.ascontiguousarray(base.covariance, "<f8").tobytes())
    return found.hexdigest()


def no_evidence(base: Landscape, now: int) -> MarketEvidence:
    """Answer the evidence of no notice."""
    d = len(base.weights)
    return MarketEvidence(mark_of(base), now, now, np.zeros((d, d)), np.zeros(d), 0.0)


class Ground(NamedTuple):
    """A base with what is asked of it again and again: its mark and natural parameters."""

    landscape: Landscape
    mark: str
    precision: F64
    shift: F64


def ground_of(base: Landscape) -> Ground:
    """Answer a base, inverted once."""
    precision = np.linalg.inv(base.covariance)
    precision = 0.5 * (precision + precision.T)
    return Ground(base, mark_of(base), precision, precision @ base.weights)


def moved(ground: Ground, evidence: MarketEvidence | None) -> Landscape:
    """Answer the landscape that base and evidence give together; the base for none, for another
    base's, or where the sum cannot be believed."""
    base = ground.landscape
    if evidence is None or evidence.base != ground.mark or not believable(evidence):
        return base
    precision = ground.precision + evidence.precision
    covariance = np.linalg.inv(0.5 * (precision + precision.T))
    covariance = 0.5 * (covariance + covariance.T)
    weights = covariance @ (ground.shift + evidence.shift)
    weights[-1] = min(max(float(weights[-1]), LOG_SCALES[0]), LOG_SCALES[1])
    try:
        return Landscape(base.law, weights, covariance, base.buckets)
    except ValueError:
        return base


def believable(evidence: MarketEvidence) -> bool:
    """Tell whether sums can be true: finite, symmetric, nowhere below nothing or beyond limits."""
    precision, shift = evidence.precision, evidence.shift
    if not (np.isfinite(precision).all() and np.isfinite(shift).all()):
        return False
    largest = float(np.abs(precision).max(initial=0.0))
    scale = max(largest, 1.0)
    return (
        largest <= MOST_PRECISION
        and float(np.abs(precision - precision.T).max(initial=0.0)) <= 1e-6 * scale
        and float(np.linalg.eigvalsh(precision).min(initial=0.0)) >= _LEAST_EIGENVALUE * scale
        and 0.0 <= evidence.count < math.inf
    )


def taught(ground: Ground, evidence: MarketEvidence, rows: Rows, now: int) -> MarketEvidence:
    """Answer the evidence after more notices; raises ValueError for rows that are none."""
    before = moved(ground, evidence)
    after = before.updated(rows)
    precision = np.linalg.inv(after.covariance)
    precision = 0.5 * (precision + precision.T)
    gained = precision - ground.precision
    return evidence._replace(
        renewed=now,
        precision=gained,
        shift=precision @ after.weights - ground.shift,
        count=evidence.count + len(rows.kind),
    )


@njit(cache=True, nogil=True, error_model="numpy")
def _variance_at(covariance: F64, places: npt.NDArray[np.int64]) -> float:
    total = 0.0
    for one in places:
        for other in places:
            total += float(covariance[one, other])
    return total


def confidence_at(landscape: Landscape, places: tuple[int, ...]) -> float:
    """Answer 0 … 1: 1 less the deviation of the location there over that of knowing nothing."""
    variance = _variance_at(landscape.covariance, np.array(places, np.int64))
    prior = EVERYBODY**2 + (len(places) - 1) * WORD**2
    if not 0.0 <= variance < prior:
        return 0.0
    return 1.0 - math.sqrt(variance / prior)
