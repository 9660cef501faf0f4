"""The forests of all halves as one, and what each of them says of a row, in one pass.

A bundle then holds a dozen files and not hundreds, and one row costs one call. Knows nothing of
how the halves were learned or of what their scores become.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from numba import njit

from models.forest.forest import Forest
from models.forest.trees import DTYPES, Trees, goes_left, settled

F64 = npt.NDArray[np.float64]
Arrays = dict[str, npt.NDArray[Any]]
_STARTS = {"splits": "feature", "leaves": "value", "bits_start": "bits"}
"""Arrays of places, and those that they are places in."""


@njit(cache=True, nogil=True, error_model="numpy")
def _scores(trees: Trees, starts: np.ndarray, rows: np.ndarray, out: np.ndarray) -> None:
    for row in range(rows.shape[0]):
        for half in range(starts.shape[0] - 1):
            total = 0.0
            for tree in range(starts[half], starts[half + 1]):
                first = trees.splits[tree]
                node = np.int64(0 if trees.splits[tree + 1] > first else ~0)
                while node >= 0:
                    split = first + node
                    left = goes_left(trees, split, rows[row, trees.feature[split]])
                    node = np.int64(trees.left[split] if left else trees.right[split])
                total += trees.value[trees.leaves[tree] + ~node]
            out[half, row] = total


@dataclass(frozen=True, eq=False)
class Halves:
    """m forests over f features. forest: their trees one after another; starts: int64[m+1],
    where each begins."""

    forest: Forest
    starts: npt.NDArray[np.int64]

    def __post_init__(self) -> None:
        starts = settled(self.starts, np.int64)
        tiles = len(starts) > 1 and starts[0] == 0 and starts[-1] == len(self.forest)
        if starts.ndim != 1 or not tiles or (np.diff(starts) < 0).any():
            raise ValueError("the halves do not tile their trees")
        object.__setattr__(self, "starts", starts)

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
        out = np.empty((len(self), len(rows)))
        _scores(self.forest.trees, self.starts, np.ascontiguousarray(rows, np.float64), out)
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
