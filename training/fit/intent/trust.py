"""What confidence is learned from: validation answers, beside what came of them.

Knows nothing of how the answers were made; see models.intent.confidence for the meaning.
"""

import numpy as np
import numpy.typing as npt

from models.intent.confidence import BOLDEST, PLACES, SHYEST, Confidence, place_row
from training.evaluate.probabilities import auc

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
ASKED_AT = (1, 2, 3, 5, 8)
"""Places whose skill is looked at."""
ENOUGH = 50
"""Answers of either kind at a place, below which its skill says nothing."""
QUANTILES = 101


def half_of(place: I64, y: npt.NDArray[np.uint8], odds: F64) -> float:
    """Answer after how many events half of the skill (2 · area - 1) of long sessions is there.

    The k / (k + half) nearest to the skill seen at ASKED_AT, within its bounds; the middle
    where too little was seen.
    """
    seen: list[tuple[int, float, float]] = []
    for k in ASKED_AT:
        rows = place == k
        yes = int(y[rows].sum())
        few = min(yes, int(rows.sum()) - yes)
        if few >= ENOUGH:
            seen.append((k, max(0.0, 2 * auc(y[rows], odds[rows]) - 1), few))
    if len(seen) < 2:
        return (SHYEST + BOLDEST) / 2
    k, skill, weight = (np.array(column) for column in zip(*seen, strict=True))
    best, found = np.inf, SHYEST
    for half in np.linspace(SHYEST, BOLDEST, 31):
        shape = k / (k + half)
        most = (weight * shape * skill).sum() / (weight * shape**2).sum()
        error = float((weight * (skill - most * shape) ** 2).sum())
        if error < best - 1e-12:
            best, found = error, float(half)
    return found


def learn_confidence(
    place: I64, y: npt.NDArray[np.uint8], odds: F64, width: F64 | None, known: F64
) -> Confidence:
    """Learn from n answers: place int64[n], odds float64[n], width float64[n] of heads (None
    without a network), known float64[n, 3] (see vocabulary.Words)."""
    there = ~np.isnan(known)
    count = there.sum(axis=0)
    usual = np.where(there, known, 0.0).sum(axis=0) / np.maximum(count, 1)
    widths = np.zeros((len(PLACES), 0))
    if width is not None:
        asked = np.linspace(0, 1, QUANTILES)
        rows = place_row(place)
        # A place that too few sessions reached is held against all places.
        parts = [width[rows == row] for row in range(len(PLACES))]
        parts = [part if len(part) >= ENOUGH else width for part in parts]
        widths = np.maximum.accumulate([np.quantile(part, asked) for part in parts], axis=1)
    return Confidence(half_of(place, y, odds), usual, widths)
