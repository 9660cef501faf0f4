"""Ridge logistic regression by Newton's method, with the curvature at its end.

Small and dense: a handful of columns, any number of rows. Knows nothing of what the columns mean.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]

MOST_STEPS = 60
_NEAR = 1e-9


class Line(NamedTuple):
    """Weights float64[d], and the negative log-posterior's curvature float64[d, d] there."""

    weights: F64
    curvature: F64


def log_likelihood(x: F64, y: F64, weights: F64) -> float:
    """Answer Σ y·z − log(1 + e^z), z = x @ weights."""
    z = x @ weights
    return float(y @ z - np.logaddexp(0.0, z).sum())


def ridge_logistic(
    x: F64, y: F64, ridge: F64, weight: F64 | None = None, start: F64 | None = None
) -> Line:
    """Maximise Σ weight·log-likelihood − ½ Σ ridge·w²; y is 0 to 1, ridge float64[d].

    start: where to begin, 0 unless given; the end does not depend on it, the time does. Steps
    are halved until the objective rises. Raises ValueError for a ridge that is not above 0
    everywhere: without one, separable rows have no answer.
    """
    if np.any(ridge <= 0):
        raise ValueError("the ridge is above 0")
    weight = np.ones(len(x)) if weight is None else weight
    w = np.zeros(x.shape[1]) if start is None else start.copy()

    def objective(at: F64) -> float:
        z = x @ at
        return float(weight @ (y * z - np.logaddexp(0.0, z)) - 0.5 * ridge @ (at * at))

    value, curvature = objective(w), np.diag(ridge)
    for _ in range(MOST_STEPS):
        p = 0.5 * (1 + np.tanh(0.5 * (x @ w)))
        curvature = (x * (weight * p * (1 - p))[:, None]).T @ x + np.diag(ridge)
        step = np.linalg.solve(curvature, x.T @ (weight * (y - p)) - ridge * w)
        size, reached = 1.0, objective(w + step)
        while reached < value and size > _NEAR:
            size *= 0.5
            reached = objective(w + size * step)
        w = w + size * step
        risen, value = reached - value, reached
        if risen < _NEAR * (1 + abs(value)):
            break
    return Line(w, curvature)
