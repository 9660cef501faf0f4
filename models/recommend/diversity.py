"""Slates that do not repeat themselves: maximal marginal relevance over likeness.

Two items are alike as far as they share categories or stand together in the item graph.
Carbonell and Goldstein, "The use of MMR" (SIGIR 1998). Knows nothing of users.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from numba import njit

from models.recommend.catalogue import Codes
from models.recommend.lookup import Indices

Scores = npt.NDArray[np.float32]

POOL_FACTOR = 4
POOL_LEAST = 100
POOL_MOST = 1_000


def pool_size(k: int) -> int:
    """Answer how many candidates compete for `k` places of a diverse slate."""
    return min(max(POOL_FACTOR * k, POOL_LEAST), POOL_MOST)


@njit(cache=True)
def _overlap(codes, rows, one, found):
    width = codes.shape[1]
    held = 0
    for place in range(width):
        if codes[one, place] >= 0:
            held += 1
    for row in range(rows.size):
        index = rows[row]
        own = 0
        shared = 0
        for left in range(width):
            code = codes[index, left]
            if code < 0:
                continue
            own += 1
            for right in range(width):
                if codes[one, right] == code:
                    shared += 1
                    break
        union = own + held - shared
        found[row] = shared / union if union else 0.0


def overlap(codes: Codes, rows: Indices, one: int) -> Scores:
    """Answer the Jaccard likeness of item `one` to each of `rows` by category, 0 to 1."""
    found = np.empty(rows.size, np.float32)
    _overlap(codes, rows, one, found)
    return found


def diversify(
    rows: Indices,
    scores: Scores,
    k: int,
    diversity: float,
    alike: Callable[[int], Scores],
) -> npt.NDArray[np.intp]:
    """Choose up to `k` of the candidates `rows`, best first, and answer their positions.

    scores: relevance of each candidate, higher is better. diversity: 0 keeps the order of
    relevance, 1 looks at likeness alone after the first place. alike(index): likeness of
    every candidate to the item `index`, 0 to 1, shape of `rows`.
    """
    k = min(k, rows.size)
    if not k:
        return np.zeros(0, np.intp)
    span = float(scores.max() - scores.min())
    relevance = (scores - scores.min()) / np.float32(span) if span else np.ones_like(scores)
    relevance = relevance * np.float32(1 - diversity)
    nearest = np.zeros(rows.size, np.float32)
    open_ = np.ones(rows.size, np.bool_)
    order = np.empty(k, np.intp)
    best = int(scores.argmax())
    for place in range(k):
        if place:
            np.maximum(nearest, alike(int(rows[order[place - 1]])), out=nearest)
            value = np.where(open_, relevance - np.float32(diversity) * nearest, -np.inf)
            best = int(value.argmax())
        order[place] = best
        open_[best] = False
    return order
