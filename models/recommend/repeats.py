"""Repeats: what this user had before, for logs in which people come back for the same thing.

Each event adds weight * 2^(-age / half-life) to its own item; the score is the logarithm of one
plus the sum, times how readily the item is had again. Knows nothing of other items.
"""

from typing import Any, Self

import numpy as np
from numba import njit

from models.recommend.member import Floats, Ints, Moving, Past, frozen, moments


@njit(cache=True, nogil=True, error_model="numpy")
def _recall(
    rates: np.ndarray,
    indices: np.ndarray,
    event_weights: np.ndarray,
    days: np.ndarray,
    per_day: float,
    out: np.ndarray,
) -> tuple[float, float]:
    out[:] = 0.0
    for j in range(indices.shape[0]):
        out[indices[j]] += event_weights[j] * np.exp2(-per_day * days[j])
    for j in range(indices.shape[0]):
        i = indices[j]
        # Negative marks an item already finished, so that one had twice is finished once.
        if out[i] > 0.0:
            out[i] = -np.log1p(out[i]) * rates[i]
    for j in range(indices.shape[0]):
        out[indices[j]] = abs(out[indices[j]])
    return moments(out)


class Repeats(Moving):
    """A user's own items, weighed by recency and by how readily each is had again."""

    def __init__(self, rates: np.ndarray, half_life_days: float | None) -> None:
        """Take rates (float32[n], above 0) and the half-life in days, None for no decay."""
        self.rates: Floats = frozen(rates, np.float32)
        self.half_life_days = half_life_days
        self._per_day = 1.0 / half_life_days if half_life_days else 0.0

    def raw(self, past: Past, out: Floats) -> tuple[float, float]:
        """Write scores that are above 0 for items of `past` only."""
        return _recall(self.rates, past.indices, past.weights, past.days, self._per_day, out)

    def influences(self, targets: Ints, past: Past) -> Floats:
        """Answer float32[t, h]: the decayed weight of the events of the targets themselves."""
        own = past.weights * np.exp2(-np.float32(self._per_day) * past.days)
        return np.where(past.indices == targets[:, None], own, np.float32(0))

    def similar(self, index: int, out: Floats) -> None:
        """Write zeros: having an item again says nothing of others."""
        out[:] = 0.0

    def arrays(self) -> dict[str, np.ndarray]:
        """Answer rates: float32[n]."""
        return {"rates": self.rates}

    def params(self) -> dict[str, Any]:
        """Answer half_life_days: days, or None for no decay."""
        return {"half_life_days": self.half_life_days}

    @classmethod
    def from_parts(cls, arrays: dict[str, np.ndarray], params: dict[str, Any]) -> Self:
        """Make the member again from what `arrays` and `params` answered."""
        return cls(arrays["rates"], params["half_life_days"])
