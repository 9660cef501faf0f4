"""Bought together: what goes with a few items, whichever came first.

The item graph says what follows what; here its edges are read in both directions and the items'
neighbours added up. Knows nothing of how the edges were counted or of who asks.
"""

import numpy as np
from numba import njit

from models.recommend.catalogue import Scores
from models.recommend.diversity import Graph
from models.recommend.lookup import Indices
from models.recommend.member import frozen


@njit(cache=True, nogil=True, error_model="numpy")
def _turn(
    graph: tuple[np.ndarray, np.ndarray, np.ndarray],
    offsets: np.ndarray,
    sources: np.ndarray,
    weights: np.ndarray,
) -> None:
    """Write the edges by the item they lead to, in order of the item they come from."""
    starts, targets, heavy = graph
    offsets[:] = 0
    for edge in range(targets.shape[0]):
        offsets[targets[edge] + 1] += 1
    for item in range(offsets.shape[0] - 1):
        offsets[item + 1] += offsets[item]
    fill = offsets[:-1].copy()
    for item in range(starts.shape[0] - 1):
        for edge in range(starts[item], starts[item + 1]):
            slot = fill[targets[edge]]
            sources[slot], weights[slot] = item, heavy[edge]
            fill[targets[edge]] += 1


@njit(cache=True, nogil=True, error_model="numpy")
def _gather(
    forth: tuple[np.ndarray, np.ndarray, np.ndarray],
    back: tuple[np.ndarray, np.ndarray, np.ndarray],
    rows: np.ndarray,
    out: np.ndarray,
) -> None:
    for offsets, targets, weights in (forth, back):
        for place in range(rows.shape[0]):
            for edge in range(offsets[rows[place]], offsets[rows[place] + 1]):
                out[targets[edge]] += weights[edge]
    for place in range(rows.shape[0]):
        out[rows[place]] = 0.0


def _as_read(graph: Graph) -> Graph:
    """Answer the same arrays as a kernel knows them from a bundle."""
    offsets, targets, weights = graph
    return frozen(offsets, np.int64), frozen(targets, np.int32), frozen(weights, np.float32)


def turned(graph: Graph) -> Graph:
    """Answer the same edges as compressed sparse rows of the items they lead to."""
    offsets, targets, weights = graph
    back = (
        np.empty(offsets.size, np.int64),
        np.empty(targets.size, np.int32),
        np.empty(weights.size, np.float32),
    )
    _turn(_as_read(graph), *back)
    return _as_read(back)


class Together:
    """The item graph in both directions. n is the number of the model's items."""

    def __init__(self, graph: Graph) -> None:
        self._forth, self._back = _as_read(graph), turned(graph)

    def scores(self, rows: Indices) -> Scores:
        """Answer float32[n]: the weight of all edges between each item and int32[k] rows.

        0 for what goes with none of them and for the rows themselves. Rows the model does not
        know are left out.
        """
        n = self._forth[0].size - 1
        out = np.zeros(n, np.float32)
        _gather(self._forth, self._back, rows[(rows >= 0) & (rows < n)].astype(np.int32), out)
        return out
