"""Solving for the linear model of a history that explains best what else it holds, and what next.

Two questions share one ridge regression. What else a user has, given the rest (EASE: Steck, 2019;
users scaled by the root of what they have), and what comes next, given the fading events before
(SLIST: Choi et al., 2021). With A = both * X'X + S'S + regularisation * I and
R = both * X'X + S'T the weights are B = A^-1 R, less a multiple of A^-1's column that makes the
diagonal zero. X: what users have, S: the faded past of every event, T: the events.
Few items are solved for at once; many one by one, each among the items that go with it most.
Knows nothing of serving.
"""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.linalg as sl
import scipy.sparse as sp
from numba import njit
from threadpoolctl import threadpool_limits

from domain.clock import DAY_MS
from models.recommend.ease import Ease
from models.recommend.topk import select
from training.fit.factors import user_items
from training.splits import Interactions

DENSE_ITEMS = 4_000
"""Up to so many items are solved for at once: three float32[n, n], 0.2 GB and some seconds."""
SPARSE_ITEMS = 15_000
"""Above so many items each is solved for among fewer, so that the time grows no further."""
LEAST_SOURCES = 24
_FADED, _REACH = 0.02, 30
_AT_ONCE = 5_000_000
"""Pairs of events added up together: more take more memory, fewer more time."""


class Sums(NamedTuple):
    """Float32[n, n] sums over a log: `left` is A without regularisation, `right` is R.

    undirected: the part of both that says what else, not what next.
    """

    left: sp.csr_matrix
    right: sp.csr_matrix
    undirected: sp.csr_matrix


def _following(
    known: Interactions, weights: npt.NDArray[np.float64], fading: float
) -> tuple[sp.csr_matrix, sp.csr_matrix]:
    """Answer (S'S, S'T), where row j of S holds fading^(j - i - 1) for each event i before j.

    A pair of events i <= k stands in every row after k: that is a geometric series. Distances
    with less than _FADED, and above _REACH, are left out.
    """
    n, items = known.n_items, known.items
    places = np.arange(len(items))
    first = np.repeat(known.offsets[:-1], np.diff(known.offsets))
    after = np.repeat(known.offsets[1:], np.diff(known.offsets)) - 1 - places
    rows = after if fading == 1 else (1 - fading ** (2.0 * after)) / (1 - fading**2)

    def sums(a: npt.NDArray[Any], b: npt.NDArray[Any], values: npt.NDArray[Any]) -> sp.csr_matrix:
        return sp.csr_matrix((values, (items[a], items[b])), shape=(n, n))

    left = sums(places, places, rows * weights * weights)
    right = sp.csr_matrix((n, n))
    waiting: list[tuple[npt.NDArray[Any], ...]] = []
    for distance in range(1, _REACH + 1):
        later = places[places - distance >= first]
        over = not len(later) or fading ** (distance - 1) < _FADED
        if not over:
            pair = weights[later - distance] * weights[later] * fading ** (distance - 1)
            waiting.append((later - distance, later, pair, pair * fading * rows[later]))
        full = len(waiting) * len(places) > _AT_ONCE
        if waiting and (over or full or distance == _REACH):
            a, b, following, shared = map(np.concatenate, zip(*waiting, strict=True))
            one = sums(a, b, shared)
            left, right = left + one + one.T, right + sums(a, b, following)
            waiting.clear()
        if over:
            break
    return left, right


def sums_of(known: Interactions, as_of: int, params: dict[str, Any]) -> Sums:
    """Add up what the regression needs; params: both, fading, half_life_days (or None)."""
    weights = known.weights.astype(np.float64)
    if params["half_life_days"] is not None:
        # On both ends of a pair, so each end takes half of the exponent.
        weights *= np.exp2(-(as_of - known.ats) / DAY_MS / params["half_life_days"] / 2)
    held = user_items(known._replace(weights=weights.astype(np.float32)))
    whole = np.asarray(held.sum(axis=1)).ravel()
    scaled = sp.diags(np.where(whole > 0, whole, 1.0) ** -0.5) @ held
    undirected = (params["both"] * (scaled.T @ scaled)).tocsr()
    left, right = _following(known, weights, params["fading"])
    return Sums(
        *(
            sp.csr_matrix(part, dtype=np.float32)
            for part in (left + undirected, right + undirected, undirected)
        )
    )


