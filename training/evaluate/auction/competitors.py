"""Those we bid against: what each makes of what an impression is worth to them.

Truthful, linear, shaded (as first-price bidders do), and one that holds a budget by a PID
controller. Knows nothing of us; the controller sees what its own bids won.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from training.evaluate.auction.prices import Floats


@dataclass(frozen=True, slots=True)
class Competitor:
    """One other bidder.

    kind: of COMPETITORS. level: what impressions are worth to them, against the market's prices.
    noise: sd of the logarithm of what they think beside that. presence: how often they bid.
    shade: the part of the value that is bid on a cheap impression; dear ones are shaded more.
    offset: cpm micros added by a linear bidder. budget: a second, in micros, of a PID bidder.
    """

    kind: str = "shaded"
    level: float = 1.0
    noise: float = 0.3
    presence: float = 0.6
    shade: float = 0.8
    offset: float = 0.0
    budget: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in COMPETITORS:
            raise ValueError(f"a competitor is one of {', '.join(COMPETITORS)}")


def _truthful(value: Floats, _one: Competitor) -> Floats:
    return value


def _linear(value: Floats, one: Competitor) -> Floats:
    return one.shade * value + one.offset


def _shaded(value: Floats, one: Competitor) -> Floats:
    """Bid a falling part of the value: shade of cheap ones, towards half of that of dear ones."""
    middle = float(np.median(value)) if len(value) else 1.0
    return one.shade * value * (1.0 - 0.5 * value / (value + 4.0 * middle))


COMPETITORS: dict[str, Callable[[Floats, Competitor], Floats]] = {
    "truthful": _truthful,
    "linear": _linear,
    "shaded": _shaded,
    "pid": _truthful,
}
"""Every kind of bidder; a PID bidder's are multiplied by its controller as time goes by."""


def bids_of(one: Competitor, worth: Floats, rng: np.random.Generator) -> Floats:
    """Answer what a competitor bids, 0 where absent: float64[n].

    worth: float64[n], what each impression is worth to the market.
    """
    n = len(worth)
    value = worth * one.level * np.exp(one.noise * rng.normal(size=n) - 0.5 * one.noise**2)
    bids = COMPETITORS[one.kind](value, one)
    return np.where(rng.random(n) < one.presence, np.maximum(bids, 0.0), 0.0)


@dataclass(slots=True)
class Controller:
    """Holds spend a slot at a set point: proportional, integral and derivative of the miss.

    multiplier: what bids are multiplied with, within .05 and 3.
    """

    due: float
    multiplier: float = 1.0
    p: float = 0.2
    i: float = 0.02
    d: float = 0.05
    _sum: float = 0.0
    _last: float = 0.0

    def step(self, spent: float) -> None:
        """Move by what a slot's bids have cost, in micros."""
        if self.due <= 0:
            return
        miss = max(-1.0, min(1.0, 1.0 - spent / self.due))
        self._sum = max(-100.0, min(100.0, self._sum + miss))
        moved = self.p * miss + self.i * self._sum + self.d * (miss - self._last)
        self._last = miss
        self.multiplier = min(3.0, max(0.05, float(np.exp(moved))))


FIVE_SHADED = tuple(
    Competitor("shaded", level, noise, presence, shade)
    for level, noise, presence, shade in (
        (1.0, 0.25, 0.7, 0.85),
        (0.9, 0.35, 0.6, 0.75),
        (1.1, 0.30, 0.4, 0.80),
        (0.8, 0.40, 0.6, 0.90),
        (1.2, 0.20, 0.3, 0.70),
    )
)
"""The field of the benchmark."""
