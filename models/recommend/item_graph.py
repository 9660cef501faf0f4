"""The item graph: what tends to follow what, as weighted directed edges between items.

A history is spread one step along the edges, its last event with weight 1, the one before
with the decay, then its square and so on (sequential rules: Ludewig and Jannach, 2018).
Knows nothing of how the edges were counted.
"""

from typing import Any, Self

import numpy as np
from numba import njit

from models.recommend.member import (
    REORDER,
    Floats,
    Ints,
    Moving,
    Past,
    frozen,
    moments,
    standardise,
)
from models.recommend.touched import Touched

_FADED = 1e-5
"""Events whose decayed weight is below this are left out: they no longer move the score."""


@njit(cache=True, nogil=True, error_model="numpy", fastmath=REORDER)
def _spread(
    edges: tuple[np.ndarray, np.ndarray, np.ndarray],
    indices: np.ndarray,
    event_weights: np.ndarray,
    decay: float,
    out: np.ndarray,
) -> tuple[float, float]:
    offsets, targets, weights = edges
    out[:] = 0.0
    fading = 1.0
    for j in range(indices.shape[0] - 1, -1, -1):
        if fading < _FADED:
            break
        weight = np.float32(fading * event_weights[j])
        for e in range(offsets[indices[j]], offsets[indices[j] + 1]):
            out[targets[e]] += weight * weights[e]
        fading *= decay
    return moments(out)


@njit(cache=True, nogil=True, error_model="numpy")
def _steps(
    edges: tuple[np.ndarray, np.ndarray, np.ndarray],
    indices: np.ndarray,
    event_weights: np.ndarray,
    decay: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Answer what `_spread` adds, in its order: int32[e] targets and float32[e]."""
    offsets, targets, weights = edges
    count, fading, first = 0, 1.0, indices.shape[0]
    while first > 0 and not fading < _FADED:
        first -= 1
        count += offsets[indices[first] + 1] - offsets[indices[first]]
        fading *= decay
    items, values = np.empty(count, np.int32), np.empty(count, np.float32)
    at, fading = 0, 1.0
    for j in range(indices.shape[0] - 1, first - 1, -1):
        weight = np.float32(fading * event_weights[j])
        for e in range(offsets[indices[j]], offsets[indices[j] + 1]):
            items[at], values[at] = targets[e], weight * weights[e]
            at += 1
        fading *= decay
    return items, values


@njit(cache=True, nogil=True, error_model="numpy")
def _trace(
    edges: tuple[np.ndarray, np.ndarray, np.ndarray],
    indices: np.ndarray,
    event_weights: np.ndarray,
    decay: float,
    wanted: np.ndarray,
    out: np.ndarray,
) -> None:
    """Add to float32[t, h] what each event adds to each of the wanted targets."""
    offsets, targets, weights = edges
    line = np.full(offsets.shape[0] - 1, -1, np.int32)
    for t in range(wanted.shape[0]):
        line[wanted[t]] = t
    fading = 1.0
    for j in range(indices.shape[0] - 1, -1, -1):
        if fading < _FADED:
            break
        for e in range(offsets[indices[j]], offsets[indices[j] + 1]):
            t = line[targets[e]]
            if t >= 0:
                out[t, j] += np.float32(fading * event_weights[j]) * weights[e]
        fading *= decay


class ItemGraph(Moving):
    """Edges as compressed sparse rows: item i leads to targets[offsets[i]:offsets[i + 1]]."""

    def __init__(
        self, offsets: np.ndarray, targets: np.ndarray, weights: np.ndarray, decay: float
    ) -> None:
        """Take int64[n + 1], int32[e] and float32[e], and the history's decay in (0, 1]."""
        self.edges = (
            frozen(offsets, np.int64),
            frozen(targets, np.int32),
            frozen(weights, np.float32),
        )
        self.decay = float(decay)

    def raw(self, past: Past, out: Floats) -> tuple[float, float]:
        """Write what follows the events of `past`, the last counting most."""
        return _spread(self.edges, past.indices, past.weights, self.decay, out)

    def touch(self, past: Past) -> Touched:
        """Answer what follows the events of `past`; see `raw`."""
        items, values = _steps(self.edges, past.indices, past.weights, self.decay)
        return Touched.of(items, values, len(self.edges[0]) - 1)

    def _row(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        offsets, targets, weights = self.edges
        row = slice(int(offsets[index]), int(offsets[index + 1]))
        return targets[row], weights[row]

    def influences(self, targets: Ints, past: Past) -> Floats:
        """Answer float32[t, h]: the decayed weight of the edge from each event to each target."""
        out = np.zeros((targets.shape[0], past.indices.shape[0]), np.float32)
        _trace(self.edges, past.indices, past.weights, self.decay, targets, out)
        return out

    def similar(self, index: int, out: Floats) -> None:
        """Write standard scores of what follows the item."""
        out[:] = 0.0
        targets, weights = self._row(index)
        out[targets] = weights
        standardise(out)

    def arrays(self) -> dict[str, np.ndarray]:
        """Answer offsets int64[n + 1], targets int32[e], weights float32[e]."""
        return dict(zip(("offsets", "targets", "weights"), self.edges, strict=True))

    def params(self) -> dict[str, Any]:
        """Answer decay: the factor by which each older event counts less."""
        return {"decay": self.decay}

    @classmethod
    def from_parts(cls, arrays: dict[str, np.ndarray], params: dict[str, Any]) -> Self:
        """Make the member again from what `arrays` and `params` answered."""
        return cls(arrays["offsets"], arrays["targets"], arrays["weights"], params["decay"])
