"""Slates that do not repeat themselves: maximal marginal relevance over likeness.

Two items are alike as far as they share categories or stand together in the item graph.
Carbonell and Goldstein, "The use of MMR" (SIGIR 1998). Knows nothing of users.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from numba import njit

from models.recommend.catalogue import Codes, Scores
from models.recommend.lookup import Indices

Graph = tuple[npt.NDArray[np.int64], npt.NDArray[np.int32], npt.NDArray[np.float32]]

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


@njit(cache=True)
def _linked(offsets, targets, weights, one, dense, rows, found):
    start, stop = offsets[one], offsets[one + 1]
    most = np.float32(0)
    for edge in range(start, stop):
        dense[targets[edge]] = weights[edge]
        most = max(most, weights[edge])
    for row in range(rows.size):
        if most > 0 and rows[row] < dense.size:
            found[row] = max(found[row], dense[rows[row]] / most)
    for edge in range(start, stop):
        dense[targets[edge]] = 0.0


class Likeness:
    """How alike candidates are to one item: shared categories or an edge of the item graph.

    rows: the candidates' indices. graph: offsets, targets and weights of compressed sparse
    rows over the first indices, or None; an edge counts as a share of the item's heaviest.
    """

    def __init__(self, codes: Codes, rows: Indices, graph: Graph | None = None) -> None:
        self._codes, self._rows, self._graph = codes, rows, graph
        known = graph[0].size - 1 if graph else 0
        self._dense = np.zeros(known, np.float32)

    def __call__(self, place: int) -> Scores:
        """Answer the likeness of every candidate to that at `place`, 0 to 1."""
        one = int(self._rows[place])
        found = overlap(self._codes, self._rows, one)
        if self._graph is not None and one < self._dense.size:
            _linked(*self._graph, one, self._dense, self._rows, found)
        return found


def diversify(
    scores: Scores, k: int, diversity: float, alike: Callable[[int], Scores]
) -> npt.NDArray[np.intp]:
    """Choose up to `k` of the candidates, best first, and answer their places.

    scores: relevance of each candidate, higher is better. diversity: 0 keeps the order of
    relevance, 1 looks at likeness alone after the first place. alike(place): likeness of
    every candidate to the one at `place`, 0 to 1, in the shape of `scores`.
    """
    k = min(k, scores.size)
    order = np.empty(k, np.intp)
    if not k:
        return order
    span = scores.max() - scores.min()
    relevance = (scores - scores.min()) / span if span > 0 else np.ones_like(scores)
    relevance = relevance * np.float32(1 - diversity)
    nearest = np.zeros(scores.size, np.float32)
    best = int(scores.argmax())
    for place in range(k):
        if place:
            np.maximum(nearest, alike(int(order[place - 1])), out=nearest)
            best = int((relevance - np.float32(diversity) * nearest).argmax())
        order[place] = best
        relevance[best] = -np.inf
    return order
