"""Rows in blocks, turned to columns: a split is asked of all of them at once.

Knows nothing of what is done with the decisions.
"""

import numpy as np
from numba import njit

from models.forest.trees import NUMERIC, Trees, goes_left

BLOCK = 80
FEW = 4
"""Up to so many rows go through the trees one by one (see lean); for more, blocks pay."""


@njit(cache=True, nogil=True, error_model="numpy")
def turn(rows: np.ndarray, first: int, columns: np.ndarray) -> int:
    """Write the block of rows from `first` on as columns; answer how many they are."""
    width = min(columns.shape[1], rows.shape[0] - first)
    for column in range(rows.shape[1]):
        for row in range(width):
            columns[column, row] = rows[first + row, column]
    return width


@njit(cache=True, nogil=True, error_model="numpy")
def patterns_of(
    trees: Trees, tree: int, columns: np.ndarray, width: int, patterns: np.ndarray
) -> None:
    """Write, for each row of a block, its decisions at a small tree's splits as bits.

    columns: float64[f, BLOCK]; patterns: uint8[BLOCK]. Beyond `width` neither means anything:
    a loop of a known length is compiled to whole vectors.
    """
    patterns[:] = 0
    first = trees.splits[tree]
    for split in range(first, trees.splits[tree + 1]):
        values, bit = columns[trees.feature[split]], np.uint8(1 << (split - first))
        threshold = trees.threshold[split]
        if trees.kind[split] != NUMERIC:
            for row in range(width):
                if goes_left(trees, split, values[row]):
                    patterns[row] |= bit
        elif trees.missing_left[split] == 1:
            # The common kind: one comparison a row and no branch, so that it compiles to vector
            # instructions. What is missing is not above the threshold, nor at most that.
            for row in range(BLOCK):
                patterns[row] |= np.uint8(0) if values[row] > threshold else bit
        else:
            for row in range(BLOCK):
                patterns[row] |= bit if values[row] <= threshold else np.uint8(0)
