"""One block of causal attention at the last place of a history, as one compiled function.

    x_j = item + gap + kind          y_j = norm(x_j)
    z   = x_last + join(sum_j softmax_j(q . k_j + back_j + age_j) v_j)
    out = norm(z + down(relu(up(norm(z)))))

(Vaswani and others, 2017; norms first: Xiong and others, 2020; attention that hears of places
and times by a number added: Shaw and others, 2018.) Only the last place asks, so keys and values
are never made: the question is taken back through the keys' matrix and meets the y_j themselves,
and their mixture goes through the values' matrix once. Knows nothing of how it was learned.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from models.recommend.member import Floats

MINUTES = 24 * 60
EPSILON = 1e-5


class Dims(NamedTuple):
    """Sizes: of a vector, heads, the feed-forward's inside, classes of time, places, kinds."""

    width: int
    heads: int
    inner: int
    ages: int
    reach: int
    kinds: int


def layout(dims: Dims) -> dict[str, tuple[int, int]]:
    """Answer the shape of each part, in the order of `pack`. Matrices are (in, out), but `key`.

    gap: after each event, by class of time; age: of each event when asked, added for each head;
    back: events back, likewise. norms: gain and shift.
    """
    d = dims.width
    return {
        "gap": (dims.ages, d),
        "kind": (dims.kinds, d),
        "norm_in": (2, d),
        "query": (d, d),
        "query_bias": (1, d),
        "key": (d, d),
        "back": (dims.heads, dims.reach),
        "age": (dims.heads, dims.ages),
        "value": (d, d),
        "value_bias": (1, d),
        "join": (d, d),
        "join_bias": (1, d),
        "norm_mid": (2, d),
        "up": (d, dims.inner),
        "up_bias": (1, dims.inner),
        "down": (dims.inner, d),
        "down_bias": (1, d),
        "norm_out": (2, d),
    }


def pack(parts: dict[str, np.ndarray], dims: Dims) -> Floats:
    """Answer all parts in one row of float32: one argument where there would be eighteen.

    Raises ValueError for a part of another shape, KeyError for one that is missing.
    """
    shapes = layout(dims)
    for name, shape in shapes.items():
        if parts[name].shape != shape:
            raise ValueError(f"{name} is {parts[name].shape}, not {shape}")
    return np.concatenate([np.asarray(parts[name], np.float32).ravel() for name in shapes])


def size(dims: Dims) -> int:
    """Answer how many numbers `pack` makes of weights of these sizes."""
    return sum(rows * columns for rows, columns in layout(dims).values())


@njit(cache=True, nogil=True, error_model="numpy")
def time_class(days: float, classes: int) -> int:
    """Answer the class of a time: 0 below a minute, then one more with each doubling."""
    if not days > 0:
        return 0
    # Above the last class by far, whatever the number; and no logarithm of infinity.
    return min(int(np.log2(1 + min(days, 1e9) * MINUTES)), classes - 1)


def time_classes(days: npt.NDArray[np.floating], classes: int) -> npt.NDArray[np.int64]:
    """Answer the class of each time, as `time_class` does."""
    minutes = np.clip(days, 0, 1e9).astype(np.float64) * MINUTES
    return np.minimum(np.log2(1 + minutes), classes - 1).astype(np.int64)


@njit(cache=True, nogil=True, error_model="numpy")
def _take(packed: np.ndarray, place: int, rows: int, columns: int) -> tuple[np.ndarray, int]:
    end = place + rows * columns
    return packed[place:end].reshape(rows, columns), end


@njit(cache=True, nogil=True, error_model="numpy", fastmath=True)
def _norm(x: np.ndarray, norm: np.ndarray, out: np.ndarray) -> None:
    d = x.shape[0]
    mean, square = np.float32(0), np.float32(0)
    for k in range(d):
        mean += x[k]
    mean /= d
    for k in range(d):
        square += (x[k] - mean) * (x[k] - mean)
    scale = np.float32(1) / np.sqrt(square / d + np.float32(EPSILON))
    for k in range(d):
        out[k] = (x[k] - mean) * scale * norm[0, k] + norm[1, k]


@njit(cache=True, nogil=True, error_model="numpy", fastmath=True)
def _through(x: np.ndarray, matrix: np.ndarray, start: int, stop: int, out: np.ndarray) -> None:
    """Add x · matrix, of the columns start:stop, to out."""
    for k in range(x.shape[0]):
        times, line = x[k], matrix[k]
        if times != 0:
            for c in range(start, stop):
                out[c] += times * line[c]


