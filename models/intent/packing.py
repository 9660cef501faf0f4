"""Many small arrays as one stretch of bytes, so that a compiled call is handed two arrays.

Each array a kernel is given costs time whatever its length, most of all inside tuples. Knows
nothing of what the arrays mean.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

LINE = 64
"""Bytes that an array's beginning is a multiple of: any number is aligned there."""


class Packed(NamedTuple):
    """blob: uint8. bounds: int64[k, 2], where the bytes of each array begin and end."""

    blob: npt.NDArray[np.uint8]
    bounds: npt.NDArray[np.int64]


def pack(arrays: Sequence[npt.NDArray[Any]]) -> Packed:
    """Answer the arrays' bytes, in order; `part` and a view give an array back, flat."""
    plain = [np.ascontiguousarray(one).reshape(-1).view(np.uint8) for one in arrays]
    starts, at = [], 0
    for one in plain:
        starts.append(at)
        at += -(-len(one) // LINE) * LINE
    room = np.zeros(at + LINE, np.uint8)
    skip = -room.ctypes.data % LINE
    blob = room[skip : skip + at]
    for start, one in zip(starts, plain, strict=True):
        blob[start : start + len(one)] = one
    ends = [start + len(one) for start, one in zip(starts, plain, strict=True)]
    return Packed(blob, np.array([starts, ends], np.int64).T.reshape(-1, 2).copy())


@njit(cache=True, nogil=True)
def part(blob: np.ndarray, bounds: np.ndarray, place: int) -> np.ndarray:
    """Answer the bytes of one array."""
    return blob[bounds[place, 0] : bounds[place, 1]]