def solve_dense(sums: Sums, regularisation: float, own: bool) -> npt.NDArray[np.float32]:
    """Answer float32[n, n] weights, by one Cholesky factor of all items.

    own: whether an item may speak for itself next time; what else a user has says nothing of it.
    Raises numpy.linalg.LinAlgError unless regularisation is above 0.
    """
    left = sums.left.toarray(order="F")
    places = np.arange(len(left))
    left[places, places] += regularisation
    cholesky, invert = sl.get_lapack_funcs(("potrf", "potri"), (left,))
    factor, failed = cholesky(left, lower=1, overwrite_a=1)
    if not failed:
        factor, failed = invert(factor, lower=1, overwrite_c=1)
    if failed:
        raise np.linalg.LinAlgError("regularisation must be above 0")
    inverse = np.tril(factor)
    inverse += np.tril(factor, -1).T
    weights = inverse @ sums.right.toarray()
    if own:
        # Row by row of sparse times dense: only the diagonal is wanted.
        kept = np.asarray(sums.undirected.multiply(inverse).sum(axis=0)).ravel()
    else:
        kept = np.diagonal(weights).copy()
    weights -= inverse * (kept / np.diagonal(inverse))
    if not own:
        # Zero already, but for rounding.
        np.fill_diagonal(weights, 0)
    return weights


@njit(cache=True, nogil=True, error_model="numpy")
def _among(
    rows: tuple[np.ndarray, np.ndarray, np.ndarray],
    diagonal: np.ndarray,
    item: int,
    most: int,
) -> np.ndarray:
    """Answer the item itself, then the at most `most` others that go with it most, sorted."""
    offsets, others, values = rows
    found = np.empty(offsets[item + 1] - offsets[item], np.int32)
    heights = np.empty(found.shape[0], np.float32)
    size = 0
    for e in range(offsets[item], offsets[item + 1]):
        if others[e] != item and values[e] > 0:
            found[size] = others[e]
            heights[size] = -values[e] / np.sqrt(diagonal[others[e]])
            size += 1
    kept = min(size, most)
    out = np.empty(kept + 1, np.int32)
    out[0] = item
    best = np.argsort(heights[:size], kind="mergesort")[:kept]
    out[1:] = np.sort(found[:size][best])
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def _solve_some(
    left: tuple[np.ndarray, np.ndarray, np.ndarray],
    right: tuple[np.ndarray, np.ndarray, np.ndarray],
    undirected: tuple[np.ndarray, np.ndarray, np.ndarray],
    numbers: tuple[np.ndarray, int, bool],
    span: tuple[int, int],
    out: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    """Solve for the weights into each item of span[0]:span[1]; `right` is given by column."""
    diagonal, most, own = numbers
    sizes, sources, weights = out
    line = np.full(diagonal.shape[0], -1, np.int32)
    for item in range(span[0], span[1]):
        chosen = _among(right, diagonal, item, most)
        m = chosen.shape[0]
        for t in range(m):
            line[chosen[t]] = t
        matrix = np.zeros((m, m), np.float32)
        wanted = np.zeros((m, 3), np.float32)
        for t in range(m):
            for e in range(left[0][chosen[t]], left[0][chosen[t] + 1]):
                if line[left[1][e]] >= 0:
                    matrix[t, line[left[1][e]]] = left[2][e]
            matrix[t, t] = diagonal[chosen[t]]
        wanted[0, 1] = 1.0
        for e in range(right[0][item], right[0][item + 1]):
            if line[right[1][e]] >= 0:
                wanted[line[right[1][e]], 0] = right[2][e]
        for e in range(undirected[0][item], undirected[0][item + 1]):
            if line[undirected[1][e]] >= 0:
                wanted[line[undirected[1][e]], 2] = undirected[2][e]
        solved = np.linalg.solve(matrix, wanted)
        share = solved[0, 2 if own else 0] / solved[0, 1]
        for t in range(m):
            sources[item, t] = chosen[t]
            weights[item, t] = solved[t, 0] - share * solved[t, 1]
            line[chosen[t]] = -1
        if not own:
            # Zero already, but for rounding.
            weights[item, 0] = 0
        sizes[item] = m


def solve_among(
    sums: Sums, regularisation: float, own: bool, sources: int, threads: int
) -> sp.csr_matrix:
    """Answer float32[n, n] weights, each item solved for among those that go with it most.

    The same equations as `solve_dense`, with every weight zero but those of `sources` items:
    the largest entries of its column of R over the root of A's diagonal.
    """
    diagonal = (sums.left.diagonal() + regularisation).astype(np.float32)
    n = len(diagonal)
    parts = [sums.left, sums.right.T.tocsr(), sums.undirected]
    rows = [(part.indptr, part.indices, part.data) for part in parts]
    sizes = np.zeros(n, np.int64)
    out = sizes, np.zeros((n, sources + 1), np.int32), np.zeros((n, sources + 1), np.float32)

    def part(span: tuple[int, int]) -> None:
        _solve_some(rows[0], rows[1], rows[2], (diagonal, sources, own), span, out)

    bounds = np.linspace(0, n, threads * 8 + 1).astype(int).tolist()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(part, list(pairwise(bounds))))
    kept = np.arange(sources + 1) < sizes[:, None]
    ends = np.concatenate([[0], np.cumsum(sizes)])
    found = sp.csr_matrix((out[2][kept], out[1][kept], ends), shape=(n, n))
    return found.T.tocsr()


