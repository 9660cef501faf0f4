"""A market drawn beforehand: every auction, what it is worth, what the others bid, what follows.

Supply and prices go by the hour, prices by exchange and site too. All that chance decides is drawn
here, so that players can be compared auction by auction. Knows nothing of players.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from training.evaluate.auction.competitors import FIVE_SHADED, Competitor, bids_of
from training.evaluate.auction.prices import Floats, Prices, made_up

FIRST_PRICE, SECOND_PRICE = 1, 2
SLOT_SECONDS = 60.0
_DAY = 24 * 60


@dataclass(frozen=True, slots=True)
class MarketSettings:
    """What a market is like.

    a_minute: mean auctions. slots: minutes. at: auction type. swing: how much supply and prices go
    up and down over the day. sites, exchanges: how many; site_sd, exchange_sd: of the logarithm of
    their prices. told: of each exchange, whether it tells the minimum to win. alike: how far what
    an impression is worth to us goes with its price, 0 to 1. worth: of a conversion, in micros.
    delay: mean minutes until a conversion is told. floors: share of auctions with a floor.
    """

    a_minute: float = 100.0
    slots: int = _DAY
    at: int = FIRST_PRICE
    swing: float = 0.4
    sites: int = 8
    exchanges: int = 2
    site_sd: float = 0.5
    exchange_sd: float = 0.2
    told: tuple[bool, ...] = (True, False)
    alike: float = 0.5
    level: float = 1.2
    worth: float = 50_000.0
    delay: float = 120.0
    floors: float = 0.3
    competitors: tuple[Competitor, ...] = FIVE_SHADED
    prices: Prices = field(default_factory=made_up)


class Market(NamedTuple):
    """n auctions in the order of time; amounts are cpm micros.

    starts: int64[slots + 1], where each slot's auctions begin. hour, exchange, site: int64[n].
    floor, value: float64[n], value is what an impression is truly worth to us. chance: float64[n]
    of a conversion; converts: bool[n]; told_at: int64[n], the slot in which that is told.
    others: float64[n, k], what competitors bid before any controller.
    """

    settings: MarketSettings
    starts: np.ndarray
    hour: np.ndarray
    exchange: np.ndarray
    site: np.ndarray
    floor: Floats
    value: Floats
    chance: Floats
    converts: np.ndarray
    told_at: np.ndarray
    others: Floats

    @property
    def to_beat(self) -> Floats:
        """What a bid must exceed (or, with no other bid, reach): the others' best, or the floor."""
        return np.maximum(self.others.max(axis=1, initial=0.0), self.floor)


def daily(hour: Floats, swing: float, peak: float) -> Floats:
    """Answer factors of mean 1 over the day, highest at the hour `peak`."""
    return 1.0 + swing * np.cos((hour - peak) * (2 * np.pi / 24))


def draw(settings: MarketSettings, rng: np.random.Generator) -> Market:
    """Draw a market; the same generator state gives the same market."""
    minutes = np.arange(settings.slots)
    supply = settings.a_minute * daily(minutes / 60.0, settings.swing, peak=20.0)
    counts = rng.poisson(supply)
    starts = np.concatenate([[0], np.cumsum(counts)])
    n = int(starts[-1])
    slot = np.repeat(minutes, counts)
    hour = slot // 60 % 24
    exchange = rng.integers(0, settings.exchanges, n)
    site = rng.integers(0, settings.sites, n)
    by_site = np.exp(settings.site_sd * rng.normal(size=settings.sites))
    by_exchange = np.exp(settings.exchange_sd * rng.normal(size=settings.exchanges))
    base = settings.prices.draw(n, rng)
    dear = daily(slot / 60.0, settings.swing / 2, peak=21.0)
    worth = base * by_site[site] * by_exchange[exchange] * dear
    # To us, an impression is worth what it is to others, up to a power, and luck of our own.
    middle = float(np.median(base))
    own = (base / middle) ** settings.alike * np.exp(0.6 * rng.normal(size=n) - 0.18)
    value = settings.level * middle * own
    has_floor = rng.random(n) < settings.floors
    floor = np.where(has_floor, 0.4 * middle * by_site[site] * rng.random(n), 0.0)
    chance = np.minimum(value / 1_000.0 / settings.worth, 0.5)
    others = np.column_stack([bids_of(one, worth, rng) for one in settings.competitors])
    return Market(
        settings,
        starts,
        hour,
        exchange,
        site,
        floor,
        chance * settings.worth * 1_000.0,
        chance,
        rng.random(n) < chance,
        slot + rng.exponential(settings.delay, n).astype(np.int64),
        others,
    )
