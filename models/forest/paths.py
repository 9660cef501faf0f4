"""Shapley values of one tree: what each feature adds to the leaf a row falls into.

The path-dependent values of Lundberg et al. 2018 ("Consistent individualized feature
attribution for tree ensembles", algorithm 2), where a split on a feature left out sends a row
both ways by training's covers. They are computed leaf by leaf as an integral: with z the share
that reaches the leaf when a feature is left out and o = 1 where the row's value leads there,
feature j of a path gets value * (o_j - z_j) * integral over t in (0, 1) of the product, over
the other features k, of z_k * (1 - t) + o_k * t. That is a polynomial, so Gauss-Legendre nodes
give it exactly, and all its factors are positive, so deep trees lose no digits to cancelling.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from models.forest.trees import Trees, settled

MOST_NODES = 64
"""Exact up to 128 features on one path; beyond, within rounding."""


class Paths(NamedTuple):
    """The way from the root to each of l leaves; leaf i's steps lie at start[i]:start[i+1].

    start: int64[l+1]. split: int32, counted from the tree's first. left: uint8, the side that
    leads to the leaf. place: int32, which of the path's distinct features is asked. count:
    int32[l], how many there are; of these, at start[i]+0, start[i]+1 and so on: feature:
    int32; share: float64, the z above.
    """

    start: npt.NDArray[np.int64]
    split: npt.NDArray[np.int32]
    left: npt.NDArray[np.uint8]
    place: npt.NDArray[np.int32]
    count: npt.NDArray[np.int32]
    feature: npt.NDArray[np.int32]
    share: npt.NDArray[np.float64]


class Quadrature(NamedTuple):
    """Gauss-Legendre rules on (0, 1): nodes and weights float64[q, q], row i of i nodes."""

    nodes: npt.NDArray[np.float64]
    weights: npt.NDArray[np.float64]


def quadrature(features: int) -> Quadrature:
    """Answer the rules for paths of up to `features` distinct features."""
    most = min((features + 1) // 2, MOST_NODES)
    nodes, weights = np.full((most + 1, most), 0.5), np.zeros((most + 1, most))
    for size in range(1, most + 1):
        places, shares = np.polynomial.legendre.leggauss(size)
        nodes[size, :size], weights[size, :size] = (places + 1) / 2, shares / 2
    return Quadrature(settled(nodes, np.float64), settled(weights, np.float64))


def paths_of(trees: Trees) -> Paths:
    """Answer the paths to all leaves."""
    start = np.zeros(len(trees.value) + 1, np.int64)
    _lengths(trees, start)
    return Paths(*(settled(array, array.dtype.type) for array in _fill(trees, start)))


@njit(cache=True, nogil=True, error_model="numpy")
def _parents(trees: Trees, tree: int) -> np.ndarray:
    """Answer int64[splits + leaves]: the parent split of every split, then of every leaf."""
    first, size = trees.splits[tree], trees.splits[tree + 1] - trees.splits[tree]
    parents = np.full(2 * size + 1, -1, np.int64)
    for split in range(size):
        for child in (trees.left[first + split], trees.right[first + split]):
            parents[child if child >= 0 else size + ~child] = split
    return parents


@njit(cache=True, nogil=True, error_model="numpy")
def _lengths(trees: Trees, start: np.ndarray) -> None:
    for tree in range(trees.splits.shape[0] - 1):
        size = trees.splits[tree + 1] - trees.splits[tree]
        parents = _parents(trees, tree)
        for leaf in range(size + 1):
            depth = 0
            node = parents[size + leaf]
            while node >= 0:
                depth += 1
                node = parents[node]
            at = trees.leaves[tree] + leaf
            start[at + 1] = start[at] + depth


@njit(cache=True, nogil=True, error_model="numpy")
def _cover(trees: Trees, tree: int, child: int) -> float:
    if child >= 0:
        return float(trees.cover[trees.splits[tree] + child])
    return float(trees.leaf_cover[trees.leaves[tree] + ~child])


@njit(cache=True, nogil=True, error_model="numpy")
def _fill(trees: Trees, start: np.ndarray) -> tuple:
    total = start[-1]
    split_, left_ = np.empty(total, np.int32), np.empty(total, np.uint8)
    place_, feature_ = np.empty(total, np.int32), np.zeros(total, np.int32)
    share_, count_ = np.ones(total, np.float64), np.zeros(trees.value.shape[0], np.int32)
    for tree in range(trees.splits.shape[0] - 1):
        first, size = trees.splits[tree], trees.splits[tree + 1] - trees.splits[tree]
        parents = _parents(trees, tree)
        for leaf in range(size + 1):
            at = trees.leaves[tree] + leaf
            here, child, step = start[at], ~leaf, start[at + 1] - 1
            node = parents[size + leaf]
            while node >= 0:
                asked = trees.feature[first + node]
                place = 0
                while place < count_[at] and feature_[here + place] != asked:
                    place += 1
                if place == count_[at]:
                    feature_[here + place] = asked
                    count_[at] += 1
                split_[step], place_[step] = node, place
                left_[step] = trees.left[first + node] == child
                whole = trees.cover[first + node]
                # A split that no row reached in training sends half each way.
                share_[here + place] *= (
                    _cover(trees, tree, int(child)) / whole if whole > 0 else 0.5
                )
                child, node = node, parents[node]
                step -= 1
    return start, split_, left_, place_, count_, feature_, share_


@njit(cache=True, nogil=True, error_model="numpy")
def add_values(
    trees: Trees,
    paths: Paths,
    rule: Quadrature,
    tree: int,
    went_left: np.ndarray,
    hot: np.ndarray,
    factors: np.ndarray,
    out: np.ndarray,
) -> None:
    """Add the Shapley values of one tree to `out` (float64[features]).

    went_left: uint8[splits of the tree], where the row goes at every split, also at those it
    does not reach. hot: uint8, factors: float64, to write on, as long as the longest path.
    """
    for leaf in range(trees.leaves[tree], trees.leaves[tree + 1]):
        here, count = paths.start[leaf], paths.count[leaf]
        hot[:count] = 1
        for step in range(here, paths.start[leaf + 1]):
            if went_left[paths.split[step]] != paths.left[step]:
                hot[paths.place[step]] = 0
        size = min((count + 1) // 2, rule.nodes.shape[1])
        for node in range(size):
            t = rule.nodes[size, node]
            product = trees.value[leaf] * rule.weights[size, node]
            for place in range(count):
                factors[place] = paths.share[here + place] * (1 - t) + (t if hot[place] else 0.0)
                product *= factors[place]
            cold = product / (1 - t)
            for place in range(count):
                feature = paths.feature[here + place]
                if hot[place]:
                    out[feature] += product / factors[place] * (1 - paths.share[here + place])
                else:
                    out[feature] -= cold


@njit(cache=True, nogil=True, error_model="numpy")
def expected(trees: Trees, paths: Paths) -> float:
    """Answer the mean output over the rows of training: each leaf by its share of the covers."""
    total = 0.0
    for leaf in range(trees.value.shape[0]):
        share = 1.0
        for place in range(paths.count[leaf]):
            share *= paths.share[paths.start[leaf] + place]
        total += share * trees.value[leaf]
    return total
