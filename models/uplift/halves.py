"""The forests of all halves as one, and what each of them says of a row, in one pass.

A bundle then holds a dozen files and not hundreds, and one row costs one call. Knows nothing of
how the halves were learned or of what their scores become.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from numba import njit

from models.forest.forest import Forest
from models.forest.trees import DTYPES, NUMERIC, Trees, goes_left, settled

F64 = npt.NDArray[np.float64]
Arrays = dict[str, npt.NDArray[Any]]
_STARTS = {"splits": "feature", "leaves": "value", "bits_start": "bits"}
"""Arrays of places, and those that they are places in."""


_BLOCK, _FEW = 64, 8
_MOST_SPLITS = 7
"""Trees of 8 leaves; a table doubles with each further split."""


@njit(cache=True, nogil=True, error_model="numpy")
def _table(trees: Trees) -> tuple[np.ndarray, np.ndarray]:
    """Answer where each tree's values by its splits' decisions begin (-1: too large), and those."""
    count = trees.splits.shape[0] - 1
    offset = np.empty(count, np.int64)
    size = 0
    for tree in range(count):
        splits = trees.splits[tree + 1] - trees.splits[tree]
        offset[tree] = size if splits <= _MOST_SPLITS else -1
        size += (1 << splits) if splits <= _MOST_SPLITS else 0
    values = np.empty(size, np.float64)
    for tree in range(count):
        if offset[tree] < 0:
            continue
        first, splits = trees.splits[tree], trees.splits[tree + 1] - trees.splits[tree]
        for pattern in range(1 << splits):
            node = np.int64(0 if splits else ~0)
            while node >= 0:
                left = (pattern >> node) & 1 == 1
                node = np.int64(trees.left[first + node] if left else trees.right[first + node])
            values[offset[tree] + pattern] = trees.value[trees.leaves[tree] + ~node]
    return offset, values


@njit(cache=True, nogil=True, error_model="numpy")
def _walk(trees: Trees, tree: int, row: np.ndarray) -> float:
    node = np.int64(0)
    while node >= 0:
        split = trees.splits[tree] + node
        left = goes_left(trees, split, row[trees.feature[split]])
        node = np.int64(trees.left[split] if left else trees.right[split])
    return float(trees.value[trees.leaves[tree] + ~node])


@njit(cache=True, nogil=True, error_model="numpy")
def _decide(trees: Trees, tree: int, columns: np.ndarray, width: int, patterns: np.ndarray) -> None:
    """Write each row's decisions at a small tree's splits as bits; columns are rows turned."""
    patterns[:width] = 0
    first = trees.splits[tree]
    for split in range(first, trees.splits[tree + 1]):
        values, bit = columns[trees.feature[split]], np.uint8(1 << (split - first))
        if trees.kind[split] == NUMERIC:
            # The common kind, without a branch, so that it compiles to vector instructions.
            threshold, missing = trees.threshold[split], trees.missing_left[split] == 1
            for row in range(width):
                value = values[row]
                left = (value <= threshold) | ((value != value) & missing)
                patterns[row] |= bit if left else np.uint8(0)
        else:
            for row in range(width):
                if goes_left(trees, split, values[row]):
                    patterns[row] |= bit


@njit(cache=True, nogil=True, error_model="numpy")
def _scores_of_few(
    trees: Trees,
    offset: np.ndarray,
    values: np.ndarray,
    starts: np.ndarray,
    rows: np.ndarray,
    out: np.ndarray,
) -> None:
    """Write what `_scores` does, a row at a time: turning a few rows costs more than it saves."""
    feature, threshold, kind = trees.feature, trees.threshold, trees.kind
    missing_left, splits = trees.missing_left, trees.splits
    for row in range(rows.shape[0]):
        for half in range(starts.shape[0] - 1):
            total = 0.0
            for tree in range(starts[half], starts[half + 1]):
                start = offset[tree]
                if start < 0:
                    total += _walk(trees, tree, rows[row])
                    continue
                pattern, first = 0, splits[tree]
                for split in range(first, splits[tree + 1]):
                    value = rows[row, feature[split]]
                    if kind[split] == NUMERIC:
                        missing = (value != value) & (missing_left[split] == 1)
                        left = (value <= threshold[split]) | missing
                    else:
                        left = goes_left(trees, split, value)
                    pattern |= np.int64(left) << (split - first)
                total += values[start + pattern]
            out[half, row] = total


@njit(cache=True, nogil=True, error_model="numpy")
def _scores(
    trees: Trees,
    offset: np.ndarray,
    values: np.ndarray,
    starts: np.ndarray,
    rows: np.ndarray,
    out: np.ndarray,
) -> None:
    columns = np.empty((rows.shape[1], min(_BLOCK, rows.shape[0])), np.float64)
    patterns = np.empty(_BLOCK, np.uint8)
    for first in range(0, rows.shape[0], _BLOCK):
        width = min(_BLOCK, rows.shape[0] - first)
        for row in range(width):
            for column in range(rows.shape[1]):
                columns[column, row] = rows[first + row, column]
        for half in range(starts.shape[0] - 1):
            for tree in range(starts[half], starts[half + 1]):
                start = offset[tree]
                if start < 0:
                    for row in range(width):
                        out[half, first + row] += _walk(trees, tree, rows[first + row])
                    continue
                _decide(trees, tree, columns, width, patterns)
                for row in range(width):
                    out[half, first + row] += values[start + patterns[row]]


@dataclass(frozen=True, eq=False)
class Halves:
    """m forests over f features. forest: their trees one after another; starts: int64[m+1],
    where each begins."""

    forest: Forest
    starts: npt.NDArray[np.int64]
    _offset: npt.NDArray[np.int64] = field(init=False, repr=False)
    _values: F64 = field(init=False, repr=False)

    def __post_init__(self) -> None:
        starts = settled(self.starts, np.int64)
        tiles = len(starts) > 1 and starts[0] == 0 and starts[-1] == len(self.forest)
        if starts.ndim != 1 or not tiles or (np.diff(starts) < 0).any():
            raise ValueError("the halves do not tile their trees")
        offset, values = _table(self.forest.trees)
        for name, array in (("starts", starts), ("_offset", offset), ("_values", values)):
            object.__setattr__(self, name, array)

    def __len__(self) -> int:
        return len(self.starts) - 1

    @classmethod
    def of(cls, forests: Sequence[Forest]) -> Self:
        """Put forests together. Raises ValueError for none, or for other numbers of features."""
        if not forests or len({forest.features for forest in forests}) != 1:
            raise ValueError("forests of one number of features are wanted")
        parts = [forest.arrays() for forest in forests]
        out: Arrays = {"features": parts[0]["features"]}
        for name, dtype in DTYPES.items():
            arrays = [part[name] for part in parts]
            if name in _STARTS:
                before = np.cumsum([0, *(len(part[_STARTS[name]]) for part in parts)])
                moved = [one[:-1] + start for one, start in zip(arrays, before, strict=False)]
                arrays = [*moved, before[-1:]]
            out[name] = np.concatenate(arrays).astype(dtype)
        starts = np.cumsum([0, *(len(forest) for forest in forests)])
        return cls(Forest.from_arrays(out), starts.astype(np.int64))

    def scores(self, rows: F64) -> F64:
        """Answer float64[m, n], what each half says of float64[n, f]; NaN is missing.

        Raises ValueError for rows of another width.
        """
        if rows.ndim != 2 or rows.shape[1] != self.forest.features:
            raise ValueError(f"rows of {self.forest.features} features are wanted")
        out = np.zeros((len(self), len(rows)))
        parts = (self.forest.trees, self._offset, self._values, self.starts)
        kernel = _scores_of_few if len(rows) <= _FEW else _scores
        kernel(*parts, np.ascontiguousarray(rows, np.float64), out)
        return out

    def contributions(self, rows: F64) -> F64:
        """Answer float64[n, f+1]: what each feature adds to the mean of the scores, and the base.

        Raises ValueError for rows of another width.
        """
        return self.forest.contributions(rows) / len(self)

    def arrays(self) -> Arrays:
        """Answer every array by name, for a bundle."""
        return {**self.forest.arrays(), "halves": self.starts}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        """Make them again. Raises KeyError and ValueError for arrays that hold none."""
        return cls(Forest.from_arrays(arrays), arrays["halves"])
