"""Fitting the linear part: logistic regression with a ridge, on bounded deviations.

Minimises the summed log-loss plus |w|^2 / (2 penalty), the intercept free, by Newton's method
with step halving (iteratively reweighted least squares). Knows nothing of trees.
"""

import numpy as np
import numpy.typing as npt

from models.churn.linear import Linear, standardised

F64 = npt.NDArray[np.float64]
ROUNDS = 50
SETTLED = 1e-9


def fit_linear(x: F64, y: npt.ArrayLike, penalty: float) -> Linear:
    """Fit float64[n, f] (NaN is missing) to labels; a larger `penalty` is a weaker ridge."""
    labels = np.asarray(y, np.float64)
    squeezed = np.copysign(np.log1p(np.abs(x)), x)
    known = ~np.isnan(x)
    count = np.maximum(known.sum(axis=0), 1)
    center = np.where(known, squeezed, 0.0).sum(axis=0) / count
    spread = np.sqrt((np.where(known, squeezed - center, 0.0) ** 2).sum(axis=0) / count)
    # A feature that never varies has nothing to say; dividing by 1 keeps it at 0.
    scale = np.where(spread > 1e-9, spread, 1.0)
    z = standardised(x, center, scale)
    means = z.mean(axis=0)
    z -= means
    useful = np.flatnonzero(z.any(axis=0))
    weights = np.zeros(z.shape[1])
    found = _newton(np.column_stack([z[:, useful], np.ones(len(z))]), labels, 1 / penalty)
    weights[useful] = found[:-1]
    return Linear(center, scale, weights, means, float(found[-1]))


def _loss(z: F64, labels: F64, q: F64, ridge: float) -> float:
    margin = z @ q
    return float(np.logaddexp(0, margin).sum() - labels @ margin + ridge * (q[:-1] @ q[:-1]) / 2)


def _newton(z: F64, labels: F64, ridge: float) -> F64:
    """Answer the minimum, float64[columns]; the last column of z is the intercept's."""
    rate = np.clip(labels.mean(), 1e-6, 1 - 1e-6)
    q = np.append(np.zeros(z.shape[1] - 1), np.log(rate / (1 - rate)))
    loss = _loss(z, labels, q, ridge)
    ridges = np.append(np.full(len(q) - 1, ridge), 1e-9)
    for _ in range(ROUNDS):
        p = 1 / (1 + np.exp(-np.clip(z @ q, -500, 500)))
        slope = z.T @ (p - labels) + ridges * q
        bend = (z * (p * (1 - p))[:, None]).T @ z
        bend[np.diag_indices(len(q))] += ridges
        step = np.linalg.solve(bend, slope)
        length = 1.0
        while length > 1e-6 and _loss(z, labels, q - length * step, ridge) > loss:
            length /= 2
        q = q - length * step
        fresh = _loss(z, labels, q, ridge)
        if loss - fresh <= SETTLED * max(1.0, abs(loss)):
            break
        loss = fresh
    return q
