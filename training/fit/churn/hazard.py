"""Fitting the discrete-time hazard: each person once for each interval that was watched.

An interval that is not over by the end of the data is left out, so recent cut-offs count as far
as they go (Singer and Willett, 1993). Knows nothing of the calibrated score.
"""

import numpy as np
import numpy.typing as npt

from models.churn.hazard import Hazard
from training.fit.churn.trees import boost, forest_of

F64 = npt.NDArray[np.float64]
INTERVALS = 8
MOST_ROWS = 150_000
LEAST_EVENTS = 50
TREES = 200
LEAVES = 8


def fit_hazard(
    x: F64,
    waited: F64,
    watched: F64,
    horizon: float,
    rng: np.random.Generator,
    threads: int = 1,
) -> Hazard | None:
    """Fit float64[n, f]. waited: days until it ended (infinite: not). watched: days seen.

    Intervals are a quarter of the horizon; as many as have LEAST_EVENTS endings, at most 8.
    None when not even the first has.
    """
    step = horizon / 4
    parts: list[F64] = []
    ended: list[npt.NDArray[np.uint8]] = []
    for interval in range(INTERVALS):
        start, end = interval * step, (interval + 1) * step
        at_risk = np.flatnonzero((waited >= start) & (watched >= end))
        most = MOST_ROWS // INTERVALS
        if len(at_risk) > most:
            at_risk = np.sort(rng.choice(at_risk, most, replace=False))
        events = (waited[at_risk] < end).astype(np.uint8)
        if int(events.sum()) < LEAST_EVENTS:
            break
        parts.append(np.column_stack([x[at_risk], np.full(len(at_risk), float(interval))]))
        ended.append(events)
    if not parts:
        return None
    booster = boost(np.concatenate(parts), np.concatenate(ended), LEAVES, TREES, threads=threads)
    return Hazard(forest_of(booster, TREES), len(parts), step)
