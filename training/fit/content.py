"""Learning what items are: from catalogue entries to a space in which those taken together meet.

TF-IDF of an item's tokens, its leading singular vectors (latent semantic analysis; Deerwester
and others, 1990), then two ridge regressions: one from what is taken beside an item to the
content it has, one that tells what may be expected of an item nobody had. Knows nothing of
serving, and of events only which items stand near each other.
"""

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from scipy.sparse.linalg import svds
from threadpoolctl import threadpool_limits

from domain.items import Item
from models.recommend.content import Content
from models.recommend.encoder import Encoder, hashed
from models.recommend.words import Bands, numbers, tokens
from training.fit.facts import ItemFacts
from training.fit.graph import fit_graph
from training.splits import Interactions

WORDS = 20_000
"""Tokens that are learned at most, the most frequent."""
LEAST = 2
"""Items a token stands in at least."""
WIDE = 256
"""Singular vectors the regressions work with."""
NUMBERS = 32
"""Numeric attributes that get bands."""
BANDS = 10
_DENSE = 2_000_000
_NEAR: dict[str, Any] = {
    "window": 10,
    "decay": 1.0,
    "reverse": 1.0,
    "row_power": 1.0,
    "column_power": 0.0,
    "half_life_days": None,
    "edges": 150,
    "own": False,
}
"""What stands near an item: ten events either way, each by one over its distance."""
_OFTEN = 50
"""Events beyond which an item's own record counts no more for what profiles to expect."""
OWN = 0.5
"""How much an item's own content counts beside what stands near it. On other held-out tenths of
Beauty and MovieLens, 0, .5, 1 and 2: recall at 20 of all items .039 .036 .034 .031 and .071 .096
.095 .096."""

F32 = npt.NDArray[np.float32]


class Wording(NamedTuple):
    """Items as words: an encoder without projection, TF-IDF rows, singular vectors.

    rows: float32[n, v] sparse, each of length 1 or 0. axes: float32[v, w].
    """

    encoder: Encoder
    rows: sp.csr_matrix
    axes: F32


def bands_of(items: Sequence[Item | None]) -> Bands:
    """Answer where the tenths of each number of the items end; of few values, each its own."""
    found: dict[str, list[float]] = {}
    for item in items:
        for name, number in numbers(item) if item else ():
            found.setdefault(name, []).append(number)
    common = sorted(found, key=lambda name: (-len(found[name]), name))[:NUMBERS]
    out: dict[str, Sequence[float]] = {}
    for name in sorted(common):
        values = np.unique(found[name])
        if len(values) > BANDS:
            shares = np.arange(1, BANDS) / BANDS
            values = np.unique(np.quantile(found[name], shares))
        else:
            values = values[1:]
        if len(values):
            out[name] = values.tolist()
    return out


def vocabulary_of(counted: Sequence[Counter[str] | dict[str, int]]) -> dict[str, int]:
    """Answer token → the number of items it stands in, of those worth learning."""
    held = Counter(token for counts in counted for token in counts)
    common = [(token, count) for token, count in held.items() if count >= LEAST]
    common.sort(key=lambda one: (-one[1], one[0]))
    return dict(common[:WORDS])


def singular_axes(rows: Any, wide: int, seed: int) -> F32:
    """Answer float32[v, w], w ≤ `wide`: the leading right singular vectors."""
    w = min(wide, *rows.shape)
    if rows.shape[0] * rows.shape[1] <= _DENSE or w >= min(rows.shape):
        axes = np.linalg.svd(rows.toarray().astype(np.float64), full_matrices=False)[2][:w]
    else:
        start = np.random.default_rng(seed).normal(size=min(rows.shape))
        axes: Any = svds(rows.astype(np.float64), w, v0=start)[2]
    return np.ascontiguousarray(axes.T, np.float32)


@lru_cache(maxsize=2)
def wording_of(facts: ItemFacts, seed: int) -> Wording:
    """Answer the items of a catalogue as words; kept, since it does not depend on events."""
    bands = bands_of(facts.items)
    counted = [tokens(item, bands) if item else {} for item in facts.items]
    held = vocabulary_of(counted)
    hashes, counts = hashed(held)
    described = sum(bool(one) for one in counted)
    idf = np.log((1 + described) / (1 + counts)) + 1
    nothing = np.zeros((len(hashes), 0), np.float32)
    encoder = Encoder(hashes, idf, nothing, bands)
    weighed = [encoder.weigh(*hashed(one)) for one in counted]
    ends = np.cumsum([0, *(len(places) for places, _ in weighed)])
    places = np.concatenate([np.zeros(0, np.int32), *(one for one, _ in weighed)])
    weights = np.concatenate([np.zeros(0, np.float32), *(one for _, one in weighed)])
    rows = sp.csr_matrix((weights, places, ends), shape=(len(counted), len(hashes)))
    axes = singular_axes(rows, WIDE, seed) if rows.nnz else nothing
    return Wording(encoder, rows, axes)


