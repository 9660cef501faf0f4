"""The best k of n scores in one pass, without sorting all of them.

Ties go to the lower index, so the order is total and the first 10 of 50 are the 10 best.
"""

import numpy as np
from numba import njit

from models.recommend.member import Floats, Ints

_EVERYTHING = np.ones(0, np.bool_)
_STRETCH = 32
"""Scores looked at together, in vector lanes: most stretches hold none of the best."""


@njit(cache=True, nogil=True, error_model="numpy")
def _worse(score: float, index: int, other: float, other_index: int) -> bool:
    return score < other or (score == other and index > other_index)


@njit(cache=True, nogil=True, error_model="numpy")
def _sink(scores: np.ndarray, indices: np.ndarray, place: int, size: int) -> None:
    """Restore a heap whose root is the worst, after the entry at `place` was replaced."""
    score, index = scores[place], indices[place]
    while True:
        child = 2 * place + 1
        if child >= size:
            break
        right = child + 1
        if right < size and _worse(scores[right], indices[right], scores[child], indices[child]):
            child = right
        if not _worse(scores[child], indices[child], score, index):
            break
        scores[place], indices[place] = scores[child], indices[child]
        place = child
    scores[place], indices[place] = score, index


@njit(cache=True, nogil=True, error_model="numpy")
def select(scores: np.ndarray, allowed: np.ndarray, out: np.ndarray) -> int:
    """Write the best item numbers to `out` (int32[k]), best first; answer how many there were.

    `allowed` is bool[n], or empty to allow every item. Not-a-number and minus infinity are
    never selected. The heap takes O(n + found * log k) steps.
    """
    k = out.shape[0]
    masked = allowed.shape[0] > 0
    best = np.empty(k, np.float32)
    size = 0
    floor = np.float32(-np.inf)
    if k == 0:
        return 0
    for start in range(0, scores.shape[0], _STRETCH):
        stretch = scores[start : start + _STRETCH]
        above = 0
        for i in range(stretch.shape[0]):
            above += stretch[i] > floor
        if above == 0:
            continue
        for i in range(start, start + stretch.shape[0]):
            score = scores[i]
            # Later items lose ties, so only a strictly better score can enter a full heap.
            if not score > floor or (masked and not allowed[i]):
                continue
            if size < k:
                best[size] = score
                out[size] = i
                size += 1
                if size == k:
                    for place in range(k // 2 - 1, -1, -1):
                        _sink(best, out, place, k)
                    floor = best[0]
            else:
                best[0] = score
                out[0] = i
                _sink(best, out, 0, k)
                floor = best[0]
    if size < k:
        for place in range(size // 2 - 1, -1, -1):
            _sink(best, out, place, size)
    for last in range(size - 1, 0, -1):
        best[0], best[last] = best[last], best[0]
        out[0], out[last] = out[last], out[0]
        _sink(best, out, 0, last)
    return size


def top_k(scores: Floats, k: int, allowed: np.ndarray | None = None) -> Ints:
    """Answer int32 of at most `k` item numbers, best score first, ties by lower number.

    scores: float32[n]; not-a-number and minus infinity are never among the best.
    allowed: bool[n], or None for every item.
    """
    out = np.empty(max(0, min(k, scores.shape[0])), np.int32)
    return out[: select(scores, _EVERYTHING if allowed is None else allowed, out)]
