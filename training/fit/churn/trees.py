"""Fitting the trees: LightGBM, small and regularised, without class weights or resampling.

Class weights and resampling would leave probabilities that mean nothing. Knows nothing of folds.
"""

from typing import Any

import lightgbm as lgb
import numpy as np
import numpy.typing as npt

from models.forest.dump import forest_from_dump
from models.forest.forest import Forest

F64 = npt.NDArray[np.float64]


def boost(
    x: F64, y: npt.ArrayLike, leaves: int, trees: int, *, seed: int = 0, threads: int = 1
) -> lgb.Booster:
    """Boost float64[n, f] against labels; least rows a leaf grow with n, from 20 to 100.

    Thresholds are drawn at random and the best of the draws is taken (Geurts and others, 2006):
    snapshots of one customer resemble each other, and finer cuts would learn them by heart.
    """
    rows = int(np.clip(len(x) // 100, 20, 100))
    params: dict[str, Any] = {
        "objective": "binary",
        "num_leaves": leaves,
        "learning_rate": 0.03,
        "min_data_in_leaf": rows,
        "lambda_l2": 20.0,
        "bagging_fraction": 0.8,
        "bagging_freq": 1,
        "feature_fraction": 0.4,
        "extra_trees": True,
        "seed": seed,
        "num_threads": threads,
        "deterministic": True,
        "force_row_wise": True,
        "verbosity": -1,
    }
    return lgb.train(params, lgb.Dataset(x, np.asarray(y, np.float64)), trees)


def forest_of(booster: lgb.Booster, trees: int) -> Forest:
    """Answer the first `trees` trees as arrays that need no LightGBM."""
    return forest_from_dump(booster.dump_model(num_iteration=trees))
