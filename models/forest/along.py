"""Raw outputs of a forest while one column takes several values and all others stay.

A tree asks its other splits once, however many values there are: a hazard over eight intervals
costs little more than one score. Knows nothing of what the column means.
"""

import numpy as np
from numba import njit

from models.forest.blocks import BLOCK, patterns_of, turn
from models.forest.tables import Tables
from models.forest.trees import Trees, goes_left


@njit(cache=True, nogil=True, error_model="numpy")
def _leaf_with(trees: Trees, tree: int, row: np.ndarray, column: int, value: float) -> int:
    first = trees.splits[tree]
    node = np.int64(0 if trees.splits[tree + 1] > first else ~0)
    while node >= 0:
        split = first + node
        asked = trees.feature[split]
        left = goes_left(trees, split, value if asked == column else row[asked])
        node = np.int64(trees.left[split] if left else trees.right[split])
    return trees.leaves[tree] + ~node


@njit(cache=True, nogil=True, error_model="numpy")
def sides(trees: Trees, asks: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Answer int64[a, m]: of each split (counted over the forest) whether a value goes left."""
    bits = np.empty((asks.shape[0], values.shape[0]), np.int64)
    for place in range(asks.shape[0]):
        for k in range(values.shape[0]):
            bits[place, k] = goes_left(trees, asks[place], values[k])
    return bits


@njit(cache=True, nogil=True, error_model="numpy")
def _add_asking(
    tables: Tables,
    tree: int,
    patterns: np.ndarray,
    swaps: np.ndarray,
    out: np.ndarray,
) -> None:
    """Add one tree's outputs for a block; swaps[k]: which bits the k-th value decides, and how."""
    offset, size = tables.offset[tree], tables.slots[tree + 1] - tables.slots[tree] + 1
    for k in range(swaps.shape[0]):
        keep, chosen = ~swaps[k, 0], swaps[k, 1]
        for row in range(out.shape[0]):
            pattern = (np.int64(patterns[row]) & keep) | chosen
            out[row, k] += tables.rows[offset + pattern * size + size - 1]


@njit(cache=True, nogil=True, error_model="numpy")
def along(
    trees: Trees,
    tables: Tables,
    rows: np.ndarray,
    column: int,
    values: np.ndarray,
    out: np.ndarray,
) -> None:
    """Add to out[i, k] the raw output of row i with values[k] in `column`.

    rows: float64[n, f], whose own value in the column is not looked at. values: float64[m].
    The sums are those of `Forest.raw`, to the bit.
    """
    asks = np.flatnonzero(trees.feature == column)
    bits = sides(trees, asks, values)
    columns = np.zeros((rows.shape[1], BLOCK), np.float64)
    patterns, swaps = np.empty(BLOCK, np.uint8), np.empty((values.shape[0], 2), np.int64)
    for begin in range(0, rows.shape[0], BLOCK):
        width = turn(rows, begin, columns)
        block, place = out[begin : begin + width], 0
        for tree in range(tables.offset.shape[0]):
            first, last, offset = trees.splits[tree], trees.splits[tree + 1], tables.offset[tree]
            start = place
            while place < asks.shape[0] and asks[place] < last:
                place += 1
            if offset < 0:
                for row in range(width):
                    for k in range(values.shape[0]):
                        leaf = _leaf_with(trees, tree, rows[begin + row], column, values[k])
                        block[row, k] += trees.value[leaf]
                continue
            patterns_of(trees, tree, columns, width, patterns)
            if start == place:
                size = tables.slots[tree + 1] - tables.slots[tree] + 1
                for row in range(width):
                    value = tables.rows[offset + patterns[row] * size + size - 1]
                    for k in range(values.shape[0]):
                        block[row, k] += value
                continue
            swaps[:] = 0
            for ask in range(start, place):
                shift = asks[ask] - first
                for k in range(values.shape[0]):
                    swaps[k, 0] |= 1 << shift
                    swaps[k, 1] |= bits[ask, k] << shift
            _add_asking(tables, tree, patterns, swaps, block)
