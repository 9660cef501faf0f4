"""A forest of boosted trees: its raw output for many rows, and what each feature adds to it.

Equal to LightGBM's `predict(raw_score=True)` and `predict(pred_contrib=True)`. Rows are taken
in blocks, turned on their side, and go through one tree after another, which keeps a tree's
table in the nearest cache; a few rows go through the lean form, if there is one, and get the
same bits. Knows nothing of links, calibration or features' names.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

import numpy as np
import numpy.typing as npt
from numba import njit

from models.forest import lean
from models.forest.along import along, sides
from models.forest.blocks import BLOCK, FEW, patterns_of, turn
from models.forest.paths import Paths, Quadrature, add_values, expected, paths_of, quadrature
from models.forest.tables import Tables, tables_of
from models.forest.trees import Trees, goes_left, trees_of

Matrix = npt.NDArray[np.float64]


@njit(cache=True, nogil=True, error_model="numpy")
def _decide(trees: Trees, tree: int, row: np.ndarray, went_left: np.ndarray) -> None:
    first = trees.splits[tree]
    for split in range(first, trees.splits[tree + 1]):
        went_left[split - first] = goes_left(trees, split, float(row[trees.feature[split]]))


@njit(cache=True, nogil=True, error_model="numpy")
def _leaf(trees: Trees, tree: int, row: np.ndarray) -> int:
    """Answer the leaf that `row` falls into, asking only the splits on its way."""
    first = trees.splits[tree]
    node = np.int64(0 if trees.splits[tree + 1] > first else ~0)
    while node >= 0:
        split = first + node
        left = goes_left(trees, split, row[trees.feature[split]])
        node = np.int64(trees.left[split] if left else trees.right[split])
    return trees.leaves[tree] + ~node


@njit(cache=True, nogil=True, error_model="numpy")
def _raw(trees: Trees, tables: Tables, rows: np.ndarray, out: np.ndarray) -> None:
    columns = np.zeros((rows.shape[1], BLOCK), np.float64)
    patterns = np.empty(BLOCK, np.uint8)
    for first in range(0, rows.shape[0], BLOCK):
        width = turn(rows, first, columns)
        block = out[first : first + width]
        for tree in range(tables.offset.shape[0]):
            offset = tables.offset[tree]
            if offset < 0:
                for row in range(first, first + width):
                    out[row] += trees.value[_leaf(trees, tree, rows[row])]
                continue
            patterns_of(trees, tree, columns, width, patterns)
            leaf, value = tables.leaf[tables.start[tree] :], trees.value[trees.leaves[tree] :]
            for row in range(width):
                block[row] += value[leaf[patterns[row]]]


@njit(cache=True, nogil=True, error_model="numpy")
def _contributions(
    trees: Trees,
    paths: Paths,
    rule: Quadrature,
    tables: Tables,
    longest: int,
    rows: np.ndarray,
    out: np.ndarray,
) -> None:
    hot, factors = np.empty(longest, np.uint8), np.empty(longest, np.float64)
    went_left = np.empty(trees.feature.shape[0], np.uint8)
    columns = np.zeros((rows.shape[1], BLOCK), np.float64)
    patterns = np.empty(BLOCK, np.uint8)
    for first in range(0, rows.shape[0], BLOCK):
        width = turn(rows, first, columns)
        for tree in range(tables.offset.shape[0]):
            offset = tables.offset[tree]
            if offset < 0:
                for row in range(first, first + width):
                    _decide(trees, tree, rows[row], went_left)
                    add_values(trees, paths, rule, tree, went_left, hot, factors, out[row])
                continue
            patterns_of(trees, tree, columns, width, patterns)
            features = tables.feature[tables.slots[tree] : tables.slots[tree + 1]]
            count = features.shape[0]
            for row in range(width):
                at = offset + patterns[row] * (count + 1)
                for slot in range(count):
                    out[first + row, features[slot]] += tables.rows[at + slot]


def _turned(rows: Matrix) -> bool:
    """Tell whether the columns of float64[n, f] are contiguous."""
    return rows.flags.f_contiguous and rows.flags.writeable and rows.dtype == np.float64


@dataclass(frozen=True, eq=False)
class Forest:
    """Boosted trees over f features; all methods are pure and may run in threads.

    base: the mean raw output over the rows of training, what an empty explanation says. few:
    the form for a few rows, None when the trees have none.
    """

    trees: Trees
    features: int
    base: float = field(init=False)
    few: lean.Lean | None = field(init=False, repr=False)
    _paths: Paths = field(init=False, repr=False)
    _rule: Quadrature = field(init=False, repr=False)
    _tables: Tables = field(init=False, repr=False)
    _longest: int = field(init=False, repr=False)

    def __post_init__(self) -> None:
        asked = self.trees.feature
        if len(asked) and not (asked.min() >= 0 and asked.max() < self.features):
            raise ValueError("a split asks a feature that the forest does not have")
        paths = paths_of(self.trees)
        longest = int(max(paths.count, default=0))
        rule = quadrature(longest)
        tables = tables_of(self.trees, paths, rule, self.features)
        derived = {
            "base": float(expected(self.trees, paths)),
            "_paths": paths,
            "_rule": rule,
            "_tables": tables,
            "few": lean.lean_of(self.trees, tables, self.features),
            "_longest": longest,
        }
        for name, value in derived.items():
            object.__setattr__(self, name, value)

    def __len__(self) -> int:
        return len(self.trees.splits) - 1

    def raw(self, rows: Matrix) -> Matrix:
        """Answer float64[n], the summed leaves of each row of float64[n, f] (NaN is missing).

        Raises ValueError for rows of another width.
        """
        out = np.zeros(len(rows))
        if self._fits(rows) and len(rows) > FEW and _turned(rows):
            # As good as the other order here: rows become columns anyway.
            _raw(self.trees, self._tables, rows, out)
            return out
        given, few = self._checked(rows), self.few
        if few is not None and len(given) <= FEW:
            lean.raw(few.asks, few.thresholds, few.place, few.leaf, few.value, given, out)
        else:
            _raw(self.trees, self._tables, given, out)
        return out

    def raw_along(self, rows: Matrix, column: int, values: Matrix) -> Matrix:
        """Answer float64[n, m]: the raw output of each row with each value in `column`.

        rows: float64[n, f], whose own value in the column is not looked at. values: float64[m].
        The same numbers as `raw` of rows so changed, for little more than one of them.
        Raises ValueError for rows of another width or a column that is not there.
        """
        if not 0 <= column < self.features:
            raise ValueError("no such column")
        out = np.zeros((len(rows), len(values)))
        asked = np.ascontiguousarray(values, np.float64)
        along(self.trees, self._tables, self._checked(rows), column, asked, out)
        return out

    def swaps(self, column: int, values: Matrix) -> lean.Swaps:
        """Settle the splits that ask `column` for each of float64[m], for `lean.raw_swapped`."""
        asks = np.flatnonzero(self.trees.feature == column)
        given = np.ascontiguousarray(values, np.float64)
        return lean.swaps_of(self.trees, asks, sides(self.trees, asks, given))

    def contributions(self, rows: Matrix) -> Matrix:
        """Answer float64[n, f+1]: what each feature adds to the raw output, and last the base.

        Exact path-dependent Shapley values (see paths.py); each row sums to its raw output.
        Raises ValueError for rows of another width.
        """
        out = np.zeros((len(rows), self.features + 1))
        out[:, -1] = self.base
        given, few = self._checked(rows), self.few
        if few is not None and len(given) <= FEW:
            lean.explain(few.asks, few.thresholds, few.place, few.slots, few.told, given, out)
        else:
            parts = (self.trees, self._paths, self._rule, self._tables)
            _contributions(*parts, self._longest, given, out)
        return out

    def _checked(self, rows: Matrix) -> Matrix:
        if not self._fits(rows):
            raise ValueError(f"rows of {self.features} features are wanted")
        return np.ascontiguousarray(rows, np.float64)

    def _fits(self, rows: Matrix) -> bool:
        return rows.ndim == 2 and rows.shape[1] == self.features

    def arrays(self) -> dict[str, np.ndarray]:
        """Answer every array by name, for a bundle."""
        return {**self.trees._asdict(), "features": np.array([self.features], np.int64)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.ArrayLike]) -> Self:
        """Answer the forest of arrays as `arrays` gives them.

        Raises KeyError when one is missing and ValueError when they do not make trees.
        """
        return cls(trees_of(arrays), int(np.asarray(arrays["features"])[0]))
