"""The simulated shop: made-up shoppers' events with the truth about each, known by construction.

Whatever rests on it is called simulated. Knows nothing of files or models.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from domain.events import Kind
from domain.ids import hash64, user_entity
from domain.money import to_micros
from models.intent.categories import category_code
from training.datasets.synthetic.optimum import Optimum, optimum
from training.datasets.synthetic.visits import Hidden, Visits, draw_visits
from training.datasets.synthetic.world import (
    CATEGORIES,
    ITEMS,
    TYPES,
    World,
    category_of,
    prices,
    usual_world,
)
from training.fit.intent.sessions import Stream

I64 = npt.NDArray[np.int64]
START = 1_704_067_200_000
"""2024-01-01 00:00 UTC, when the simulated log begins."""

DAYS = 60.0
HORIZON_DAYS = 28.0


@dataclass(frozen=True, eq=False)
class Shop:
    """visits: what everybody sees. hidden: what nobody sees. best: what can be known. days: how
    long it was watched. horizon_days: of the truth about churn."""

    visits: Visits
    hidden: Hidden
    best: Optimum
    days: float
    horizon_days: float

    @property
    def ats(self) -> I64:
        """Answer int64[n], ms UTC of every event."""
        return START + self.visits.ats

    @property
    def owner(self) -> I64:
        """Answer int64[n], the shopper of every event, 0 …"""
        lengths = np.diff(self.visits.offsets[self.visits.users])
        return np.repeat(np.arange(len(lengths)), lengths)

    @property
    def values(self) -> npt.NDArray[np.float64]:
        """Answer float64[n], the price of every event's item; NaN without an item."""
        items = self.visits.items
        return np.where(items >= 0, prices()[items], np.nan)

    @property
    def buys(self) -> npt.NDArray[np.bool_]:
        """Answer bool[n], whether a purchase follows later in the same visit."""
        bought = self.visits.kinds[self.visits.offsets[1:] - 1] == Kind.purchase
        y = np.repeat(bought, np.diff(self.visits.offsets))
        return y & (self.visits.kinds != Kind.purchase)

    def stream(self) -> Stream:
        """Answer the events as the session table takes them."""
        items = self.visits.items
        hashes = np.array([hash64(name) for name in item_names()], np.uint64)
        codes = np.array([category_code(name) for name in category_names()], np.int32)
        micros = np.array([to_micros(price) for price in prices()], np.int64)
        there = items >= 0
        return Stream(
            entities=np.array([hash64(user_entity(name)) for name in self.user_names()], np.uint64),
            groups=self.visits.offsets[self.visits.users],
            kinds=self.visits.kinds,
            items=np.where(there, hashes[items], 0).astype(np.uint64),
            categories=np.where(there, codes[category_of(items)], 0).astype(np.int32),
            values=np.where(there, micros[items], 0),
            ats=self.ats,
        )

    def user_names(self) -> list[str]:
        """Answer the shoppers' ids."""
        return [f"simulated-{number:06d}" for number in range(len(self.hidden.types))]


def item_names() -> list[str]:
    """Answer the ids of all items."""
    return [f"simulated-item-{number:02d}" for number in range(ITEMS)]


def category_names() -> list[str]:
    """Answer the names of all categories: four of each taste."""
    tastes = [name.split()[0] for name in TYPES[::2]]
    return [f"simulated {tastes[place // 4]} {place % 4 + 1}" for place in range(CATEGORIES)]


def simulate(
    users: int,
    days: float = DAYS,
    seed: int = 0,
    *,
    horizon_days: float = HORIZON_DAYS,
    world: World | None = None,
) -> Shop:
    """Draw a shop and find what can be known of it; the same seed draws the same shop."""
    laws = world or usual_world()
    visits, hidden = draw_visits(laws, users, days, seed)
    best = optimum(laws, visits, days, horizon_days)
    return Shop(visits, hidden, best, days, horizon_days)
