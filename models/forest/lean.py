"""Small numeric trees laid out for one row at a time: every tree in the same few places.

Each split is one comparison without a branch, each tree one line of a table; what a call hands
over is five or six plain arrays, since to a compiled function a tuple of twenty costs more than
a hundred trees. Forests with larger trees or sets of categories have no lean form. Knows
nothing of links, calibration or features' names.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from models.forest.tables import MOST_SPLITS, Tables
from models.forest.trees import NUMERIC, Trees

Table = npt.NDArray[np.float64]
WIDE = MOST_SPLITS + 1
"""Places of a tree: a table's row of seven shares and an output is one line of the cache."""


class Lean(NamedTuple):
    """t trees over f features.

    asks: uint32[t, WIDE], the feature of each split, plus f where a missing value goes left.
    thresholds: float64[t, WIDE], NaN where there is no split. place: uint64[t, 2], the tree's
    first pattern and first output. leaf: uint8, of each pattern the leaf, counted from the
    tree's first. value: float64, outputs of leaves. slots: uint32[t, WIDE], the feature of each
    share, f where there is none. told: float64[patterns, WIDE], shares and, last, the output.
    """

    asks: npt.NDArray[np.uint32]
    thresholds: npt.NDArray[np.float64]
    place: npt.NDArray[np.uint64]
    leaf: npt.NDArray[np.uint8]
    value: npt.NDArray[np.float64]
    slots: npt.NDArray[np.uint32]
    told: npt.NDArray[np.float64]


def lean_of(trees: Trees, tables: Tables, features: int) -> Lean | None:
    """Answer the lean form of a forest over `features` features; None when it has none."""
    if np.any(tables.offset < 0) or np.any(trees.kind != NUMERIC):
        return None
    sizes, count = np.diff(trees.splits), len(trees.splits) - 1
    tree = np.repeat(np.arange(count), sizes)
    split = np.arange(len(tree)) - trees.splits[tree]
    asks = np.zeros((count, WIDE), np.uint32)
    thresholds = np.full((count, WIDE), np.nan)
    asks[tree, split] = trees.feature + features * trees.missing_left.astype(np.uint32)
    thresholds[tree, split] = trees.threshold
    widths = np.diff(tables.slots)
    own = np.repeat(np.arange(count), widths)
    slots = np.full((count, WIDE), features, np.uint32)
    slots[own, np.arange(len(own)) - tables.slots[own]] = tables.feature
    return Lean(
        asks,
        thresholds,
        np.stack([tables.start, trees.leaves[:-1]], axis=1).astype(np.uint64),
        np.array(tables.leaf),
        np.array(trees.value),
        slots,
        _told(tables, widths, 1 << sizes),
    )


def _told(tables: Tables, widths: npt.NDArray[np.int64], patterns: npt.NDArray[np.int64]) -> Table:
    """Answer the tables' rows, each as wide as the widest may be."""
    total = int(patterns.sum())
    # Rows begin where lines of the cache do: each is then one line, not two.
    room = np.zeros((total + 1) * WIDE)
    skip = -room.ctypes.data % (8 * WIDE) // 8
    out = room[skip : skip + total * WIDE].reshape(total, WIDE)
    at = 0
    for tree, (width, size) in enumerate(zip(widths.tolist(), patterns.tolist(), strict=True)):
        first = int(tables.offset[tree])
        own = tables.rows[first : first + size * (width + 1)].reshape(size, width + 1)
        out[at : at + size, :width] = own[:, :width]
        out[at : at + size, -1] = own[:, -1]
        at += size
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def twice(row: np.ndarray, both: np.ndarray) -> None:
    """Write a row of f features as 2 f numbers: as they are, then with missing ones lowest.

    NaN is not above and not below a threshold, so it goes right; the lowest goes left.
    """
    f = row.shape[0]
    for k in range(f):
        both[k] = row[k]
        both[f + k] = row[k] if row[k] == row[k] else -np.inf


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def pattern_of(asks: np.ndarray, thresholds: np.ndarray, tree: int, both: np.ndarray) -> np.uint64:
    """Answer which splits of a tree send a row (see `twice`) left, as bits."""
    pattern = np.uint64(0)
    for k in range(WIDE):
        left = both[asks[tree, k]] <= thresholds[tree, k]
        pattern |= np.uint64(left) << np.uint64(k)
    return pattern


