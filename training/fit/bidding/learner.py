"""Learning chances: small trees on hashed words and numbers, calibrated on later rows.

Labels may be chances themselves (conversions still to come), so the loss is cross-entropy. Without
enough outcomes everybody has the same rate. Knows nothing of what the outcome is.
"""

from typing import Any, NamedTuple

import lightgbm as lgb
import numpy as np
import numpy.typing as npt

from models.bidding.columns import CATEGORIES, NAMES
from models.bidding.model import Calibrated
from models.forest.dump import forest_from_dump
from models.forest.forest import Forest
from training.fit.bidding.settings import BiddingSettings

F64 = npt.NDArray[np.float64]

STEEPEST = 3.0
"""The calibrating slope is kept within 0 and this."""


PERSONAL = [place for place, name in enumerate(NAMES) if place not in CATEGORIES]
"""Columns that speak of the user: scores and numbers of views."""


def partly_blind(x: F64, settings: BiddingSettings) -> F64:
    """Answer rows of which a share says nothing of the user, drawn by the seed.

    Who may not be known is bid for as well; a forest that has always known everybody would
    guess about them.
    """
    blind = np.random.default_rng(settings.seed).random(len(x)) < settings.blind_share
    out = x.copy()
    out[np.ix_(np.flatnonzero(blind), np.array(PERSONAL))] = np.nan
    return out


def boost(x: F64, labels: F64, settings: BiddingSettings, trees: int) -> lgb.Booster:
    """Boost float64[n, columns] against labels 0 … 1."""
    return lgb.train(_params(settings, len(x)), _data(partly_blind(x, settings), labels), trees)


def rounds_of(
    train: tuple[F64, F64], later: tuple[F64, F64], settings: BiddingSettings
) -> tuple[lgb.Booster, int]:
    """Answer a booster learned from `train` and the number of trees best on `later`."""
    data = _data(partly_blind(train[0], settings), train[1])
    booster = lgb.train(
        _params(settings, len(train[0])),
        data,
        settings.most_trees,
        valid_sets=[_data(*later, like=data)],
        callbacks=[lgb.early_stopping(30, verbose=False)],
    )
    return booster, max(1, booster.best_iteration)


def _data(x: F64, labels: F64, like: lgb.Dataset | None = None) -> lgb.Dataset:
    return lgb.Dataset(
        x, labels, reference=like, categorical_feature=list(CATEGORIES), free_raw_data=False
    )


def _params(settings: BiddingSettings, rows: int) -> dict[str, Any]:
    least = int(np.clip(rows // 200, 20, 200))
    return {
        "objective": "cross_entropy",
        "num_leaves": settings.leaves,
        "learning_rate": settings.rate,
        "min_data_in_leaf": least,
        "lambda_l2": 10.0,
        # Rare words are pooled and drawn to the mean: a click on a site seen twice is luck.
        "cat_smooth": 50.0,
        "cat_l2": 30.0,
        "min_data_per_group": least,
        "bagging_fraction": 0.8,
        "bagging_freq": 1,
        "feature_fraction": 0.7,
        "seed": settings.seed,
        "num_threads": settings.threads,
        "deterministic": True,
        "force_row_wise": True,
        "verbosity": -1,
    }


class Line(NamedTuple):
    """A calibration of log-odds."""

    slope: float
    intercept: float


def calibrate(raw: F64, labels: F64) -> Line:
    """Answer the line of log-odds under which labels are most likely (Platt, 1999).

    A prior of a few outcomes keeps the slope near 1. Without an outcome nothing is changed.
    """
    if not labels.sum() > 0:
        return Line(1.0, 0.0)
    # Written around slope 1 and intercept 0: the ridge draws to leaving things as they are.
    centre = float(raw.mean())
    shifted = np.stack([raw - centre, np.ones(len(raw))], axis=1)
    found = _offset_logistic(shifted, labels, raw)
    slope = float(np.clip(1.0 + found[0], 0.0, STEEPEST))
    return Line(slope, float(found[1] - (slope - 1.0) * centre))


def _offset_logistic(x: F64, labels: F64, offset: F64, ridge: float = 2.0) -> F64:
    w = np.zeros(x.shape[1])
    for _ in range(50):
        p = 0.5 * (1 + np.tanh(0.5 * (offset + x @ w)))
        bend = (x * (p * (1 - p))[:, None]).T @ x + np.diag([ridge, 1e-3])
        step = np.linalg.solve(bend, x.T @ (labels - p) - np.array([ridge, 1e-3]) * w)
        step *= min(1.0, 1.0 / max(float(np.abs(step).max()), 1e-12))
        w = w + step
        if np.abs(step).max() < 1e-8:
            break
    return w


def calibrated(booster: lgb.Booster, trees: int, line: Line, mean: float) -> Calibrated:
    """Answer the first `trees` trees with their calibration, free of the library."""
    forest = forest_from_dump(booster.dump_model(num_iteration=trees))
    return Calibrated(forest, line.slope, line.intercept, mean)


def flat(mean: float) -> Calibrated:
    """Answer the same chance for everybody."""
    empty = {name: [] for name in _ARRAYS} | {name: [0] for name in _STARTS}
    forest = Forest.from_arrays({**empty, "features": [len(NAMES)]})
    return Calibrated(forest, 1.0, float(np.log(mean) - np.log1p(-mean)), mean)


_ARRAYS = (
    *("feature", "threshold", "kind", "missing_left", "left", "right", "cover", "bits"),
    *("value", "leaf_cover"),
)
_STARTS = ("splits", "leaves", "bits_start")


def chances(part: Calibrated, x: F64) -> F64:
    """Answer calibrated chances of rows float64[n, columns], before sane limits."""
    return 0.5 * (1 + np.tanh(0.5 * (part.slope * part.forest.raw(x) + part.intercept)))
