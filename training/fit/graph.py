"""Counting the item graph: what follows what within a window of a user's events.

A pair adds 1 / distance, times the weights of both events, times 2^(-age / half-life); pairs
against the direction of time count `reverse` as much. Rows are divided by their sum to the power
`row_power`, columns likewise, and only the heaviest edges stay. Knows nothing of users' names.
"""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from domain.clock import DAY_MS
from models.recommend.item_graph import ItemGraph
from models.recommend.topk import select
from training.splits import Interactions


@njit(cache=True, nogil=True, error_model="numpy")
def _incoming(
    items: np.ndarray,
    users: np.ndarray,
    values: np.ndarray,
    window: int,
    reverse: float,
    sums: np.ndarray,
) -> None:
    """Add up the weight of all edges into each item, to float64[n]."""
    for p in range(items.shape[0]):
        for q in range(p + 1, min(p + 1 + window, items.shape[0])):
            if users[q] != users[p]:
                break
            pair = values[p] * values[q] / (q - p)
            sums[items[q]] += pair
            sums[items[p]] += reverse * pair


@njit(cache=True, nogil=True, error_model="numpy")
def _keep_heaviest(
    touched: np.ndarray, sums: np.ndarray, targets: np.ndarray, weights: np.ndarray
) -> int:
    """Write the heaviest touched items to one row, in the order of item numbers."""
    size = touched.shape[0]
    if size > targets.shape[0]:
        found = np.empty(size, np.float32)
        for t in range(size):
            found[t] = sums[touched[t]]
        best = np.empty(targets.shape[0], np.int32)
        size = select(found, np.ones(0, np.bool_), best)
        chosen = np.sort(touched[best[:size]])
    else:
        chosen = np.sort(touched)
    for place in range(size):
        targets[place] = chosen[place]
        weights[place] = sums[chosen[place]]
    return size


@njit(cache=True, nogil=True, error_model="numpy")
def _rows(
    log: tuple[np.ndarray, np.ndarray, np.ndarray],
    occurrences: tuple[np.ndarray, np.ndarray],
    columns: np.ndarray,
    numbers: tuple[int, float, float, bool],
    span: tuple[int, int],
    out: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    """Count the edges out of the items span[0]:span[1]; `columns` divides by target."""
    items, users, values = log
    offsets, places = occurrences
    window, reverse, row_power, own = numbers
    sizes, targets, weights = out
    sums = np.zeros(columns.shape[0], np.float64)
    touched = np.empty(columns.shape[0], np.int32)
    for item in range(span[0], span[1]):
        found = 0
        whole = 0.0
        for occurrence in range(offsets[item], offsets[item + 1]):
            p = places[occurrence]
            low = max(0, p - window) if reverse > 0 else p
            for q in range(low, min(p + 1 + window, items.shape[0])):
                other = items[q]
                if q == p or users[q] != users[p] or (other == item and not own):
                    continue
                pair = values[p] * values[q] / abs(q - p)
                if q < p:
                    pair *= reverse
                if sums[other] == 0.0:
                    touched[found] = other
                    found += 1
                sums[other] += pair
                whole += pair
        norm = whole**row_power if whole > 0 else 1.0
        for t in range(found):
            sums[touched[t]] /= norm * columns[touched[t]]
        sizes[item] = _keep_heaviest(touched[:found], sums, targets[item], weights[item])
        for t in range(found):
            sums[touched[t]] = 0.0


def fit_graph(known: Interactions, as_of: int, params: dict[str, Any], threads: int) -> ItemGraph:
    """Count the graph of the known events as of `as_of` (ms UTC).

    params: window (events), reverse, row_power, column_power, half_life_days (or None), edges
    (most per item), own (edges from an item to itself), decay (of the history when serving).
    Memory: 12 bytes for each of n * edges places, and 24 an event.
    """
    n, items = known.n_items, known.items
    values = known.weights.astype(np.float64)
    if params["half_life_days"] is not None:
        # On both ends of a pair, so each end takes half of the exponent.
        values *= np.exp2(-(as_of - known.ats) / DAY_MS / params["half_life_days"] / 2)
    users = known.users
    window, reverse = int(params["window"]), float(params["reverse"])
    sums = np.zeros(n)
    _incoming(items, users, values, window, reverse, sums)
    columns = np.where(sums > 0, sums, 1.0) ** params["column_power"]
    places = np.argsort(items, kind="stable")
    offsets = np.concatenate([[0], np.cumsum(np.bincount(items, minlength=n))])
    shape = (n, int(params["edges"]))
    sizes = np.zeros(n, np.int64)
    targets, weights = np.empty(shape, np.int32), np.empty(shape, np.float32)
    numbers = (window, reverse, float(params["row_power"]), bool(params["own"]))

    def part(span: tuple[int, int]) -> None:
        _rows(
            (items, users, values),
            (offsets, places),
            columns,
            numbers,
            span,
            (sizes, targets, weights),
        )

    bounds = np.linspace(0, n, threads * 4 + 1).astype(int).tolist()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(part, list(pairwise(bounds))))
    kept: npt.NDArray[np.bool_] = np.arange(shape[1]) < sizes[:, None]
    return ItemGraph(
        np.concatenate([[0], np.cumsum(sizes)]), targets[kept], weights[kept], params["decay"]
    )
