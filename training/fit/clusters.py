"""Clusters: k-means on standardised columns of the views, as a sweep kept them.

Columns that no customer differs in, or that say what another says, are left out; long tails are
logged, what is unknown stands at the middle. How many clusters there are is chosen by how far the
silhouette lies above that of columns shuffled one by one, where there is nothing to find.
Knows nothing of files or of how clusters are told in words.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from domain.errors import ScientistError, TooLittleData

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
COLUMNS = (
    "rfm.recency", "rhythm.orders", "rfm.orders_90d", "rfm.value_90d", "rfm.lifetime_value",
    "rfm.tenure", "rfm.value_trend_90d", "rhythm.order_gap_mean", "breadth.order_value",
    "breadth.items", "breadth.repeat_share", "breadth.basket", "breadth.discount_share",
    "breadth.channels", "breadth.refund_share", "breadth.cart_abandonment", "breadth.support",
)  # fmt: skip
"""What customers are told apart by: of windows one each, so that nothing counts five times."""
LEAST_USERS = 100
MOST_K = 8
STARTS = 6
ROUNDS = 100
LEARN_FROM = 10_000
"""Users that centres are learned from; everybody is then put to the nearest."""
JUDGED = 1_500
"""Users whose silhouette is measured: it compares all pairs."""
_SAME = 0.95
"""A column that correlates so with one before it says the same."""
_FAR = 3.0
"""Deviations beyond which a value is no further away: one whale is no cluster."""


class Space(NamedTuple):
    """Standardised columns: names, float64[n, f]."""

    names: tuple[str, ...]
    x: F64


class Clustering(NamedTuple):
    """label: int64[n], 0 is the largest cluster. silhouettes, null: by k, in the columns and in
    shuffled ones. space: what distances were measured in."""

    label: I64
    silhouettes: dict[int, float]
    null: dict[int, float]
    space: Space

    @property
    def k(self) -> int:
        """How many clusters there are."""
        return int(self.label.max()) + 1


def space_of(columns: Mapping[str, F64]) -> Space:
    """Standardise columns of n users each; NaN is unknown. Raises ScientistError when none of
    them tells anybody apart."""
    names: list[str] = []
    kept: list[F64] = []
    for name, column in columns.items():
        x = _standardised(column)
        if x is not None and not any(abs(float(np.mean(x * one))) > _SAME for one in kept):
            names.append(name)
            kept.append(x)
    if not kept:
        raise ScientistError("no column tells customers apart: there is nothing to cluster")
    return Space(tuple(names), np.clip(np.stack(kept, axis=1), -_FAR, _FAR))


def _standardised(column: F64) -> F64 | None:
    """Answer a column with mean 0 and deviation 1, unknown at 0; None when nothing varies."""
    known = column[np.isfinite(column)]
    if len(known) < 2:
        return None
    x = column.astype(np.float64)
    if known.min() >= 0 and known.max() > 5 * max(float(np.median(known)), 1e-9):
        x = np.log1p(x)
    mean, deviation = np.nanmean(x), np.nanstd(x)
    if not deviation > 1e-9:
        return None
    return np.nan_to_num((x - mean) / deviation, nan=0.0, posinf=0.0, neginf=0.0)


def nearest(x: F64, centres: F64) -> tuple[I64, F64]:
    """Answer the nearest centre of each row, int64[n], and the squared distance, float64[n]."""
    label = np.empty(len(x), np.int64)
    far = np.empty(len(x))
    own = (centres**2).sum(axis=1)
    for start in range(0, len(x), 65_536):
        some = x[start : start + 65_536]
        square = own - 2 * some @ centres.T + (some**2).sum(axis=1)[:, None]
        label[start : start + len(some)] = square.argmin(axis=1)
        far[start : start + len(some)] = square.min(axis=1)
    return label, np.maximum(far, 0.0)


def _seeds(x: F64, k: int, rng: np.random.Generator) -> F64:
    """k-means++ (Arthur and Vassilvitskii, 2007): the next seed where it is far from all."""
    centres = x[rng.integers(len(x))][None]
    while len(centres) < k:
        far = nearest(x, centres)[1]
        total = far.sum()
        chance = far / total if total > 0 else None
        centres = np.concatenate([centres, x[rng.choice(len(x), p=chance)][None]])
    return centres


def k_means(x: F64, k: int, rng: np.random.Generator, starts: int = STARTS) -> F64:
    """Answer the centres, float64[k, f], of the best of several starts (Lloyd's rounds)."""
    best, least = x[:k], np.inf
    for _ in range(starts):
        centres = _seeds(x, k, rng)
        before = None
        for _ in range(ROUNDS):
            label, far = nearest(x, centres)
            if before is not None and np.array_equal(label, before):
                break
            counts = np.bincount(label, minlength=k)
            sums = (label == np.arange(k)[:, None]).astype(np.float64) @ x
            # A centre that lost everybody goes to whoever is worst placed.
            lost = counts == 0
            centres = sums / np.maximum(counts, 1)[:, None]
            centres[lost] = x[np.argsort(-far)[: int(lost.sum())]]
            before = label
        total = float(nearest(x, centres)[1].sum())
        if total < least:
            best, least = centres, total
    return best


def silhouette(x: F64, label: I64) -> float:
    """Answer the mean silhouette (Rousseeuw, 1987): 1 is far apart, 0 is none; clusters of one
    count 0, and so does a single cluster."""
    groups = [np.flatnonzero(label == one) for one in np.unique(label)]
    if len(groups) < 2:
        return 0.0
    squares = (x**2).sum(axis=1)
    apart = np.sqrt(np.maximum(squares[:, None] + squares - 2 * x @ x.T, 0.0))
    np.fill_diagonal(apart, 0.0)
    means = np.stack([apart[:, group].sum(axis=1) for group in groups], axis=1)
    sizes = np.array([len(group) for group in groups])
    own = np.searchsorted(np.unique(label), label)
    rows = np.arange(len(x))
    inside = means[rows, own] / np.maximum(sizes[own] - 1, 1)
    others = means / sizes
    others[rows, own] = np.inf
    outside = others.min(axis=1)
    widest = np.maximum(np.maximum(inside, outside), 1e-12)
    told = np.where(sizes[own] > 1, (outside - inside) / widest, 0.0)
    return float(told.mean())


def _search(x: F64, ks: range, rng: np.random.Generator) -> tuple[dict[int, float], dict[int, F64]]:
    judged = x[rng.permutation(len(x))[:JUDGED]]
    centres = {k: k_means(x, k, rng) for k in ks}
    return {k: silhouette(judged, nearest(judged, one)[0]) for k, one in centres.items()}, centres


def cluster(columns: Mapping[str, F64], k: int | None = None, seed: int = 0) -> Clustering:
    """Cluster n users by columns of n numbers each (NaN: unknown).

    k: how many; None chooses 2 to MOST_K. Raises TooLittleData for few users, ScientistError
    for a k that makes no sense or columns that tell nobody apart.
    """
    n = len(next(iter(columns.values()), ()))
    if n < LEAST_USERS:
        raise TooLittleData(f"clusters need {LEAST_USERS} users, the last sweep has {n}")
    if k is not None and not 2 <= k <= 50:
        raise ScientistError("--k is from 2 to 50")
    space = space_of(columns)
    rng = np.random.default_rng(seed)
    sample = space.x[rng.permutation(n)[:LEARN_FROM]]
    distinct = len(np.unique(sample, axis=0))
    if distinct < (2 if k is None else k):
        raise ScientistError(f"customers differ in {distinct} ways only; ask for fewer clusters")
    ks = range(2, min(MOST_K, distinct) + 1) if k is None else range(k, k + 1)
    told, centres = _search(sample, ks, rng)
    shuffled = rng.permuted(sample, axis=0)
    null, _ = _search(shuffled, ks, rng)
    # By itself a silhouette favours two clusters; what chance makes of each number is taken off,
    # as the gap statistic does (Tibshirani, Walther and Hastie, 2001).
    best = max(told, key=lambda one: told[one] - null[one])
    label = nearest(space.x, centres[best])[0]
    counts = np.bincount(label, minlength=best)
    rank = np.empty(best, np.int64)
    rank[np.argsort(-counts, kind="stable")] = np.arange(best)
    return Clustering(rank[label], told, null, space)
