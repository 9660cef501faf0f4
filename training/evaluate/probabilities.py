"""How good probabilities are: order, sharpness and honesty, each with its interval.

Area under the curve by ranks (Hanley and McNeil, 1982), log-loss, average precision, lift of the
top tenth, and calibration held against what a perfectly calibrated model would show by chance.
Knows nothing of models.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from models.bundle import Metric

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
BINS = 15
CERTAIN = 1e-12


def auc(y: npt.ArrayLike, score: npt.ArrayLike, weight: F64 | None = None) -> float:
    """Answer the chance that a leaver scores above a stayer, ties half; NaN with one label only."""
    y, score = np.asarray(y, np.float64), np.asarray(score, np.float64)
    w = np.ones(len(y)) if weight is None else weight
    _, place = np.unique(score, return_inverse=True)
    leavers = np.bincount(place, weights=w * y)
    stayers = np.bincount(place, weights=w * (1 - y))
    below = np.cumsum(stayers) - stayers
    pairs = leavers.sum() * stayers.sum()
    return float((leavers * (below + stayers / 2)).sum() / pairs) if pairs > 0 else float("nan")


def losses(y: npt.ArrayLike, p: npt.ArrayLike) -> F64:
    """Answer -ln of the probability given to what happened, float64[n]."""
    y, p = np.asarray(y), np.clip(np.asarray(p, np.float64), CERTAIN, 1 - CERTAIN)
    return -np.where(y > 0, np.log(p), np.log1p(-p))


def average_precision(y: npt.ArrayLike, score: npt.ArrayLike, weight: F64 | None = None) -> float:
    """Answer the mean precision at each leaver, ties taken together; NaN without leavers."""
    y, score = np.asarray(y, np.float64), np.asarray(score, np.float64)
    w = np.ones(len(y)) if weight is None else weight
    _, place = np.unique(-score, return_inverse=True)
    leavers = np.bincount(place, weights=w * y)
    all_ = np.bincount(place, weights=w)
    found, seen = np.cumsum(leavers), np.cumsum(all_)
    if found[-1] <= 0:
        return float("nan")
    precision = np.divide(found, seen, out=np.zeros(len(seen)), where=seen > 0)
    return float((leavers * precision).sum() / found[-1])


def top_lift(y: npt.ArrayLike, score: npt.ArrayLike, share: float = 0.1) -> float:
    """Answer how many times more leavers the top `share` holds than anybody would by chance."""
    y, score = np.asarray(y, np.float64), np.asarray(score, np.float64)
    count = max(1, round(share * len(y)))
    top = np.argsort(-score, kind="stable")[:count]
    return float(y[top].mean() / y.mean()) if y.mean() > 0 else float("nan")


class CalibrationCheck(NamedTuple):
    """error: expected calibration error over 15 bins of equal count. p: the share of redrawn
    labels whose error is as large, if the probabilities were right. slope, intercept: of the
    logistic regression of labels on log-odds; 1 and 0 when right (Cox, 1958)."""

    error: float
    p: float
    slope: float
    intercept: float


def _bin_error(y: F64, p: F64, starts: I64) -> F64:
    sums = np.add.reduceat(y - p, starts, axis=-1)
    return np.abs(sums).sum(axis=-1) / p.shape[-1]


def calibration_check(
    y: npt.ArrayLike, p: npt.ArrayLike, seed: int = 0, rounds: int = 1000
) -> CalibrationCheck:
    """Hold probabilities against their own null: labels redrawn from them (Vaicenavicius, 2019)."""
    y, p = np.asarray(y, np.float64), np.clip(np.asarray(p, np.float64), CERTAIN, 1 - CERTAIN)
    order = np.argsort(p, kind="stable")
    y, p = y[order], p[order]
    starts = np.unique(np.linspace(0, len(p), min(BINS, len(p)), endpoint=False).astype(np.int64))
    error = float(_bin_error(y, p, starts))
    rng = np.random.default_rng(seed)
    redrawn = [
        float(_bin_error((rng.random(len(p)) < p).astype(np.float64), p, starts))
        for _ in range(rounds)
    ]
    at_least = sum(one >= error for one in redrawn)
    slope, intercept = _cox(y, np.log(p) - np.log1p(-p))
    return CalibrationCheck(error, (1 + at_least) / (1 + rounds), slope, intercept)


def _cox(y: F64, log_odds: F64) -> tuple[float, float]:
    def loss(q: F64) -> tuple[float, F64]:
        z = q[0] * log_odds + q[1]
        p = 1 / (1 + np.exp(-np.clip(z, -500, 500)))
        value = float(np.mean(np.logaddexp(0, z) - y * z))
        return value, np.array([np.mean((p - y) * log_odds), np.mean(p - y)])

    if np.ptp(log_odds) == 0 or not 0 < y.mean() < 1:
        return float("nan"), float("nan")
    found = minimize(loss, np.array([1.0, 0.0]), jac=True, method="BFGS")
    return float(found.x[0]), float(found.x[1])


def measure(
    y: npt.NDArray[np.uint8],
    scores: Mapping[str, F64],
    owner: I64,
    *,
    seed: int = 0,
    rounds: int = 300,
) -> dict[str, Metric]:
    """Answer metrics of "model" plain and of the others as `<name>_<metric>`, with intervals.

    scores: name → float64[n], probabilities. owner: int64[n], whose row it is: customers are
    redrawn, not rows, because one customer's rows at several cut-offs are not independent
    (Davison and Hinkley, 1997, section 3.8).
    """
    owners, place = np.unique(owner, return_inverse=True)
    rng = np.random.default_rng(seed)
    draws = [
        np.bincount(rng.integers(0, len(owners), len(owners)), minlength=len(owners))[place].astype(
            np.float64
        )
        for _ in range(rounds)
    ]
    base = _interval(float(np.mean(y)), [float(np.average(y, weights=w)) for w in draws])
    out = {"base_rate": base}
    for name, p in scores.items():
        prefix = "" if name == "model" else f"{name}_"
        lost = losses(y, p)
        out[prefix + "auc"] = _interval(auc(y, p), [auc(y, p, w) for w in draws])
        out[prefix + "log_loss"] = _interval(
            float(lost.mean()), [float(np.average(lost, weights=w)) for w in draws]
        )
        if name == "model":
            precision = [average_precision(y, p, w) for w in draws]
            out["average_precision"] = _interval(average_precision(y, p), precision)
    for name, p in scores.items():
        if name != "model":
            gains = losses(y, p) - losses(y, scores["model"])
            means = [float(np.average(gains, weights=w)) for w in draws]
            out[f"gain_over_{name}"] = _interval(float(gains.mean()), means)
    lift = top_lift(y, scores["model"])
    check = calibration_check(y, scores["model"], seed)
    out["top_decile_lift"] = Metric(lift, lift, lift)
    for field, value in zip(CalibrationCheck._fields, check, strict=True):
        out[f"calibration_{field}"] = Metric(value, value, value)
    return out


def _interval(value: float, drawn: list[float]) -> Metric:
    good = np.array([one for one in drawn if one == one])
    if not len(good):
        return Metric(value, value, value)
    low, high = np.percentile(good, [2.5, 97.5])
    return Metric(value, min(float(low), value), max(float(high), value))
