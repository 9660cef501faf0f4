"""The automatic choice: the best member alone, the blend, or the ranker on top of it.

The rule: begin with the simplest; something more complex takes its place only if the paired 95 %
bootstrap interval of what it gains on validation, judged out of fold, does not reach below 0. So
what is released is not worse than the best member by more than noise. Knows nothing of how the
contenders came about.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]
ROUNDS = 2000
LEVEL = 95.0


@dataclass(frozen=True)
class Gain:
    """How much the second did better than the first, on the same cases, with its interval."""

    over: str
    name: str
    value: float
    low: float
    high: float

    @property
    def taken(self) -> bool:
        """Tell whether the second takes the place of the first."""
        return self.low >= 0 and self.value > 0


@dataclass(frozen=True)
class Choice:
    """What was chosen, from what, and why: means of all contenders, gains in the order tried."""

    name: str
    means: Mapping[str, float] = field(default_factory=dict)
    gains: tuple[Gain, ...] = ()

    def told(self) -> dict[str, Any]:
        """Answer the choice as JSON values, one flat name for each."""
        out: dict[str, Any] = {"choice": self.name}
        out |= {f"choice.{name}": mean for name, mean in self.means.items()}
        for gain in self.gains:
            for what in ("value", "low", "high"):
                # A minus sign of nothing would be shown.
                number = round(getattr(gain, what), 6) + 0.0
                out[f"choice.{gain.name}_over_{gain.over}.{what}"] = number
        return out


def gain_of(
    over: str, name: str, first: F64, second: F64, users: npt.NDArray[np.int64], seed: int
) -> Gain:
    """Answer what `second` gains over `first`, float64[c] of the same cases.

    users: int64[c]; the cases of one user are drawn together (Efron, 1979).
    """
    differences = second - first
    if not len(differences):
        return Gain(over, name, 0.0, 0.0, 0.0)
    owners, place = np.unique(users, return_inverse=True)
    sums = np.bincount(place, differences, len(owners))
    sizes = np.bincount(place, minlength=len(owners)).astype(np.float64)
    rng, means = np.random.default_rng(seed), np.empty(ROUNDS)
    for i in range(ROUNDS):
        counts = np.bincount(rng.integers(0, len(owners), len(owners)), minlength=len(owners))
        means[i] = counts @ sums / (counts @ sizes)
    low, high = np.percentile(means, [50 - LEVEL / 2, 50 + LEVEL / 2])
    return Gain(over, name, float(differences.mean()), float(low), float(high))


def _mean(values: F64) -> float:
    return float(values.mean()) if len(values) else 0.0


def choose(contenders: Mapping[str, F64], users: npt.NDArray[np.int64], seed: int) -> Choice:
    """Answer the choice among contenders, float64[c] each by name, from simple to complex."""
    (chosen, best), *others = contenders.items()
    gains: list[Gain] = []
    for name, values in others:
        gains.append(gain_of(chosen, name, best, values, users, seed))
        if gains[-1].taken:
            chosen, best = name, values
    means = {
        name: float(values.mean()) if len(values) else 0.0 for name, values in contenders.items()
    }
    return Choice(chosen, means, tuple(gains))
