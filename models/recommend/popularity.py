"""Popularity and trend: how much each item was wanted, recent events counting more.

Each event adds weight * 2^(-age / half-life); the score is the logarithm of one plus the sum.
The same for everyone. Knows nothing of the history it is given.
"""

from typing import Any, Self

import numpy as np

from models.recommend.member import Floats, Ints, Past, frozen, standardise


class Popularity:
    """The same standard scores for every history, standardised once."""

    def __init__(self, counts: np.ndarray, half_life_days: float | None) -> None:
        """Take decayed counts (float32[n]) and the half-life they were decayed with."""
        self.counts: Floats = frozen(counts, np.float32)
        self.half_life_days = half_life_days
        scores = np.log1p(self.counts)
        standardise(scores)
        self._standard: Floats = frozen(scores, np.float32)

    @property
    def standing(self) -> Floats:
        """The standard scores, whoever asks."""
        return self._standard

    def raw(self, past: Past, out: Floats) -> tuple[float, float]:
        """Write the standard scores, which need neither shift nor scale."""
        out[:] = self._standard
        return 0.0, 1.0

    def score(self, past: Past, out: Floats) -> None:
        """Write the same standard scores whoever asks."""
        out[:] = self._standard

    def influences(self, targets: Ints, past: Past) -> Floats:
        """Answer zeros: no event of this history moves what everyone wants."""
        return np.zeros((targets.shape[0], past.indices.shape[0]), np.float32)

    def similar(self, index: int, out: Floats) -> None:
        """Write zeros: being wanted is no likeness."""
        out[:] = 0.0

    def arrays(self) -> dict[str, np.ndarray]:
        """Answer counts: float32[n]."""
        return {"counts": self.counts}

    def params(self) -> dict[str, Any]:
        """Answer half_life_days: days, or None for no decay."""
        return {"half_life_days": self.half_life_days}

    @classmethod
    def from_parts(cls, arrays: dict[str, np.ndarray], params: dict[str, Any]) -> Self:
        """Make the member again from what `arrays` and `params` answered."""
        return cls(arrays["counts"], params["half_life_days"])
