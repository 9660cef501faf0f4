"""Churn of everyone in the log as of a time, as a Parquet file.

Columns: user, probability, confidence, log_odds, survival at half, one and two horizons (null
without a hazard), the three strongest groups of features, as_of, the model and its definition.
Knows nothing of bands, value or sentences: the sweep adds those.
"""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from models.churn.model import ChurnModel
from training.score_log import Crowd, score_everyone

_CHUNK = 50_000
_STRONGEST = 3


def scored(crowd: Crowd, model: ChurnModel) -> pl.DataFrame:
    """Answer one row a user, in the crowd's order."""
    starts = range(0, len(crowd.users), _CHUNK)
    return pl.concat([_frame(crowd.part(slice(k, k + _CHUNK)), model) for k in starts])


def _frame(crowd: Crowd, model: ChurnModel) -> pl.DataFrame:
    n = len(crowd.users)
    x = model.matrix(crowd.rows, crowd.people)
    found = model.score_many(x)
    assert found.contributions is not None
    groups = list(dict.fromkeys(model.groups))
    sums = np.zeros((n, len(groups)))
    for place, group in enumerate(model.groups):
        sums[:, groups.index(group)] += found.contributions[:, place]
    strongest = np.argsort(-np.abs(sums), axis=1)[:, :_STRONGEST]
    horizon = model.horizon_days
    curve = model.survival(x, [horizon / 2, horizon, 2 * horizon], found.probability)
    columns: dict[str, Any] = {
        "user": crowd.users,
        "probability": found.probability,
        "confidence": found.confidence,
        "log_odds": found.log_odds,
        "survival": [None] * n if curve is None else curve.tolist(),
        "groups": [[groups[place] for place in row] for row in strongest],
        "shares": np.take_along_axis(sums, strongest, axis=1).tolist(),
    }
    schema = {"survival": pl.List(pl.Float64), "shares": pl.List(pl.Float64)}
    return pl.DataFrame(columns, schema_overrides=schema).with_columns(
        pl.lit(value).alias(name)
        for name, value in model.definition.items()
        if not isinstance(value, list)
    )


def score(out: Path, as_of: str | None, version: str | None) -> int:
    """Score the log of the deployment; answer how many rows were written. See score_everyone."""
    return score_everyone("churn", scored, out, as_of, version).height
