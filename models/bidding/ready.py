"""A model laid out for bids: what words say is worked out beforehand, what is read is small.

Every split that sends a row to the right rules out the leaves to its left; the first leaf that is
not ruled out is the answer (QuickScorer; Lucchese and others, SIGIR 2015). A tree of eight leaves
is a byte, so a word says one byte of every tree: what candidates share is put together once a
scene, what lines and creatives say once a model. Both forests side by side. The same numbers as
BiddingModel.value. Knows nothing of prices.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from models.bidding.candidates import MOST_SPLITS, WORDS_BELOW, sent_left
from models.bidding.columns import BUCKETS, CATEGORIES, SHARED
from models.bidding.model import BiddingModel, Numbers
from models.forest.trees import Trees as Forest

F64 = npt.NDArray[np.float64]
I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]
U8 = npt.NDArray[np.uint8]
LEAVES = MOST_SPLITS + 1
_ALL = 0xFF
_FIRST = np.array([8, *((n & -n).bit_length() - 1 for n in range(1, 256))], np.uint8)
"""Place of the lowest bit of a byte."""


class Trees(NamedTuple):
    """t trees: first those of clicks, from `cut` on those of conversions.

    splits: int32[s, 4], of splits by a number the number's place among those of a request, 1 where
    a missing one goes left, the tree, and the leaves left over when it goes right. thresholds:
    float64[s]. value: float64[t, 8], of leaves from left to right. numbers: see
    BiddingModel.kernel.
    """

    splits: I32
    thresholds: F64
    value: F64
    cut: int
    numbers: Numbers


class ReadyModel(NamedTuple):
    """shared: uint8[8, 256, t], own: uint8[3, 256, t], leaves left over by each word of each
    column. variance: float64[2, words · BUCKETS], see models.bidding.evidence."""

    trees: Trees
    shared: U8
    own: U8
    variance: F64

    def scene(self, codes: I64) -> tuple[U8, tuple[float, float]]:
        """Answer the leaves that shared words leave over, uint8[t], and their summed variances.

        codes: int64[8], of the words of models.bidding.columns.SHARED.
        """
        left = np.bitwise_and.reduce(self.shared[np.arange(len(SHARED)), codes], axis=0)
        doubts = self._doubts(codes[None, :], 0)[0]
        return np.ascontiguousarray(left), (float(doubts[0]), float(doubts[1]))

    def lines(self, codes: I64) -> tuple[U8, F64]:
        """Answer the leaves that own words of n candidates leave over, uint8[n, t], and their
        summed variances, float64[n, 2]. codes: int64[n, 3], of the words of columns.OWN."""
        one, two, three = (self.own[place, codes[:, place]] for place in range(3))
        return np.ascontiguousarray(one & two & three), self._doubts(codes, len(SHARED))

    def _doubts(self, codes: I64, first: int) -> F64:
        places = codes + (first + np.arange(codes.shape[1])) * BUCKETS
        return np.asarray(self.variance[:, places].sum(axis=-1).T, np.float64)


def ready_of(model: BiddingModel) -> ReadyModel:
    """Lay a model out."""
    numbers, variance = model.kernel[2:4]
    forests = (model.click.forest.trees, model.conversion.forest.trees)
    counts = [len(forest.splits) - 1 for forest in forests]
    words = np.full((len(CATEGORIES), WORDS_BELOW, sum(counts)), _ALL, np.uint8)
    value = np.zeros((sum(counts), LEAVES))
    splits: list[tuple[int, int, int, int]] = []
    thresholds: list[float] = []
    column_of = {column: place for place, column in enumerate(CATEGORIES)}
    tree = 0
    for forest in forests:
        for number in range(len(forest.splits) - 1):
            order, over = _ruled_out(forest, number)
            value[tree, : len(order)] = forest.value[forest.leaves[number] + np.array(order)]
            first = int(forest.splits[number])
            for node, rest in enumerate(over):
                split, column = first + node, int(forest.feature[first + node])
                if column in column_of:
                    right = np.where(sent_left(forest, split) > 0, _ALL, rest).astype(np.uint8)
                    words[column_of[column], :, tree] &= right
                else:
                    missing = int(forest.missing_left[split])
                    splits.append((column - len(SHARED), missing, tree, rest))
                    thresholds.append(float(forest.threshold[split]))
            tree += 1
    trees = Trees(
        np.array(splits, np.int32).reshape(-1, 4), np.array(thresholds, np.float64), value,
        counts[0], numbers,
    )  # fmt: skip
    shared, own = (np.ascontiguousarray(part) for part in np.split(words, [len(SHARED)]))
    return ReadyModel(trees, shared, own, variance)


def _ruled_out(forest: Forest, tree: int) -> tuple[list[int], list[int]]:
    """Answer a tree's leaves from left to right, and of each split the leaves left over, as bits,
    when it sends a row to the right."""
    first, last = int(forest.splits[tree]), int(forest.splits[tree + 1])
    order: list[int] = []
    over = [_ALL] * (last - first)

    def walk(node: int) -> int:
        if node < 0:
            order.append(~node)
            return 1 << (len(order) - 1)
        left = walk(int(forest.left[first + node]))
        over[node] = _ALL & ~left
        return left | walk(int(forest.right[first + node]))

    walk(0 if last > first else ~0)
    return order, over


@njit(cache=True, nogil=True, error_model="numpy")
def raw_of_lines(
    trees: Trees, scene: U8, known: F64, own: U8, rows: I64, out: tuple[F64, F64]
) -> None:
    """Add both forests' outputs of n candidates to out, float64[n] of clicks and of conversions.

    scene: uint8[t]. known: float64[k], the request's scores and numbers. own: uint8[m, t].
    rows: int64[n], the rows of `own` that are asked for.
    """
    splits, thresholds, value = trees.splits, trees.thresholds, trees.value
    over = scene.copy()
    for split in range(splits.shape[0]):
        asked = known[splits[split, 0]]
        left = (asked <= thresholds[split]) | ((asked != asked) & (splits[split, 1] == 1))
        over[splits[split, 2]] &= np.uint8(255 if left else splits[split, 3])
    for place in range(rows.shape[0]):
        line = own[rows[place]]
        total = out[0][place]
        for tree in range(trees.cut):
            total += value[tree, _FIRST[over[tree] & line[tree]]]
        out[0][place] = total
        total = out[1][place]
        for tree in range(trees.cut, value.shape[0]):
            total += value[tree, _FIRST[over[tree] & line[tree]]]
        out[1][place] = total
