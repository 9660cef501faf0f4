"""Fitting the landscape: Newton's method on the notices of auctions, with a normal prior.

The prior is wide for what everybody shares and narrow for what tells contexts apart, so that rare
words stay near the rest. Knows nothing of where notices come from.
"""

import numpy as np
import numpy.typing as npt

from domain.errors import TooLittleData
from models.bidding.feedback import Kind, Rows, checked, summed
from models.bidding.landscape import LOG_SCALES, Landscape, columns_of

F64 = npt.NDArray[np.float64]

EVERYBODY, WORD, SCALE = 10.0, 0.5, 1.0
"""Prior standard deviations: of the shared location, of a word's weight, of the log-scale."""

LEAST = 20
_MOST_STEPS = 100
_NEAR = 1e-8


def prior_of(rows: Rows, buckets: int) -> tuple[F64, F64]:
    """Answer mean and precision of the weights before a notice is read, float64[d] each."""
    used = np.where(rows.kind == Kind.won, rows.high, rows.low)
    mean = np.zeros(columns_of(buckets) + 1)
    mean[0] = float(np.median(used))
    deviation = np.full(len(mean), WORD)
    deviation[0], deviation[-1] = EVERYBODY, SCALE
    return mean, deviation**-2.0


def fit_landscape(
    rows: Rows, law: int, buckets: int, weight: npt.ArrayLike | None = None
) -> Landscape:
    """Answer the landscape with the most probable weights, and their curvature as covariance.

    Raises TooLittleData below LEAST notices or without one that was won or told a price (losses
    alone put no bound on prices), ValueError for rows that are none.
    """
    rows = checked(rows, columns_of(buckets))
    if len(rows.kind) < LEAST or np.all(rows.kind == Kind.lost):
        raise TooLittleData(
            f"prices are learned from {LEAST} auctions or more, not all of them lost without a word"
        )
    counts = np.ones(len(rows.kind)) if weight is None else np.asarray(weight, np.float64)
    mean, precision = prior_of(rows, buckets)
    weights = mean.copy()
    value, slope, curvature = _posterior(law, rows, counts, weights, (mean, precision))
    for _ in range(_MOST_STEPS):
        step = np.linalg.solve(_down(-curvature, precision), slope)
        size = min(1.0, 2.0 / max(float(np.abs(step).max()), 1e-12))
        reached = _posterior(law, rows, counts, weights + size * step, (mean, precision))
        while not reached[0] >= value and size > _NEAR:
            size *= 0.5
            reached = _posterior(law, rows, counts, weights + size * step, (mean, precision))
        if not reached[0] >= value:
            break
        weights, risen = weights + size * step, reached[0] - value
        value, slope, curvature = reached
        if risen < _NEAR * (1 + abs(value)):
            break
    weights[-1] = np.clip(weights[-1], *LOG_SCALES)
    covariance = np.linalg.inv(_down(-curvature, precision))
    return Landscape(law, weights, 0.5 * (covariance + covariance.T), buckets)


def _posterior(
    law: int, rows: Rows, counts: F64, weights: F64, prior: tuple[F64, F64]
) -> tuple[float, F64, F64]:
    mean, precision = prior
    value, slope, curvature = summed(law, rows, weights, counts)
    off = weights - mean
    return (
        value - 0.5 * float(precision @ (off * off)),
        slope - precision * off,
        curvature - np.diag(precision),
    )


def _down(matrix: F64, least: F64) -> F64:
    """Answer the matrix with what curves the wrong way taken as flat as the prior alone."""
    values, vectors = np.linalg.eigh(matrix)
    if values[0] > 0.1 * float(least.min()):
        return matrix
    return (vectors * np.maximum(values, float(least.min()))) @ vectors.T