@njit(cache=True, nogil=True, error_model="numpy")
def _largest(offsets: np.ndarray, values: np.ndarray, edges: int, keep: np.ndarray) -> None:
    """Mark in bool[e] the `edges` entries of each row that are largest by size, none of them 0."""
    best = np.empty(edges, np.int32)
    for item in range(offsets.shape[0] - 1):
        a, b = offsets[item], offsets[item + 1]
        sizes = np.abs(values[a:b])
        if b - a > edges:
            for place in best[: select(sizes, np.ones(0, np.bool_), best)]:
                keep[a + place] = sizes[place] > 0
        else:
            keep[a:b] = sizes > 0


def pruned(weights: sp.csr_matrix, edges: int) -> sp.csr_matrix:
    """Keep the `edges` entries of each row that are largest by size, whatever their sign."""
    held = sp.csr_matrix(weights, dtype=np.float32)
    keep = np.zeros(len(held.data), np.bool_)
    _largest(held.indptr, held.data, edges, keep)
    rows = np.repeat(np.arange(len(held.indptr) - 1), np.diff(held.indptr))[keep]
    kept = (held.data[keep], (rows, held.indices[keep]))
    out = sp.csr_matrix(kept, shape=weights.shape)
    out.sort_indices()
    return out


def fit_ease(known: Interactions, as_of: int, params: dict[str, Any], threads: int) -> Ease:
    """Solve for the weights of the known events as of `as_of` (ms UTC).

    params: regularisation (above 0), both, fading, half_life_days (or None), sources (items that
    one is solved among, of more than DENSE_ITEMS), edges (most per item), own (weights from an
    item to itself), decay (of the history when serving). Memory: 12 bytes for each pair of items
    that goes together, and 12 * n * n up to DENSE_ITEMS or 8 * n * sources above.
    """
    sums = sums_of(known, as_of, params)
    own, n = bool(params["own"]), known.n_items
    with threadpool_limits(min(threads, 2) if n <= DENSE_ITEMS else 1, user_api="blas"):
        if n <= DENSE_ITEMS:
            found = sp.csr_matrix(solve_dense(sums, params["regularisation"], own))
        else:
            share = min(1.0, SPARSE_ITEMS / n) ** (1 / 3)
            sources = max(LEAST_SOURCES, int(params["sources"] * share))
            found = solve_among(sums, params["regularisation"], own, sources, threads)
    kept = pruned(found, int(params["edges"]))
    return Ease(kept.indptr, kept.indices, kept.data, params["decay"])
