"""A model laid out for bids: what words say is worked out beforehand, what is read is small.

Both forests side by side. A pattern is a tree's splits as bits, 1 for those that go left; patterns
of what candidates share are made once a scene, those of lines and creatives once a model, and a
tree's output is a table of patterns and one of leaves. The same numbers as BiddingModel.value.
Knows nothing of prices.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from models.bidding.candidates import Fan
from models.bidding.columns import BUCKETS, SHARED
from models.bidding.model import BiddingModel, Numbers

F64 = npt.NDArray[np.float64]
I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]
U8 = npt.NDArray[np.uint8]
LEAVES = 8
"""Outputs of a tree at most."""


class Trees(NamedTuple):
    """t trees: first those of clicks, from `cut` on those of conversions.

    splits: int32[s, 4], of splits by a number the number's place among those of a request, 1 where
    a missing one goes left, the tree and the bit. thresholds: float64[s]. leaf: uint8[t, 128], the
    leaf of every pattern. value: float64[t, 8]. numbers: see BiddingModel.kernel.
    """

    splits: I32
    thresholds: F64
    leaf: U8
    value: F64
    cut: int
    numbers: Numbers


class ReadyModel(NamedTuple):
    """shared: uint8[8, 256, t], own: uint8[3, 256, t], what each word of each column says.
    variance: float64[2, words · BUCKETS], see models.bidding.evidence."""

    trees: Trees
    shared: U8
    own: U8
    variance: F64

    def scene(self, codes: I64) -> tuple[U8, tuple[float, float]]:
        """Answer what shared words say, uint8[t], and their summed variances.

        codes: int64[8], of the words of models.bidding.columns.SHARED.
        """
        pattern = np.bitwise_or.reduce(self.shared[np.arange(len(SHARED)), codes], axis=0)
        doubts = self._doubts(codes[None, :], 0)[0]
        return np.ascontiguousarray(pattern), (float(doubts[0]), float(doubts[1]))

    def lines(self, codes: I64) -> tuple[U8, F64]:
        """Answer what own words of n candidates say, uint8[n, t], and their summed variances,
        float64[n, 2]. codes: int64[n, 3], of the words of models.bidding.columns.OWN."""
        one, two, three = (self.own[place, codes[:, place]] for place in range(3))
        return np.ascontiguousarray(one | two | three), self._doubts(codes, len(SHARED))

    def _doubts(self, codes: I64, first: int) -> F64:
        places = codes + (first + np.arange(codes.shape[1])) * BUCKETS
        return np.asarray(self.variance[:, places].sum(axis=-1).T, np.float64)


def ready_of(model: BiddingModel) -> ReadyModel:
    """Lay a model out."""
    click, conversion, numbers, variance, _ = model.kernel
    fans = (click, conversion)
    cut = len(click.value)
    splits = [
        np.stack([fan.number_column - len(SHARED), fan.missing_left, fan.number_tree + first,
                  fan.number_bit], axis=1).astype(np.int32)
        for fan, first in zip(fans, (0, cut), strict=True)
    ]  # fmt: skip
    words = np.concatenate([fan.words for fan in fans], axis=2)
    leaves = [_leaves(fan) for fan in fans]
    trees = Trees(
        np.ascontiguousarray(np.concatenate(splits)),
        np.concatenate([fan.threshold for fan in fans]),
        np.concatenate([leaf for leaf, _ in leaves]),
        np.concatenate([value for _, value in leaves]),
        cut,
        numbers,
    )
    own = np.ascontiguousarray(words[len(SHARED) :])
    return ReadyModel(trees, np.ascontiguousarray(words[: len(SHARED)]), own, variance)


def _leaves(fan: Fan) -> tuple[U8, F64]:
    """Answer uint8[t, 128] and float64[t, 8]: few outputs, however many patterns lead to them."""
    leaf = np.zeros(fan.value.shape, np.uint8)
    value = np.zeros((len(fan.value), LEAVES))
    for tree, outputs in enumerate(fan.value):
        distinct, places = np.unique(outputs[: 1 << fan.sizes[tree]], return_inverse=True)
        leaf[tree, : len(places)] = places
        value[tree, : len(distinct)] = distinct
    return leaf, value


@njit(cache=True, nogil=True, error_model="numpy")
def raw_of_lines(
    trees: Trees, scene: U8, known: F64, own: U8, rows: I64, out: tuple[F64, F64]
) -> None:
    """Add both forests' outputs of n candidates to out, float64[n] of clicks and of conversions.

    scene: uint8[t]. known: float64[k], the request's scores and numbers. own: uint8[m, t].
    rows: int64[n], the rows of `own` that are asked for.
    """
    splits, thresholds, leaf, value = trees.splits, trees.thresholds, trees.leaf, trees.value
    pattern = scene.copy()
    for split in range(splits.shape[0]):
        asked = known[splits[split, 0]]
        left = (asked <= thresholds[split]) | ((asked != asked) & (splits[split, 1] == 1))
        pattern[splits[split, 2]] |= np.uint8(splits[split, 3] * left)
    for place in range(rows.shape[0]):
        line = own[rows[place]]
        total = out[0][place]
        for tree in range(trees.cut):
            total += value[tree, leaf[tree, pattern[tree] | line[tree]]]
        out[0][place] = total
        total = out[1][place]
        for tree in range(trees.cut, leaf.shape[0]):
            total += value[tree, leaf[tree, pattern[tree] | line[tree]]]
        out[1][place] = total
