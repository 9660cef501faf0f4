"""Computing the graph filter: normalised co-occurrence, and its truncated spectrum on top.

With R = D_u^-1/2 X D_i^-p, what users have divided by how much they have and how often it is had,
and U the first right singular vectors of R, the weights from item to item are
R'R + mix * D_i^-1/2 U U' D_i^1/2 (GF-CF: Shen et al., 2021, where p is 1/2). Knows nothing of
serving.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from numba import njit
from threadpoolctl import threadpool_limits

from models.recommend.graph_filter import GraphFilter
from models.recommend.topk import select
from training.fit.factors import user_items
from training.splits import Interactions

MANY_ITEMS = 60_000
"""Above so many items the spectrum is left out: it touches every pair of items."""
_STRETCH = 256
_SPARE, _PASSES = 16, 5


def leading_right(rows: sp.csr_matrix, count: int, seed: int) -> npt.NDArray[np.float32]:
    """Answer float32[n, d] right singular vectors of the largest d <= count singular values.

    By random projection and subspace iteration (Halko, Martinsson and Tropp, 2011).
    """
    users, n = len(rows.indptr) - 1, rows.T.tocsr().indptr.size - 1
    wide = min(count + _SPARE, users, n)
    start = np.random.default_rng(seed).standard_normal((users, wide))
    basis = np.linalg.qr(rows.T @ start.astype(np.float32))[0]
    for _ in range(_PASSES):
        basis = np.linalg.qr(rows.T @ (rows @ basis))[0]
    turn = np.linalg.svd(np.linalg.qr(rows @ basis)[1], full_matrices=False)[2]
    return (basis @ turn.T)[:, :count].astype(np.float32)


@njit(cache=True, nogil=True, error_model="numpy")
def keep_largest(
    rows: np.ndarray, sizes: np.ndarray, targets: np.ndarray, weights: np.ndarray
) -> None:
    """Write the largest entries by size of each row of float32[r, n], in the order of items.

    targets, weights: [r, edges]; sizes: int64[r], how many there were other than 0.
    """
    for r in range(rows.shape[0]):
        heights = np.abs(rows[r])
        best = np.empty(min(targets.shape[1], rows.shape[1]), np.int32)
        found = select(heights, np.ones(0, np.bool_), best)
        while found and heights[best[found - 1]] == 0:
            found -= 1
        chosen = np.sort(best[:found])
        for place in range(found):
            targets[r, place], weights[r, place] = chosen[place], rows[r, chosen[place]]
        sizes[r] = found


def fit_graph_filter(known: Interactions, params: dict[str, Any], seed: int) -> GraphFilter:
    """Compute the filter of the known events.

    params: item_power (p), mix (of the spectrum), factors (its vectors), edges (most per item),
    own (edges from an item to itself), decay (of the history when serving). Memory: 16 bytes for
    each pair of items had together, 12 * n * edges, and 4 * n * 256.
    """
    n, edges = known.n_items, int(params["edges"])
    held = user_items(known)
    by_user = np.maximum(np.asarray(held.sum(axis=1)).ravel(), 1e-9)
    by_item = np.asarray(held.sum(axis=0)).ravel()
    by_item = np.where(by_item > 0, by_item, 1.0)
    normal = sp.diags(by_user**-0.5) @ held @ sp.diags(by_item ** -params["item_power"])
    normal = sp.csr_matrix(normal, dtype=np.float32)
    near = (normal.T @ normal).tocsr()
    mix = params["mix"] if n <= MANY_ITEMS else 0.0
    sizes = np.zeros(n, np.int64)
    targets, weights = np.zeros((n, edges), np.int32), np.zeros((n, edges), np.float32)
    with threadpool_limits(1, user_api="blas"):
        if mix:
            smooth = leading_right(normal, int(params["factors"]), seed)
            give = (mix * smooth / np.sqrt(by_item)[:, None]).astype(np.float32)
            take = (smooth * np.sqrt(by_item)[:, None]).astype(np.float32).T
        for start in range(0, n, _STRETCH):
            mine = slice(start, min(start + _STRETCH, n))
            rows = near[mine].toarray()
            if mix:
                rows += give[mine] @ take
            if not params["own"]:
                rows[np.arange(len(rows)), np.arange(mine.start, mine.stop)] = 0
            keep_largest(rows, sizes[mine], targets[mine], weights[mine])
    kept = np.arange(edges) < sizes[:, None]
    ends = np.concatenate([[0], np.cumsum(sizes)])
    return GraphFilter(ends, targets[kept], weights[kept], params["decay"])
