"""The best k of n scores in one pass, without sorting all of them.

Ties go to the lower index, so the order is total and the first 10 of 50 are the 10 best.
"""

import numpy as np
import numpy.typing as npt
from numba import njit

from models.recommend.member import Floats, Ints

Rounded = npt.NDArray[np.float64]
DIGITS = 5
"""Decimals of a score in an answer."""
_STEPS = 10.0**DIGITS
_EVERYTHING = np.ones(0, np.bool_)
_LEAST = np.int32(-(2**31))
_INFINITY = np.int32(0x7F800000)
"""The bits of infinity; above them are those of not-a-number."""
_ALL_BUT_SIGN = np.int32(0x7FFFFFFF)
_STRETCH = 32
"""Scores looked at together, in vector lanes: most stretches hold none of the best."""
_FIRST = 20
"""Stretches of the highest scores, looked at before the others."""


@njit(cache=True, nogil=True, error_model="numpy")
def _key(bits: np.int32) -> np.int32:
    """Answer a whole number ordered as the float32 of these bits; not-a-number is the least.

    Whole numbers, because a maximum of floats is not found in vector lanes unless
    not-a-number is ruled out. Minus infinity is the least too; minus zero is zero.
    """
    size = bits & _ALL_BUT_SIGN
    key = size if bits >= 0 else -size
    return key if size < _INFINITY or bits == _INFINITY else _LEAST


@njit(cache=True, nogil=True, error_model="numpy")
def _worse(
    key: np.int32 | int, index: int, other: np.int32 | int, other_index: int
) -> bool | np.bool_:
    return key < other or (key == other and index > other_index)


@njit(cache=True, nogil=True, error_model="numpy")
def _sink(keys: np.ndarray, indices: np.ndarray, place: int, size: int) -> None:
    """Restore a heap whose root is the worst, after the entry at `place` was replaced."""
    key, index = keys[place], indices[place]
    while True:
        child = 2 * place + 1
        if child >= size:
            break
        right = child + 1
        if right < size and _worse(keys[right], indices[right], keys[child], indices[child]):
            child = right
        if not _worse(keys[child], indices[child], key, index):
            break
        keys[place], indices[place] = keys[child], indices[child]
        place = child
    keys[place], indices[place] = key, index


@njit(cache=True, nogil=True, error_model="numpy")
def _offer(key: np.int32 | int, index: int, best: np.ndarray, out: np.ndarray, size: int) -> int:
    """Put a key into the heap of the best unless it is full of better ones; answer its size."""
    k = out.shape[0]
    if size < k:
        best[size], out[size] = key, index
        if size + 1 == k:
            for place in range(k // 2 - 1, -1, -1):
                _sink(best, out, place, k)
        return size + 1
    if _worse(best[0], out[0], key, index):
        best[0], out[0] = key, index
        _sink(best, out, 0, k)
    return size


@njit(cache=True, nogil=True, error_model="numpy")
def _in_order(best: np.ndarray, out: np.ndarray, size: int) -> None:
    """Sort the first `size` entries of a heap, best first; it is none yet when not full."""
    if size < out.shape[0]:
        for place in range(size // 2 - 1, -1, -1):
            _sink(best, out, place, size)
    for last in range(size - 1, 0, -1):
        best[0], best[last] = best[last], best[0]
        out[0], out[last] = out[last], out[0]
        _sink(best, out, 0, last)


@njit(cache=True, nogil=True, error_model="numpy")
def _height(bits: np.ndarray) -> np.int32:
    """Answer the highest key of a stretch; not-a-number may raise it, never lower it."""
    height = _LEAST
    for i in range(bits.shape[0]):
        minus = bits[i] >> np.int32(31)
        height = max(height, ((bits[i] & _ALL_BUT_SIGN) ^ minus) - minus)
    return height


@njit(cache=True, nogil=True, error_model="numpy")
def select(scores: np.ndarray, allowed: np.ndarray, out: np.ndarray) -> int:
    """Write the best item numbers to `out` (int32[k]), best first; answer how many there were.

    `allowed` is bool[n], or empty to allow every item. Not-a-number and minus infinity are
    never selected. One pass in vector lanes finds the best of every stretch. The stretches of
    the highest are looked at item by item first: after them few others are worth a look.
    """
    k, n = out.shape[0], scores.shape[0]
    if k == 0:
        return 0
    masked = allowed.shape[0] > 0
    bits = scores.view(np.int32)
    heights = np.empty((n + _STRETCH - 1) // _STRETCH, np.int32)
    for place in range(heights.shape[0]):
        heights[place] = _height(bits[place * _STRETCH : min((place + 1) * _STRETCH, n)])
    best = np.empty(k, np.int32)
    size, floor = 0, _LEAST + np.int32(1)
    for turn in range(-min(_FIRST, heights.shape[0]), heights.shape[0]):
        place = turn if turn >= 0 else np.argmax(heights)
        if heights[place] < floor:
            continue
        heights[place] = _LEAST
        for i in range(place * _STRETCH, min((place + 1) * _STRETCH, n)):
            key = _key(bits[i])
            if key >= floor and not (masked and not allowed[i]):
                size = _offer(key, i, best, out, size)
                if size == k:
                    floor = best[0]
    _in_order(best, out, size)
    return size


def top_k(scores: Floats, k: int, allowed: np.ndarray | None = None) -> Ints:
    """Answer int32 of at most `k` item numbers, best score first, ties by lower number.

    scores: float32[n]; not-a-number and minus infinity are never among the best.
    allowed: bool[n], or None for every item.
    """
    out = np.empty(max(0, min(k, scores.shape[0])), np.int32)
    return out[: select(scores, _EVERYTHING if allowed is None else allowed, out)]


@njit(cache=True, nogil=True, error_model="numpy")
def _take(
    scores: np.ndarray, allowed: np.ndarray, least: float, out: np.ndarray, values: np.ndarray
) -> int:
    size = select(scores, allowed, out)
    while size and not scores[out[size - 1]] > least:
        size -= 1
    for i in range(size):
        allowed[out[i]] = False
        values[i] = np.rint(np.float64(scores[out[i]]) * _STEPS) / _STEPS
    return size


def take(scores: Floats, k: int, allowed: np.ndarray, floor: float) -> tuple[Ints, Rounded]:
    """Take up to `k` of the first n items of bool[m] `allowed` that score above `floor`.

    Answers their numbers, best first, and their scores rounded to DIGITS: float32 holds no
    more, and short numbers travel and print faster. They are no longer allowed afterwards.
    """
    room = min(k, scores.shape[0])
    out, values = np.empty(room, np.int32), np.empty(room, np.float64)
    size = _take(scores, allowed, floor, out, values) if room else 0
    return out[:size], values[:size]