@njit(cache=True, nogil=True, error_model="numpy")
def raw(
    asks: np.ndarray,
    thresholds: np.ndarray,
    place: np.ndarray,
    leaf: np.ndarray,
    value: np.ndarray,
    rows: np.ndarray,
    out: np.ndarray,
) -> None:
    """Add the raw output of each row of float64[n, f] to float64[n]."""
    both = np.empty(2 * rows.shape[1])
    for i in range(rows.shape[0]):
        twice(rows[i], both)
        total = out[i]
        for tree in range(asks.shape[0]):
            at = place[tree, 0] + pattern_of(asks, thresholds, tree, both)
            total += value[place[tree, 1] + np.uint64(leaf[at])]
        out[i] = total


@njit(cache=True, nogil=True, error_model="numpy")
def explain(
    asks: np.ndarray,
    thresholds: np.ndarray,
    place: np.ndarray,
    slots: np.ndarray,
    told: np.ndarray,
    rows: np.ndarray,
    out: np.ndarray,
) -> None:
    """Add what each feature adds to the raw output to float64[n, f + 1], whose last stays."""
    both = np.empty(2 * rows.shape[1])
    for i in range(rows.shape[0]):
        twice(rows[i], both)
        for tree in range(asks.shape[0]):
            at = place[tree, 0] + pattern_of(asks, thresholds, tree, both)
            for slot in range(MOST_SPLITS):
                out[i, slots[tree, slot]] += told[at, slot]


class Swaps(NamedTuple):
    """One column's answers settled for m values. keep: uint8[t], the bits of the splits that ask
    of other columns. chosen: uint8[t, m], the others' bits for each value."""

    keep: npt.NDArray[np.uint8]
    chosen: npt.NDArray[np.uint8]


def swaps_of(trees: Trees, asks: npt.NDArray[np.int64], sides: npt.NDArray[np.int64]) -> Swaps:
    """Settle the splits `asks` int64[a]; sides: int64[a, m], 1 where one sends a value left."""
    count = len(trees.splits) - 1
    keep, chosen = np.full(count, 255, np.uint8), np.zeros((count, sides.shape[1]), np.uint8)
    own = np.searchsorted(trees.splits, asks, side="right") - 1
    bits = np.uint8(1) << (asks - trees.splits[own]).astype(np.uint8)
    np.bitwise_and.at(keep, own, ~bits)
    np.bitwise_or.at(chosen, own, bits[:, None] * sides.astype(np.uint8))
    return Swaps(keep, chosen)


@njit(cache=True, nogil=True, error_model="numpy")
def raw_swapped(
    asks: np.ndarray,
    thresholds: np.ndarray,
    place: np.ndarray,
    leaf: np.ndarray,
    value: np.ndarray,
    keep: np.ndarray,
    chosen: np.ndarray,
    rows: np.ndarray,
    out: np.ndarray,
) -> None:
    """Add the raw outputs of each row of float64[n, f] to float64[n, m], see `Swaps`."""
    both = np.empty(2 * rows.shape[1])
    for i in range(rows.shape[0]):
        twice(rows[i], both)
        for tree in range(asks.shape[0]):
            pattern = pattern_of(asks, thresholds, tree, both)
            if keep[tree] == 255:
                single = value[place[tree, 1] + np.uint64(leaf[place[tree, 0] + pattern])]
                for k in range(chosen.shape[1]):
                    out[i, k] += single
                continue
            kept = place[tree, 0] + (pattern & np.uint64(keep[tree]))
            for k in range(chosen.shape[1]):
                out[i, k] += value[
                    place[tree, 1] + np.uint64(leaf[kept + np.uint64(chosen[tree, k])])
                ]
