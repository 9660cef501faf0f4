"""The trees of a forest as plain arrays, and the one rule by which a row goes left or right.

Follows LightGBM's decisions to the bit: missing values, zeros that count as missing, sets of
categories. Knows nothing of where the trees came from or of what is computed on them.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

NUMERIC, ZERO, CATEGORICAL = 0, 1, 2
"""Kinds of splits: by threshold; by threshold, with zero as missing; by a set of categories."""

ZERO_WIDTH = float(np.float32(1e-35))
"""What LightGBM takes for zero: |value| no larger than this."""

_CATEGORIES = 2.0**31
"""Categories are 32-bit integers there; what does not fit is no category."""


class Trees(NamedTuple):
    """t trees of s splits and l leaves in all; those of tree i lie at splits[i]:splits[i+1].

    splits, leaves: int64[t+1], where each tree begins. feature: int32[s]. threshold:
    float64[s]; left if value <= threshold. kind: uint8[s]. missing_left: uint8[s], 1 when a
    missing value goes left. left, right: int32[s], a split of the same tree counted from its
    first, or ~leaf. cover: float64[s], rows seen in training. bits_start: int64[s+1] into
    bits: uint32, the categories that go left. value, leaf_cover: float64[l].
    """

    splits: npt.NDArray[np.int64]
    leaves: npt.NDArray[np.int64]
    feature: npt.NDArray[np.int32]
    threshold: npt.NDArray[np.float64]
    kind: npt.NDArray[np.uint8]
    missing_left: npt.NDArray[np.uint8]
    left: npt.NDArray[np.int32]
    right: npt.NDArray[np.int32]
    cover: npt.NDArray[np.float64]
    bits_start: npt.NDArray[np.int64]
    bits: npt.NDArray[np.uint32]
    value: npt.NDArray[np.float64]
    leaf_cover: npt.NDArray[np.float64]


DTYPES: dict[str, type] = {
    "splits": np.int64,
    "leaves": np.int64,
    "feature": np.int32,
    "threshold": np.float64,
    "kind": np.uint8,
    "missing_left": np.uint8,
    "left": np.int32,
    "right": np.int32,
    "cover": np.float64,
    "bits_start": np.int64,
    "bits": np.uint32,
    "value": np.float64,
    "leaf_cover": np.float64,
}


def settled(array: npt.ArrayLike, dtype: type) -> np.ndarray:
    """Answer a contiguous read-only copy, so that every forest has the same compiled kernels."""
    copy = np.array(array, dtype, order="C")
    copy.setflags(write=False)
    return copy


def trees_of(arrays: Mapping[str, npt.ArrayLike]) -> Trees:
    """Answer trees from arrays of a bundle, checked so that no kernel can leave its arrays.

    Raises KeyError when an array is missing and ValueError when the arrays do not fit together.
    """
    trees = Trees(**{name: settled(arrays[name], dtype) for name, dtype in DTYPES.items()})
    if any(array.ndim != 1 for array in trees) or len(trees.splits) < 1:
        raise ValueError("the arrays of a forest have one dimension")
    s, n = len(trees.feature), len(trees.value)
    by_split = (trees.threshold, trees.kind, trees.missing_left, trees.left, trees.right)
    if (
        len(trees.leaves) != len(trees.splits)
        or any(len(array) != s for array in (*by_split, trees.cover))
        or len(trees.bits_start) != s + 1
        or len(trees.leaf_cover) != n
        or not _tiles(trees.splits, s)
        or not _tiles(trees.leaves, n)
        or not _tiles(trees.bits_start, len(trees.bits))
        or np.any(np.diff(trees.leaves) != np.diff(trees.splits) + 1)
        or not sound(trees)
    ):
        raise ValueError("the arrays of a forest do not make trees")
    return trees


def _tiles(starts: npt.NDArray[np.int64], length: int) -> bool:
    return bool(starts[0] == 0 and starts[-1] == length and np.all(np.diff(starts) >= 0))


@njit(cache=True, nogil=True, error_model="numpy")
def sound(trees: Trees) -> bool:
    """Tell whether every child exists, comes after its parent and has no other parent."""
    for tree in range(trees.splits.shape[0] - 1):
        first, size = trees.splits[tree], trees.splits[tree + 1] - trees.splits[tree]
        parents = np.zeros(2 * size + 1, np.int64)
        for split in range(size):
            for child in (trees.left[first + split], trees.right[first + split]):
                if child >= size or ~child > size or 0 <= child <= split:
                    return False
                parents[child if child >= 0 else size + ~child] += 1
        for node in range(1 if size else 0, 2 * size + 1):
            if parents[node] != (1 if size else 0):
                return False
    return True


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def goes_left(trees: Trees, split: int, value: float) -> bool:
    """Tell whether `value` goes left at `split` (counted over the whole forest)."""
    kind = trees.kind[split]
    if kind == CATEGORICAL:
        # Truncated toward zero as a cast does, so that -0.5 is category 0.
        if not (value > -1.0 and value < _CATEGORIES):
            return False
        category = np.int64(value)
        word = trees.bits_start[split] + (category >> 5)
        if word >= trees.bits_start[split + 1]:
            return False
        return (np.int64(trees.bits[word]) >> (category & 31)) & 1 == 1
    if value != value or (kind == ZERO and -ZERO_WIDTH <= value <= ZERO_WIDTH):
        return trees.missing_left[split] == 1
    return value <= trees.threshold[split]
