"""Policies as typed values: how to weigh what is believed against what is not yet known.

Each turns into five numbers for the compiled kernel: its kind, three of its own, the floor.
Knows nothing of arms or contexts.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np

from models.bandits.choosing import EPSILON, LINUCB, SQUARECB, THOMPSON
from models.bandits.evidence import Floats


class Policy(Protocol):
    """What every policy can do."""

    @property
    def numbers(self) -> Floats:
        """Answer float64[5]: kind, three numbers of its own, the floor."""
        ...


def _five(kind: int, numbers: tuple[float, float, float], floor: float) -> Floats:
    out = np.array([kind, *numbers, floor], np.float64)
    if not np.isfinite(out).all() or (out < 0).any():
        raise ValueError("a policy's numbers are finite and not below 0")
    if floor > 0.1:
        raise ValueError("a floor above .1 is no floor")
    out.setflags(write=False)
    return out


@dataclass(frozen=True, slots=True)
class Thompson:
    """Each arm with its chance to be the best (Thompson 1933; Chapelle and Li 2011).

    width: scales the posterior's standard deviations. 1 is Thompson's own; less explores less,
    which pays over few thousand choices. floor: least probability of an arm that may be chosen.
    """

    width: float = 0.35
    floor: float = 0.001

    @property
    def numbers(self) -> Floats:
        """See Policy."""
        return _five(THOMPSON, (self.width, 0.0, 0.0), self.floor)


@dataclass(frozen=True, slots=True)
class SquareCB:
    """Inverse gap weighting (Abe and Long 1999; Foster and Rakhlin 2020).

    Arm a with probability 1 / (k + scale n^exponent (best - utility of a) / unit), the best one
    with the rest. n: outcomes so far. unit: what a gap is measured in; 0 is the best's utility.
    """

    scale: float = 10.0
    exponent: float = 0.5
    unit: float = 0.0
    floor: float = 0.0

    @property
    def numbers(self) -> Floats:
        """See Policy."""
        return _five(SQUARECB, (self.scale, self.exponent, self.unit), self.floor)


@dataclass(frozen=True, slots=True)
class LinUCB:
    """The arm with the highest mean + alpha deviations (Li, Chu, Langford and Schapire 2010).

    Without a floor its propensities are 1, and nothing can be said of other policies afterwards.
    """

    alpha: float = 0.5
    floor: float = 0.001

    @property
    def numbers(self) -> Floats:
        """See Policy."""
        return _five(LINUCB, (self.alpha, 0.0, 0.0), self.floor)


@dataclass(frozen=True, slots=True)
class Epsilon:
    """The best arm, but any of them with probability `share`; a share of 0 never explores."""

    share: float = 0.05
    floor: float = 0.0

    def __post_init__(self) -> None:
        if self.share > 1:
            raise ValueError("a share is at most 1")

    @property
    def numbers(self) -> Floats:
        """See Policy."""
        return _five(EPSILON, (self.share, 0.0, 0.0), self.floor)


POLICIES: dict[str, type[Thompson] | type[SquareCB] | type[LinUCB] | type[Epsilon]] = {
    "thompson": Thompson,
    "squarecb": SquareCB,
    "linucb": LinUCB,
    "epsilon": Epsilon,
}
"""Every policy by its name."""


def policy_of(params: Mapping[str, Any]) -> Policy:
    """Answer the policy that `params_of` wrote; raises ValueError for what is none."""
    given = dict(params)
    kind = POLICIES.get(given.pop("kind", ""))
    if kind is None:
        raise ValueError(f"a policy is one of {', '.join(POLICIES)}")
    try:
        policy = kind(**given)
        _ = policy.numbers
    except TypeError as error:
        raise ValueError("these are not the numbers of this policy") from error
    return policy


def params_of(policy: Thompson | SquareCB | LinUCB | Epsilon) -> dict[str, Any]:
    """Answer the policy's name and numbers as JSON values."""
    name = next(name for name, kind in POLICIES.items() if isinstance(policy, kind))
    return {"kind": name, **asdict(policy)}
