"""Choosing a calibration out of fold: none, Platt, beta or isotonic, by log-loss.

"none" stays unless another is better by more than one standard error on rows it was not fitted
on. Knows nothing of the model whose probabilities it is given.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from models.calibration import BetaCurve, Calibration, Isotonic, Platt, Uncalibrated, inside, logit
from training.evaluate.probabilities import losses

F64 = npt.NDArray[np.float64]
RIDGE = 1e-3
LEAST_A_STEP = 20
"""Rows that one step of an isotonic calibration rests on, at least."""


def fit_none(p: F64, y: F64) -> Calibration:
    """Leave probabilities as they are."""
    return Uncalibrated()


def _logistic(columns: F64, y: F64, start: F64, bounds: list[tuple[float | None, None]]) -> F64:
    """Minimise the mean log-loss of columns @ q; q is kept near its start by a small ridge."""

    def loss(q: F64) -> tuple[float, F64]:
        z = columns @ q
        value = np.mean(np.logaddexp(0, z) - y * z) + RIDGE * np.sum((q - start) ** 2)
        off = 1 / (1 + np.exp(-np.clip(z, -500, 500))) - y
        return float(value), columns.T @ off / len(y) + 2 * RIDGE * (q - start)

    return minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x


def fit_platt(p: F64, y: F64) -> Calibration:
    """Fit slope and intercept on the log-odds."""
    columns = np.stack([logit(p), np.ones(len(p))], axis=1)
    q = _logistic(columns, y, np.array([1.0, 0.0]), [(0.0, None), (None, None)])
    return Platt(float(q[0]), float(q[1]))


def fit_beta(p: F64, y: F64) -> Calibration:
    """Fit the three numbers of the beta curve."""
    kept = inside(p)
    columns = np.stack([np.log(kept), -np.log1p(-kept), np.ones(len(p))], axis=1)
    start = np.array([1.0, 1.0, 0.0])
    q = _logistic(columns, y, start, [(0.0, None), (0.0, None), (None, None)])
    return BetaCurve(*(float(one) for one in q))


def fit_isotonic(p: F64, y: F64) -> Calibration:
    """Fit steps that never fall by pooling neighbours (Ayer and others, 1955).

    Each step rests on at least LEAST_A_STEP rows and its height is drawn towards one half by
    one row, so that no answer is certain.
    """
    order = np.argsort(p, kind="stable")
    chunks = np.array_split(order, max(1, len(order) // LEAST_A_STEP))
    blocks: list[list[float]] = []
    for chunk in chunks:
        blocks.append([float(p[chunk].sum()), float(y[chunk].sum()), float(len(chunk))])
        while len(blocks) > 1 and blocks[-2][1] * blocks[-1][2] >= blocks[-1][1] * blocks[-2][2]:
            last = blocks.pop()
            blocks[-1] = [a + b for a, b in zip(blocks[-1], last, strict=True)]
    points = [block[0] / block[2] for block in blocks]
    heights = np.maximum.accumulate([(block[1] + 0.5) / (block[2] + 1) for block in blocks])
    # Means of equal probabilities may differ by rounding, either way.
    keep: list[int] = []
    for k, point in enumerate(points):
        if not keep or point > points[keep[-1]]:
            keep.append(k)
    return Isotonic(tuple(points[k] for k in keep), tuple(float(heights[k]) for k in keep))


FITS: dict[str, Callable[[F64, F64], Calibration]] = {
    "none": fit_none,
    "platt": fit_platt,
    "beta": fit_beta,
    "isotonic": fit_isotonic,
}


class Chosen(NamedTuple):
    """The calibration, its name, and the log-loss of every candidate out of fold."""

    calibration: Calibration
    name: str
    log_loss: dict[str, float]


def choose_calibration(
    p: npt.ArrayLike,
    y: npt.ArrayLike,
    fold: npt.ArrayLike,
    owner: npt.NDArray[np.int64] | None = None,
) -> Chosen:
    """Choose on out-of-fold probabilities p of labels y; `fold` (int[n]) says which fold's.

    Each candidate is fitted on all folds but one and judged on that one. `owner` (int64[n])
    says whose each row is: one customer's rows at several cut-offs count as one observation.
    """
    p, y, fold = np.asarray(p, np.float64), np.asarray(y, np.float64), np.asarray(fold)
    parts = np.unique(fold)
    if len(parts) < 2:
        parts, fold = np.arange(5), np.arange(len(p)) % 5
    lost = {name: np.empty(len(p)) for name in FITS}
    for part in parts:
        out = fold == part
        for name, fit in FITS.items():
            lost[name][out] = losses(y[out], fit(p[~out], y[~out]).apply(p[out]))
    means = {name: float(one.mean()) for name, one in lost.items()}
    best = min(means, key=lambda name: means[name])
    gain = lost["none"] - lost[best]
    if owner is not None:
        _, place = np.unique(owner, return_inverse=True)
        gain = np.bincount(place, gain) / np.bincount(place).mean()
    if gain.mean() <= gain.std() / np.sqrt(len(gain)):
        best = "none"
    return Chosen(FITS[best](p, y), best, means)
