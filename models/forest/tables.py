"""The Shapley values of small trees, worked out once for every way a row may go.

A tree of up to 7 splits has at most 128 patterns of left and right: one table row each, so
that scoring a row with its reasons is a few comparisons and one look-up a tree. Larger trees
have no table. Knows nothing of rows.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from models.forest.paths import Paths, Quadrature, add_values
from models.forest.trees import Trees, settled

MOST_SPLITS = 7
"""Trees of 8 leaves; a table doubles with each further split."""


class Tables(NamedTuple):
    """offset: int64[t], where a tree's table begins in `rows`, -1 without one. slots: int64[t+1]
    into feature: int32, the distinct features of each tree. rows: float64; of a tree of d
    features, the entry of a pattern is d values and the output of the leaf it leads to.
    start: int64[t], where a tree's patterns begin in leaf: uint8, the leaf of each, counted from
    the tree's first; small enough for the nearest cache, where outputs alone are wanted.
    """

    offset: npt.NDArray[np.int64]
    slots: npt.NDArray[np.int64]
    feature: npt.NDArray[np.int32]
    rows: npt.NDArray[np.float64]
    start: npt.NDArray[np.int64]
    leaf: npt.NDArray[np.uint8]


def tables_of(trees: Trees, paths: Paths, rule: Quadrature, features: int) -> Tables:
    """Answer the tables of all trees that are small enough."""
    sizes = np.diff(trees.splits)
    offset, slots = np.full(len(sizes), -1, np.int64), np.zeros(len(sizes) + 1, np.int64)
    found: list[npt.NDArray[np.int32]] = []
    start = np.zeros(len(sizes), np.int64)
    length, patterns = 0, 0
    for tree, size in enumerate(sizes):
        if size <= MOST_SPLITS:
            found.append(np.unique(trees.feature[trees.splits[tree] : trees.splits[tree + 1]]))
            offset[tree] = length
            start[tree] = patterns
            length += (len(found[-1]) + 1) << int(size)
            patterns += 1 << int(size)
        slots[tree + 1] = slots[tree] + (len(found[-1]) if size <= MOST_SPLITS else 0)
    tables = Tables(
        settled(offset, np.int64),
        settled(slots, np.int64),
        settled(np.concatenate([np.zeros(0), *found]), np.int32),
        np.zeros(length),
        settled(start, np.int64),
        np.zeros(patterns, np.uint8),
    )
    longest = int(max(paths.count, default=0))
    _tabulate(trees, paths, rule, tables, longest, np.zeros(features))
    return tables._replace(
        rows=settled(tables.rows, np.float64), leaf=settled(tables.leaf, np.uint8)
    )


@njit(cache=True, nogil=True, error_model="numpy")
def _leaf_of(trees: Trees, tree: int, went_left: np.ndarray) -> int:
    """Answer the leaf, counted over the whole forest, that a row's decisions lead to."""
    first = trees.splits[tree]
    node = np.int64(0 if trees.splits[tree + 1] > first else ~0)
    while node >= 0:
        node = np.int64(trees.left[first + node] if went_left[node] else trees.right[first + node])
    return trees.leaves[tree] + ~node


@njit(cache=True, nogil=True, error_model="numpy")
def _tabulate(
    trees: Trees, paths: Paths, rule: Quadrature, tables: Tables, longest: int, out: np.ndarray
) -> None:
    hot, factors = np.empty(longest, np.uint8), np.empty(longest, np.float64)
    went_left = np.empty(MOST_SPLITS, np.uint8)
    for tree in range(tables.offset.shape[0]):
        if tables.offset[tree] < 0:
            continue
        size = trees.splits[tree + 1] - trees.splits[tree]
        features = tables.feature[tables.slots[tree] : tables.slots[tree + 1]]
        at = tables.offset[tree]
        for pattern in range(1 << size):
            for split in range(size):
                went_left[split] = (pattern >> split) & 1
            for feature in features:
                out[feature] = 0.0
            add_values(trees, paths, rule, tree, went_left, hot, factors, out)
            for feature in features:
                tables.rows[at] = out[feature]
                at += 1
            leaf = _leaf_of(trees, tree, went_left)
            tables.leaf[tables.start[tree] + pattern] = leaf - trees.leaves[tree]
            tables.rows[at] = trees.value[leaf]
            at += 1