def _near(known: Interactions, as_of: int, threads: int) -> sp.csr_matrix:
    """Answer float32[n, n]: what share of what stands near each item is each other."""
    offsets, targets, weights = fit_graph(known, as_of, _NEAR, threads).edges
    near = sp.csr_matrix((weights, targets, offsets), shape=(known.n_items, known.n_items))
    sums = np.asarray(near.sum(axis=1)).ravel()
    return sp.csr_matrix(sp.diags(1 / np.where(sums > 0, sums, 1)) @ near, dtype=np.float32)


class Space(NamedTuple):
    """Where content lives: `onto` (float64[w, d]) takes items to it; profiles are float32[n, d]."""

    onto: npt.NDArray[np.float64]
    profiles: F32


def _square(rows: np.ndarray) -> np.ndarray:
    wide = rows.astype(np.float64)
    return wide.T @ wide


def _root(square: np.ndarray) -> np.ndarray:
    """Answer an upper triangular R with R'R = square, made a little larger if it must be."""
    slack = 1e-9 * max(float(np.trace(square)), 1e-12)
    return np.linalg.cholesky(square + slack * np.eye(len(square))).T


def taste_space(
    content: F32, near: sp.csr_matrix, seen: npt.NDArray[np.bool_], ridge: float, d: int
) -> Space:
    """Answer the space of d dimensions in which profiles . vectors foretell what stands near.

    content: float32[n, w]. seen: bool[n], items with events. What stands near an item is
    regressed on content, with an intercept that is the same for all and so is dropped; OWN of
    the item's own content is added; then the products of all profiles with all contents are
    kept to rank d, which splits them evenly between the two.
    """
    w = content.shape[1]
    one = np.column_stack([content, np.ones(len(content), np.float32)]) * seen[:, None]
    told = (near @ one).astype(np.float64)
    told = np.linalg.solve(_square(one) + ridge * np.eye(w + 1), told.T).T[:, :w]
    middle = content.mean(axis=0, dtype=np.float64)
    spread = _square(content) / len(content) - np.outer(middle, middle)
    size = np.sum(_square(told) * spread) / max(np.sum(_square(content) * spread), 1e-12)
    told += OWN * max(size, 0.0) ** 0.5 * content
    left, right = _root(_square(told)), _root(_square(content))
    u, sizes, v = np.linalg.svd(left @ right.T)
    d = min(d, w)
    roots = np.sqrt(sizes[:d])
    onto = np.linalg.solve(right, v[:d].T * roots)
    profiles = told @ np.linalg.solve(left, u[:, :d] * roots)
    return Space(onto, profiles.astype(np.float32))


def fit_content(
    known: Interactions, facts: ItemFacts | None, as_of: int, params: dict[str, Any], seed: int = 0
) -> Content:
    """Learn the content member of the known events and the facts of their items.

    params: dimensions (d, even), ridge, decay and trust (of serving). Says nothing, and says so
    (`speaks` is False), without facts or where nothing stands near anything. Memory: 8 kB an
    item, and 2 kB a token (one that stands in two items or more, 20,000 at most).
    """
    n, d = known.n_items, int(params["dimensions"])
    numbers_of_serving = (params["decay"], params["trust"])
    wording = wording_of(facts, seed) if facts is not None and facts.known else None
    if wording is None or not wording.rows.nnz or not len(known.items):
        empty = Encoder(np.zeros(0), np.zeros(0), np.zeros((0, d)), {})
        nothing = np.zeros((n, d), np.float32)
        return Content(empty, nothing, nothing, np.zeros((d, d)), numbers_of_serving)
    with threadpool_limits(1, user_api="blas"):
        said = np.asarray(wording.rows.getnnz(axis=1) > 0)
        content = np.asarray(wording.rows @ wording.axes, np.float32)
        counts = np.bincount(known.items, minlength=n)
        space = taste_space(content, _near(known, as_of, 1), counts > 0, params["ridge"], d)
        onto = np.pad(space.onto, ((0, 0), (0, d - space.onto.shape[1])))
        profiles = np.pad(space.profiles, ((0, 0), (0, d - space.profiles.shape[1])))
        bare = wording.encoder
        encoder = Encoder(bare.vocabulary, bare.idf, wording.axes @ onto, bare.bands)
        vectors = np.zeros((n, d), np.float32)
        rows: Any = wording.rows
        indptr, indices, data = rows.indptr, rows.indices, rows.data
        for row in np.flatnonzero(said):
            mine = slice(*indptr[row : row + 2])
            vectors[row] = encoder.project(indices[mine], data[mine])
        wide, weight = vectors.astype(np.float64), np.minimum(counts, _OFTEN)[:, None]
        square = wide.T @ (wide * weight) + params["ridge"] * np.eye(d)
        echo = np.linalg.solve(square, wide.T @ (profiles * weight))
    return Content(encoder, vectors, profiles, echo.astype(np.float32), numbers_of_serving)
