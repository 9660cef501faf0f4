"""A trial as every learner takes it: attributes, who was contacted, with what chance, what came.

One row a person. Knows nothing of where the rows came from.
"""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from models.churn.attributes import Attributes

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Trial:
    """n people. x: float64[n, f], NaN is missing. treated: bool[n]. outcome: float64[n], 1 good.

    propensity: float64[n], the chance of contact before it was dealt. logged: whether those
    chances were written down; otherwise they are the share contacted. keys: uint64[n], a hash of
    who it is. events: whether the first columns are those of views; attributes: the others.
    """

    x: F64
    names: tuple[str, ...]
    treated: Flags
    outcome: F64
    propensity: F64
    keys: npt.NDArray[np.uint64]
    logged: bool = False
    events: bool = False
    attributes: Attributes = field(default_factory=Attributes)
    told: dict[str, Any] = field(default_factory=dict[str, Any])

    def __len__(self) -> int:
        return len(self.treated)

    def take(self, rows: npt.NDArray[Any]) -> "Trial":
        """Keep the chosen rows (places or flags)."""
        return replace(
            self,
            x=self.x[rows],
            treated=self.treated[rows],
            outcome=self.outcome[rows],
            propensity=self.propensity[rows],
            keys=self.keys[rows],
        )


def even_chances(treated: Flags) -> F64:
    """Answer float64[n], the share contacted: the chance of everyone in a plain trial."""
    return np.full(len(treated), treated.mean())


def held_out(keys: npt.NDArray[np.uint64], share: float, seed: int) -> Flags:
    """Answer bool[n], about `share` of the people, always the same ones for the same seed."""
    # The finishing steps of splitmix64: keys that differ in one bit part at random.
    with np.errstate(over="ignore"):
        mixed = keys + np.uint64(seed) * np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed ^= mixed >> np.uint64(31)
    return mixed / 2.0**64 < share


def halves(treated: Flags, outcome: F64, rng: np.random.Generator) -> Flags:
    """Answer bool[n], one half of the rows, with half of each arm and outcome in it."""
    out = np.zeros(len(treated), np.bool_)
    extra = 0
    for arm in (False, True):
        for label in np.unique(outcome):
            mine = rng.permutation(np.flatnonzero((treated == arm) & (outcome == label)))
            # Odd groups give their odd one to either half in turn.
            out[mine[: (len(mine) + extra % 2) // 2]] = True
            extra += len(mine) % 2
    return out
