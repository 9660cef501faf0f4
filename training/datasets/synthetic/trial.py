"""A simulated retention trial: contact dealt at random, and what it does to each known.

Every figure that rests on it is simulated. Who has been silent for long is at the highest risk and
hardly remembered the contract: a message reminds them to cancel (sleeping dogs, after Ascarza and
others, 2016). Who went quiet lately and buys on offers can be won back; who is told too much is
told too much. So the risk says little of whom to contact (Ascarza, 2018). Knows nothing of models.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]
REGIONS = ("north", "east", "south", "west")


@dataclass(frozen=True)
class SimulatedTrial:
    """n customers. people: attribute → values. treated: bool[n]. stayed: uint8[n].

    propensity: float64[n], the chance of contact. risk: float64[n], the chance of leaving when
    left alone. effect: float64[n], what contact adds to the chance of staying.
    """

    people: dict[str, npt.NDArray[Any]]
    treated: npt.NDArray[np.bool_]
    stayed: npt.NDArray[np.uint8]
    propensity: F64
    risk: F64
    effect: F64

    def __len__(self) -> int:
        return len(self.treated)


def _sigmoid(z: F64) -> F64:
    return 1 / (1 + np.exp(-z))


def _customers(n: int, rng: np.random.Generator) -> dict[str, npt.NDArray[Any]]:
    """Draw attributes from three latent traits: engagement, love of offers, patience."""
    engaged, deals, patient = rng.normal(size=(3, n))
    return {
        "days_silent": np.round(rng.gamma(1.6, 22 * np.exp(-0.5 * engaged)), 1),
        "orders": rng.poisson(np.exp(1.2 + 0.5 * engaged)).astype(np.float64),
        "tenure_months": np.ceil(rng.gamma(2.0, 12.0, n)),
        "discount_share": np.round(_sigmoid(1.3 * deals - 0.4 + 0.3 * rng.normal(size=n)), 3),
        "opened_share": np.round(_sigmoid(0.8 * engaged - 0.2 + 0.7 * rng.normal(size=n)), 3),
        "messages_30d": rng.poisson(np.exp(1.0 - 0.3 * patient)).astype(np.float64),
        "support_calls": rng.poisson(0.4, n).astype(np.float64),
        "basket": np.round(rng.lognormal(3.3, 0.5, n), 2),
        "age": rng.integers(18, 80, n).astype(np.float64),
        "app": np.where(rng.random(n) < _sigmoid(0.7 * engaged), "yes", "no"),
        "region": np.array(REGIONS)[rng.integers(0, len(REGIONS), n)],
    }


def _leaving(people: dict[str, npt.NDArray[Any]]) -> tuple[F64, F64]:
    """Answer the log-odds of leaving when left alone, and by how much contact moves them."""
    silent = np.log1p(people["days_silent"] / 10)
    alone = (
        -2.3
        + 1.25 * silent
        - 0.35 * np.log1p(people["orders"])
        - 0.01 * people["tenure_months"]
        + 0.3 * people["support_calls"]
        - 0.3 * (people["app"] == "yes")
    )
    lately = np.exp(-(((people["days_silent"] - 28) / 16) ** 2))
    asleep = _sigmoid((people["days_silent"] - 60) / 6) * (1 - people["opened_share"])
    tired = np.clip(people["messages_30d"] - 4, 0, 4)
    moved = -1.5 * lately * people["discount_share"] - 0.1 + 0.7 * asleep + 0.08 * tired
    return alone, moved


def simulate_trial(
    n: int, rng: np.random.Generator, *, share: float = 0.5, targeted: float = 0.0
) -> SimulatedTrial:
    """Draw n customers, deal contact, draw what became of them.

    share: of the customers contacted. targeted: how strongly the chance of contact follows the
    risk (log-odds a deviation); 0 is a plain trial, otherwise chances differ and are known.
    """
    people = _customers(n, rng)
    alone, moved = _leaving(people)
    risk = _sigmoid(alone)
    tilt = targeted * (alone - alone.mean()) / alone.std()
    propensity = _sigmoid(np.log(share / (1 - share)) + tilt)
    treated = rng.random(n) < propensity
    leaves = rng.random(n) < _sigmoid(alone + np.where(treated, moved, 0.0))
    return SimulatedTrial(
        people,
        treated,
        (~leaves).astype(np.uint8),
        propensity,
        risk,
        risk - _sigmoid(alone + moved),
    )
