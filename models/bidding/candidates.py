"""A forest's output for candidates that share most of their columns, in one pass over its trees.

A tree is walked once for all candidates as long as its splits ask what they share; only from the
first split that asks what tells them apart does each go its own way. The same numbers as
`Forest.raw` of whole rows. Knows nothing of what the columns mean.
"""

import numpy as np
import numpy.typing as npt
from numba import njit

from models.forest.trees import Trees, goes_left

F64 = npt.NDArray[np.float64]


@njit(cache=True, nogil=True, error_model="numpy")
def raw_of_candidates(trees: Trees, common: F64, own: F64, out: F64) -> None:
    """Add the summed leaves of n candidates to out, float64[n].

    common: float64[s], columns 0 … s-1 of every row. own: float64[n, k], the columns after
    them. The forest must ask no other column.
    """
    shared = common.shape[0]
    splits, leaves, feature = trees.splits, trees.leaves, trees.feature
    left, right, value = trees.left, trees.right, trees.value
    for tree in range(splits.shape[0] - 1):
        first = splits[tree]
        node = np.int64(0 if splits[tree + 1] > first else ~0)
        while node >= 0 and feature[first + node] < shared:
            split = first + node
            went = goes_left(trees, split, common[feature[split]])
            node = np.int64(left[split] if went else right[split])
        if node < 0:
            leaf = value[leaves[tree] + ~node]
            for row in range(out.shape[0]):
                out[row] += leaf
            continue
        for row in range(out.shape[0]):
            at = node
            while at >= 0:
                split = first + at
                asked = feature[split]
                given = common[asked] if asked < shared else own[row, asked - shared]
                went = goes_left(trees, split, given)
                at = np.int64(left[split] if went else right[split])
            out[row] += value[leaves[tree] + ~at]
