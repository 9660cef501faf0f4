"""Metrics of ranked lists against the items that were really wanted, with confidence intervals.

Hits, recall, NDCG and reciprocal rank at k, each the mean over cases. NDCG has binary gains and
an ideal of min(k, targets) hits (Jarvelin and Kekalainen, 2002). Knows nothing of models.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from numba import njit

from models.bundle import Metric

Lists = npt.NDArray[np.int32]
CUTS = (5, 10, 20)


@njit(cache=True, nogil=True)
def hits(lists: np.ndarray, targets: np.ndarray, target_offsets: np.ndarray) -> np.ndarray:
    """Answer bool[c, k]: whether each entry of int32[c, k] is a target of its case; -1 is none."""
    out = np.zeros(lists.shape, np.bool_)
    for case in range(lists.shape[0]):
        for place in range(lists.shape[1]):
            for t in range(target_offsets[case], target_offsets[case + 1]):
                if lists[case, place] == targets[t]:
                    out[case, place] = True
                    break
    return out


def per_case(
    lists: Lists, targets: Lists, target_offsets: npt.NDArray[np.int64], cuts: Sequence[int] = CUTS
) -> dict[str, npt.NDArray[np.float64]]:
    """Answer float64[c] for each of hr, recall, ndcg, mrr "_at_" each cut.

    lists: int32[c, k], distinct items best first, -1 beyond the end; k must reach the cuts.
    """
    found = hits(lists, targets, target_offsets)
    wanted = np.diff(target_offsets)
    discounts = 1 / np.log2(np.arange(max(cuts)) + 2)
    ideals = np.concatenate([[1.0], np.cumsum(discounts)])
    first = np.where(found.any(axis=1), found.argmax(axis=1), np.inf)
    out: dict[str, npt.NDArray[np.float64]] = {}
    for k in cuts:
        top = found[:, :k]
        count = top.sum(axis=1)
        gained = top @ discounts[: top.shape[1]]
        out[f"hr_at_{k}"] = (count > 0).astype(float)
        out[f"recall_at_{k}"] = count / np.maximum(wanted, 1)
        out[f"ndcg_at_{k}"] = gained / ideals[np.minimum(np.maximum(wanted, 1), k)]
        out[f"mrr_at_{k}"] = np.where(first < k, 1 / (first + 1), 0.0)
    return out


def coverage(lists: Lists, k: int, n_items: int) -> float:
    """Answer which share of the items is in the first k of at least one list."""
    shown = np.unique(lists[:, :k])
    return float((shown >= 0).sum() / max(n_items, 1))


def coverage_interval(lists: Lists, k: int, n_items: int) -> Metric:
    """Answer `coverage` with its 95 % interval by the jackknife over cases (Efron, 1982).

    A bootstrap would not do: it shows fewer distinct lists, so less of the catalogue. Leaving
    out one case loses the items that only its list holds, and that is all there is to count.
    """
    value, shown = coverage(lists, k, n_items), lists[:, :k]
    c = len(shown)
    if c < 2:
        return Metric(value, value, value)
    counts = np.bincount(shown[shown >= 0], minlength=1)
    alone = ((counts[np.maximum(shown, 0)] == 1) & (shown >= 0)).sum(axis=1) / max(n_items, 1)
    half = 1.96 * float(np.sqrt((c - 1) / c * ((alone - alone.mean()) ** 2).sum()))
    return Metric(value, max(0.0, value - half), min(1.0, value + half))


def resampled(
    table: npt.NDArray[np.float64],
    owners: npt.NDArray[np.int64] | None,
    rng: np.random.Generator,
    rounds: int,
) -> npt.NDArray[np.float64]:
    """Answer float64[rounds, m]: means of float64[c, m] over resampled cases; NaN has no say.

    With `owners` (int64[c]) all cases of one owner are drawn together, as they must be where a
    user is asked many questions. A column that a resample leaves empty has a NaN there.
    """
    if owners is None:
        owners = np.arange(len(table))
    who = np.unique(owners, return_inverse=True)[1]
    said = ~np.isnan(table)
    u = int(who.max(initial=-1)) + 1
    sums, sizes = np.zeros((u, table.shape[1])), np.zeros((u, table.shape[1]))
    np.add.at(sums, who, np.where(said, table, 0.0))
    np.add.at(sizes, who, said)
    means = np.empty((rounds, table.shape[1]))
    for i in range(rounds):
        counts = np.bincount(rng.integers(0, u, u), minlength=u).astype(float)
        whole = counts @ sizes
        means[i] = np.where(whole > 0, counts @ sums / np.maximum(whole, 1), np.nan)
    return means


def with_intervals(
    values: Mapping[str, npt.NDArray[np.float64]],
    rng: np.random.Generator,
    rounds: int = 1000,
    owners: npt.NDArray[np.int64] | None = None,
) -> dict[str, Metric]:
    """Answer each mean with the 2.5 and 97.5 percentiles of its bootstrap over cases or owners.

    Every value sees the same resamples (Efron, 1979). A case whose value is NaN has no say in
    it. Values without any case are 0.
    """
    names = list(values)
    table = np.stack([values[name] for name in names], axis=1) if names else np.zeros((0, 0))
    heard = [] if not len(table) else np.flatnonzero(~np.isnan(table).all(axis=0)).tolist()
    out = {name: Metric(0.0, 0.0, 0.0) for name in names}
    if not heard:
        return out
    means = resampled(table[:, heard], owners, rng, rounds)
    low, high = np.nanpercentile(means, [2.5, 97.5], axis=0)
    for i, column in enumerate(heard):
        value = float(np.nanmean(table[:, column]))
        out[names[column]] = Metric(value, float(low[i]), float(high[i]))
    return out
