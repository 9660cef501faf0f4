"""Boosted trees on aggregates and last events: the rival that is hardest to beat, or champion.

Small trees with random thresholds, so that they are served from plain arrays (models.forest) and
do not learn users by heart. How many trees and leaves is chosen on the latest of the events to
learn from. Knows nothing of the events that test it.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from models.calibration import sigmoid
from models.forest.forest import Forest
from models.intent.features import NAMES, rows
from training.evaluate.probabilities import losses
from training.fit.churn.trees import boost, forest_of
from training.fit.intent.sessions import Sessions

F64 = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
LEAVES = (4, 8)
TREES = (100, 200, 400)
MOST_ROWS = 200_000
LATEST = 0.25
"""The share of the users' sessions, the last to begin, that the size is chosen on."""

_CHUNK = 262_144


def rows_of(sessions: Sessions) -> F64:
    """Answer float64[n, NAMES], the row after every event; see models.intent.features."""
    columns = (
        sessions.kinds,
        sessions.items,
        sessions.categories,
        sessions.values,
        sessions.ats,
    )
    return rows(sessions.offsets, columns, sessions.prior, sessions.echoes)


@dataclass(frozen=True, eq=False)
class Trees:
    """forest: over NAMES. trials: what was tried and its log-loss."""

    forest: Forest
    trials: tuple[dict[str, Any], ...] = ()

    def log_odds(self, sessions: Sessions) -> F64:
        """Answer float64[n], the log-odds after every event."""
        out = np.empty(len(sessions.ats))
        # Whole sessions at a time: a table of a million events need not have its rows at once.
        cuts = np.searchsorted(sessions.offsets, np.arange(0, len(out) + _CHUNK, _CHUNK))
        for a, b in pairwise(cuts):
            part = sessions.take(np.arange(a, min(b, len(sessions))))
            first = sessions.offsets[a]
            out[first : first + len(part.ats)] = self.forest.raw(rows_of(part))
        return out

    def __call__(self, sessions: Sessions) -> F64:
        """Answer float64[n], the probability after every event."""
        return sigmoid(self.log_odds(sessions))


def _drawn(flags: Flags, most: int, seed: int) -> npt.NDArray[np.int64]:
    places = np.flatnonzero(flags)
    if len(places) <= most:
        return places
    return np.sort(np.random.default_rng(seed).choice(places, most, replace=False))


def _some(sessions: Sessions, places: npt.NDArray[np.int64]) -> F64:
    """Answer the rows after the events at `places` (rising)."""
    chosen = np.unique(sessions.session[places])
    part = sessions.take(chosen)
    kept = np.zeros(len(sessions.ats), np.bool_)
    kept[places] = True
    inside = np.zeros(len(sessions), np.bool_)
    inside[chosen] = True
    return rows_of(part)[kept[inside[sessions.session]]]


def fit_trees(
    sessions: Sessions,
    y: npt.NDArray[np.uint8],
    learn: npt.ArrayLike,
    *,
    threads: int = 1,
    seed: int = 0,
) -> Trees:
    """Fit on the events flagged in bool[n] `learn`, MOST_ROWS of them at most; y: uint8[n]."""
    flags = np.asarray(learn, np.bool_)
    places = _drawn(flags, MOST_ROWS, seed)
    x, labels = _some(sessions, places), y[places]
    begun = sessions.starts[sessions.session[places]]
    late = begun > np.quantile(begun, 1 - LATEST, method="lower")
    trials: list[dict[str, Any]] = []
    best = (np.inf, LEAVES[0], TREES[0])
    if late.any() and len(np.unique(labels[~late])) == 2:
        for leaves in LEAVES:
            early = boost(x[~late], labels[~late], leaves, max(TREES), seed=seed, threads=threads)
            for trees in TREES:
                odds = np.asarray(early.predict(x[late], num_iteration=trees, raw_score=True))
                loss = float(losses(labels[late], sigmoid(odds)).mean())
                trials.append({"leaves": leaves, "trees": trees, "log_loss": loss})
                if loss < best[0] - 1e-6:
                    best = (loss, leaves, trees)
    _, leaves, trees = best
    booster = boost(x, labels, leaves, trees, seed=seed, threads=threads)
    forest = forest_of(booster, trees)
    assert forest.features == len(NAMES)
    return Trees(forest, tuple(trials))
