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
_LANES, _DEEP = 16, 32
"""Scores are looked at _LANES * _DEEP at once, in vector lanes; a stretch is every _LANES-th."""
_BLOCK = _LANES * _DEEP
_LAST = 0xFFFFFFFF


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _key(bits: np.int32) -> np.int32:
    """Answer a whole number ordered as the float32 of these bits; not-a-number is the least.

    Whole numbers, because a maximum of floats is not found in vector lanes unless
    not-a-number is ruled out. Minus infinity is the least too; minus zero is zero.
    """
    size, minus = bits & _ALL_BUT_SIGN, bits >> np.int32(31)
    number = (size < _INFINITY) | (bits == _INFINITY)
    return (size ^ minus) - minus if number else _LEAST


@njit(cache=True, nogil=True, error_model="numpy")
def _heights(bits: np.ndarray, allowed: np.ndarray, heights: np.ndarray) -> None:
    """Write the highest key of every stretch among the allowed."""
    keys = np.empty(_BLOCK, np.int32)
    for block in range(heights.shape[0] // _LANES):
        row = bits[block * _BLOCK : (block + 1) * _BLOCK]
        for i in range(_BLOCK):
            keys[i] = _key(row[i])
        if allowed.shape[0] > 0:
            may = allowed[block * _BLOCK : (block + 1) * _BLOCK]
            for i in range(_BLOCK):
                keys[i] = keys[i] if may[i] else _LEAST
        width = _BLOCK >> 1
        while width >= _LANES:
            for i in range(width):
                keys[i] = max(keys[i], keys[width + i])
            width >>= 1
        for lane in range(_LANES):
            heights[block * _LANES + lane] = keys[lane]


@njit(cache=True, nogil=True, error_model="numpy")
def _part(values: np.ndarray, k: int) -> None:
    """Put the k largest first, in no order (Hoare's selection); 1 <= k <= len(values)."""
    low, high = 0, values.shape[0] - 1
    while low < high:
        one, two, three = values[low], values[(low + high) >> 1], values[high]
        pivot = max(min(one, two), min(max(one, two), three))
        i, j = low, high
        while i <= j:
            while values[i] > pivot:
                i += 1
            while values[j] < pivot:
                j -= 1
            if i <= j:
                values[i], values[j] = values[j], values[i]
                i, j = i + 1, j - 1
        if k - 1 <= j:
            high = j
        elif k - 1 >= i:
            low = i
        else:
            return


@njit(cache=True, nogil=True, error_model="numpy")
def _worth_a_look(heights: np.ndarray, k: int) -> np.int32:
    """Answer a key that at least k allowed scores reach, if there are so many stretches."""
    floor = _LEAST + np.int32(1)
    if heights.shape[0] >= k:
        highest = heights.copy()
        _part(highest, k)
        floor = max(floor, highest[:k].min())
    return floor


@njit(cache=True, nogil=True, error_model="numpy")
def _put(
    bits: np.int32, may: bool | np.bool_, floor: np.int32, i: int, found: np.ndarray, size: int
) -> int:
    """Write key and number of an item in one word, the lower number higher; keep it if wanted."""
    key = _key(bits)
    found[size] = (np.int64(key) << 32) | np.int64(_LAST - i)
    return size + int((key >= floor) & may)


@njit(cache=True, nogil=True, error_model="numpy")
def select(scores: np.ndarray, allowed: np.ndarray, out: np.ndarray) -> int:
    """Write the best item numbers to `out` (int32[k]), best first; answer how many there were.

    `allowed` is bool[n], or empty to allow every item. Not-a-number and minus infinity are
    never selected. One pass in vector lanes finds the best of every stretch; the k-th of those
    is reached by k scores at least, so what is below it, nearly everything, is not looked at.
    """
    k, n = out.shape[0], scores.shape[0]
    if k == 0:
        return 0
    every, bits = allowed.shape[0] == 0, scores.view(np.int32)
    heights = np.empty(n // _BLOCK * _LANES, np.int32)
    _heights(bits, allowed, heights)
    floor = _worth_a_look(heights, k)
    rest, room = n // _BLOCK * _BLOCK, 1
    for place in range(heights.shape[0]):
        room += _DEEP * (heights[place] >= floor)
    found, size = np.empty(room + n - rest, np.int64), 0
    for place in range(heights.shape[0]):
        if heights[place] >= floor:
            first = place // _LANES * _BLOCK + place % _LANES
            for i in range(first, first + _BLOCK, _LANES):
                size = _put(bits[i], every or allowed[i], floor, i, found, size)
    for i in range(rest, n):
        size = _put(bits[i], every or allowed[i], floor, i, found, size)
    if size > k:
        _part(found[:size], k)
        size = k
    best = found[:size]
    best.sort()
    for place in range(size):
        out[place] = np.int32(_LAST - (best[size - 1 - place] & _LAST))
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


@njit(cache=True, nogil=True, error_model="numpy")
def _take_known(
    out: np.ndarray, scores: np.ndarray, least: float, allowed: np.ndarray, values: np.ndarray
) -> bool:
    if not (scores[out[-1]] > least and scores[out[0]] < np.inf):
        return False
    for i in range(out.shape[0]):
        if not allowed[out[i]]:
            return False
        values[i] = np.rint(np.float64(scores[out[i]]) * _STEPS) / _STEPS
    for i in range(out.shape[0]):
        allowed[out[i]] = False
    return True


def take_known(
    best: Ints | None, scores: Floats, k: int, allowed: np.ndarray, floor: float
) -> tuple[Ints, Rounded] | None:
    """Take as `take` does, from the best in their order, as somebody has found them already.

    best: int32[b], their scores each above the next and those of all others that were allowed
    when they were found; None where nobody looked. Answers None where `take` has to look for
    itself: fewer than k of them, or not all allowed or above the floor, or endless scores.
    """
    if best is None or not 0 < k <= best.shape[0]:
        return None
    out, values = best[:k], np.empty(k, np.float64)
    return (out, values) if _take_known(out, scores, floor, allowed, values) else None