@njit(cache=True, nogil=True, error_model="numpy", fastmath=True)
def _softmax(scores: np.ndarray) -> None:
    top = scores[0]
    for j in range(scores.shape[0]):
        top = max(top, scores[j])
    whole = np.float32(0)
    for j in range(scores.shape[0]):
        scores[j] = np.exp(scores[j] - top)
        whole += scores[j]
    for j in range(scores.shape[0]):
        scores[j] /= whole


@njit(cache=True, nogil=True, error_model="numpy", fastmath=True)
def _mix(
    seen: np.ndarray, asks: np.ndarray, classes: np.ndarray, back: np.ndarray, age: np.ndarray
) -> np.ndarray:
    """Answer float32[d]: the mixture of `seen` (float32[h, d]) that one head's question makes."""
    h, d = seen.shape
    scores = np.empty(h, np.float32)
    for j in range(h):
        dot, line = np.float32(0), seen[j]
        for k in range(d):
            dot += asks[k] * line[k]
        scores[j] = dot + back[min(h - 1 - j, back.shape[0] - 1)] + age[classes[j]]
    _softmax(scores)
    mixed = np.zeros(d, np.float32)
    for j in range(h):
        times, line = scores[j], seen[j]
        for k in range(d):
            mixed[k] += times * line[k]
    return mixed


@njit(cache=True, nogil=True, error_model="numpy", fastmath=True)
def _feed(z: np.ndarray, packed: np.ndarray, place: int, inner: int) -> np.ndarray:
    """Answer float32[d]: the feed-forward layer and the last norm of z."""
    d = z.shape[0]
    norm_mid, place = _take(packed, place, 2, d)
    up, place = _take(packed, place, d, inner)
    up_bias, place = _take(packed, place, 1, inner)
    down, place = _take(packed, place, inner, d)
    down_bias, place = _take(packed, place, 1, d)
    norm_out, place = _take(packed, place, 2, d)
    normed = np.empty(d, np.float32)
    _norm(z, norm_mid, normed)
    wide = up_bias[0].copy()
    _through(normed, up, 0, inner, wide)
    for k in range(inner):
        wide[k] = max(wide[k], np.float32(0))
    for k in range(d):
        z[k] += down_bias[0, k]
    _through(wide, down, 0, d, z)
    out = np.empty(d, np.float32)
    _norm(z, norm_out, out)
    return out


@njit(cache=True, nogil=True, error_model="numpy", fastmath=True)
def attend(
    packed: np.ndarray,
    dims: Dims,
    table: np.ndarray,
    indices: np.ndarray,
    days: np.ndarray,
    kinds: np.ndarray,
) -> np.ndarray:
    """Answer float32[d], what the last of h events, at least one, asks of the next item.

    table: float32[n, d], the items. indices: int32[h]. days: float32[h], the age of each event
    when asked. kinds: uint8[h]. Kinds beyond the table count as its last.
    """
    d, h = dims.width, indices.shape[0]
    gap, place = _take(packed, 0, dims.ages, d)
    kind, place = _take(packed, place, dims.kinds, d)
    norm_in, place = _take(packed, place, 2, d)
    query, place = _take(packed, place, d, d)
    query_bias, place = _take(packed, place, 1, d)
    key, place = _take(packed, place, d, d)
    back, place = _take(packed, place, dims.heads, dims.reach)
    age, place = _take(packed, place, dims.heads, dims.ages)
    value, place = _take(packed, place, d, d)
    value_bias, place = _take(packed, place, 1, d)
    join, place = _take(packed, place, d, d)
    join_bias, place = _take(packed, place, 1, d)
    seen, classes = np.empty((h, d), np.float32), np.empty(h, np.int64)
    x = np.empty(d, np.float32)
    for j in range(h):
        after = days[j + 1] if j + 1 < h else np.float32(0)
        first, other = gap[time_class(days[j] - after, dims.ages)], table[indices[j]]
        third = kind[min(np.int64(kinds[j]), dims.kinds - 1)]
        for k in range(d):
            x[k] = other[k] + first[k] + third[k]
        _norm(x, norm_in, seen[j])
        classes[j] = time_class(days[j], dims.ages)
    asked = query_bias[0].copy()
    _through(seen[h - 1], query, 0, d, asked)
    each = d // dims.heads
    mixed = value_bias[0].copy()
    asks = np.empty(d, np.float32)
    for head in range(dims.heads):
        start = head * each
        asks[:] = 0
        _through(asked[start : start + each], key[start : start + each], 0, d, asks)
        held = _mix(seen, asks, classes, back[head], age[head])
        _through(held, value, start, start + each, mixed)
    for k in range(d):
        x[k] += join_bias[0, k]
    _through(mixed, join, 0, d, x)
    return _feed(x, packed, place, dims.inner)
