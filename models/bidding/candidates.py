"""A forest's output for candidates that share most of their columns, in one pass over its trees.

A small tree is a table: one output for every way its splits may go. What candidates share is asked
once for all of them, what tells them apart is asked of each, and neither takes a branch that no
processor could foresee. The same numbers as `Forest.raw` of whole rows. Knows nothing of what the
columns mean, only which are words (whole numbers below WORDS_BELOW, as hashed).
"""

from collections.abc import Collection
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from models.forest.trees import NUMERIC, Trees, goes_left, settled

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]

WORDS_BELOW = 256
MOST_SPLITS = 7
_LIMBS = WORDS_BELOW // 64


class Fan(NamedTuple):
    """t trees, their splits parted in three: shared numbers, shared words, own words.

    Of each part: where a tree's splits begin (int64[t+1]), each one's column and the bit it sets
    in a pattern. threshold, missing_left: of numbers. shared_mask, own_mask: uint64[s, 4], the
    words that go left. start: int64[t], where a tree's outputs begin in value: float64, one a
    pattern.
    """

    numbers: I64
    number_column: I64
    number_bit: I64
    threshold: F64
    missing_left: npt.NDArray[np.bool_]
    shared: I64
    shared_column: I64
    shared_bit: I64
    shared_mask: npt.NDArray[np.uint64]
    own: I64
    own_column: I64
    own_bit: I64
    own_mask: npt.NDArray[np.uint64]
    start: I64
    value: F64


def fan_of(trees: Trees, common: int, words: Collection[int]) -> Fan:
    """Answer the trees laid out for candidates.

    common: how many columns are shared; those after are each one's own, and all of them words.
    words: the columns that are words. Raises ValueError for a tree of more than MOST_SPLITS
    splits, and for one that asks a number in another way than by a threshold.
    """
    parts: tuple[list[int], list[int], list[int]] = ([], [], [])
    begins: tuple[list[int], list[int], list[int]] = ([0], [0], [0])
    bits = np.zeros(len(trees.feature), np.int64)
    start, values = [0], [np.zeros(0)]
    for tree in range(len(trees.splits) - 1):
        first, size = int(trees.splits[tree]), int(np.diff(trees.splits)[tree])
        if size > MOST_SPLITS:
            raise ValueError(f"trees of {MOST_SPLITS} splits at most are laid out for candidates")
        for split in range(first, first + size):
            column = int(trees.feature[split])
            bits[split] = split - first
            if column not in words and (column >= common or trees.kind[split] != NUMERIC):
                raise ValueError("a number is shared and asked by a threshold")
            place = 2 if column >= common else (1 if column in words else 0)
            parts[place].append(split)
        for place, begin in enumerate(begins):
            begin.append(len(parts[place]))
        values.append(_outputs(trees, tree))
        start.append(start[-1] + len(values[-1]))
    numbers, shared, own = (np.array(part, np.int64) for part in parts)
    return Fan(
        settled(begins[0], np.int64),
        settled(trees.feature[numbers], np.int64),
        settled(bits[numbers], np.int64),
        settled(trees.threshold[numbers], np.float64),
        settled(trees.missing_left[numbers], np.bool_),
        settled(begins[1], np.int64),
        settled(trees.feature[shared], np.int64),
        settled(bits[shared], np.int64),
        settled(_masks(trees, shared), np.uint64),
        settled(begins[2], np.int64),
        settled(trees.feature[own] - common, np.int64),
        settled(bits[own], np.int64),
        settled(_masks(trees, own), np.uint64),
        settled(start[:-1], np.int64),
        settled(np.concatenate(values), np.float64),
    )


@njit(cache=True, nogil=True, error_model="numpy")
def _masks(trees: Trees, splits: I64) -> npt.NDArray[np.uint64]:
    """Ask each split about every word there can be."""
    out = np.zeros((splits.shape[0], _LIMBS), np.uint64)
    for row in range(splits.shape[0]):
        for word in range(WORDS_BELOW):
            if goes_left(trees, splits[row], float(word)):
                out[row, word >> 6] |= np.uint64(1) << np.uint64(word & 63)
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def _outputs(trees: Trees, tree: int) -> F64:
    """Answer the output of every pattern; bit i says that split i goes left."""
    first = trees.splits[tree]
    size = trees.splits[tree + 1] - first
    out = np.empty(1 << size)
    for pattern in range(out.shape[0]):
        node = np.int64(0 if size > 0 else ~0)
        while node >= 0:
            left = (pattern >> node) & 1
            node = np.int64(trees.left[first + node] if left else trees.right[first + node])
        out[pattern] = trees.value[trees.leaves[tree] + ~node]
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def codes_of(row: F64, out: I64) -> None:
    """Write the words of a row as whole numbers; what is none becomes 0 and is never asked."""
    for column in range(row.shape[0]):
        value = row[column]
        out[column] = np.int64(value) if 0.0 <= value < WORDS_BELOW else 0


@njit(cache=True, nogil=True, error_model="numpy")
def raw_of_candidates(fan: Fan, common: F64, codes: I64, own: I64, out: F64) -> None:
    """Add the outputs of n candidates to out, float64[n].

    common: float64[s], what is shared. codes: int64[s], the same as `codes_of` gives it. own:
    int64[n, k], the words that tell candidates apart, each below WORDS_BELOW.
    """
    one, low, n = np.uint64(1), np.uint64(63), out.shape[0]
    patterns = np.empty(n, np.int64)
    numbers, number_column, number_bit = fan.numbers, fan.number_column, fan.number_bit
    threshold, missing_left = fan.threshold, fan.missing_left
    shared, shared_column, shared_bit = fan.shared, fan.shared_column, fan.shared_bit
    own_from, own_column, own_bit = fan.own, fan.own_column, fan.own_bit
    shared_mask, own_mask, start, value = fan.shared_mask, fan.own_mask, fan.start, fan.value
    for tree in range(start.shape[0]):
        pattern = np.int64(0)
        for s in range(numbers[tree], numbers[tree + 1]):
            asked = common[number_column[s]]
            left = (asked <= threshold[s]) | ((asked != asked) & missing_left[s])
            pattern |= np.int64(left) << number_bit[s]
        for s in range(shared[tree], shared[tree + 1]):
            code = codes[shared_column[s]]
            left = (shared_mask[s, code >> 6] >> (np.uint64(code) & low)) & one
            pattern |= np.int64(left) << shared_bit[s]
        first, last, place = own_from[tree], own_from[tree + 1], start[tree]
        for row in range(n):
            patterns[row] = place + pattern
        # Split by split over all candidates: loops of one length, which a processor foresees.
        for s in range(first, last):
            column, bit = own_column[s], own_bit[s]
            for row in range(n):
                code = own[row, column]
                left = (own_mask[s, code >> 6] >> (np.uint64(code) & low)) & one
                patterns[row] += np.int64(left) << bit
        for row in range(n):
            out[row] += value[patterns[row]]
