"""A forest's output for candidates that share most of their columns, in one pass over its trees.

A small tree is a table: one output for every way its splits may go. Which way a word sends the
splits of every tree is worked out beforehand, so a word costs one byte a tree; what candidates
share is asked once for all of them. The same numbers as `Forest.raw` of whole rows. Knows nothing
of what the columns mean, only which are words (whole numbers below WORDS_BELOW, as hashed).
"""

from collections.abc import Collection
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from models.forest.trees import NUMERIC, Trees, goes_left, settled

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
U8 = npt.NDArray[np.uint8]

WORDS_BELOW = 256
MOST_SPLITS = 7
_PATTERNS = 1 << MOST_SPLITS


class Fan(NamedTuple):
    """t trees. A pattern is a tree's splits as bits, 1 for those that go left.

    words: uint8[w, 256, t], the bits that each word of each column of words sets; the first
    `shared` columns are shared, in the order of column: int64[w]. number_column, threshold,
    missing_left, number_tree, number_bit: one a split by a number. value: float64[t, 128], the
    output of every pattern.
    """

    words: U8
    column: I64
    shared: int
    number_column: I64
    threshold: F64
    missing_left: npt.NDArray[np.bool_]
    number_tree: I64
    number_bit: U8
    value: F64


def fan_of(trees: Trees, common: int, words: Collection[int]) -> Fan:
    """Answer the trees laid out for candidates.

    common: how many columns are shared; those after are each one's own, and all of them words.
    words: the columns that are words. Raises ValueError for a tree of more than MOST_SPLITS
    splits, and for one that asks a number in another way than by a threshold.
    """
    count = len(trees.splits) - 1
    columns = sorted(words)
    place_of = {column: place for place, column in enumerate(columns)}
    patterns = np.zeros((len(columns), WORDS_BELOW, count), np.uint8)
    value = np.zeros((count, _PATTERNS))
    numbers: list[tuple[int, int, int]] = []
    for tree in range(count):
        first, size = int(trees.splits[tree]), int(np.diff(trees.splits)[tree])
        if size > MOST_SPLITS:
            raise ValueError(f"trees of {MOST_SPLITS} splits at most are laid out for candidates")
        for bit, split in enumerate(range(first, first + size)):
            column = int(trees.feature[split])
            if column in place_of:
                patterns[place_of[column], :, tree] |= sent_left(trees, split) << np.uint8(bit)
            elif column >= common or trees.kind[split] != NUMERIC:
                raise ValueError("a number is shared and asked by a threshold")
            else:
                numbers.append((split, tree, bit))
        outputs = _outputs(trees, tree)
        value[tree, : len(outputs)] = outputs
    splits = np.array([split for split, _, _ in numbers], np.int64)
    return Fan(
        settled(patterns, np.uint8),
        settled(columns, np.int64),
        sum(column < common for column in columns),
        settled(trees.feature[splits], np.int64),
        settled(trees.threshold[splits], np.float64),
        settled(trees.missing_left[splits], np.bool_),
        settled([tree for _, tree, _ in numbers], np.int64),
        settled([1 << bit for _, _, bit in numbers], np.uint8),
        settled(value, np.float64),
    )


@njit(cache=True, nogil=True, error_model="numpy")
def sent_left(trees: Trees, split: int) -> U8:
    """Answer uint8[256]: of every word there can be whether it goes left, 1 or 0."""
    out = np.zeros(WORDS_BELOW, np.uint8)
    for word in range(WORDS_BELOW):
        out[word] = 1 if goes_left(trees, split, float(word)) else 0
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
    words, column, value = fan.words, fan.column, fan.value
    count, common_size = value.shape[0], common.shape[0]
    shared, pattern = np.zeros(count, np.uint8), np.empty(count, np.uint8)
    for place in range(fan.shared):
        row = words[place, codes[column[place]]]
        for tree in range(count):
            shared[tree] |= row[tree]
    number_column, threshold, missing_left = fan.number_column, fan.threshold, fan.missing_left
    number_tree, number_bit = fan.number_tree, fan.number_bit
    for split in range(number_column.shape[0]):
        asked = common[number_column[split]]
        left = (asked <= threshold[split]) | ((asked != asked) & missing_left[split])
        shared[number_tree[split]] |= number_bit[split] * np.uint8(left)
    for candidate in range(out.shape[0]):
        pattern[:] = shared
        for place in range(fan.shared, column.shape[0]):
            row = words[place, own[candidate, column[place] - common_size]]
            for tree in range(count):
                pattern[tree] |= row[tree]
        total = out[candidate]
        for tree in range(count):
            total += value[tree, pattern[tree]]
        out[candidate] = total
