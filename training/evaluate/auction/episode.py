"""An episode: a player bids through a market, slot by slot, and is told what came of it.

Bids, prices and values are cpm micros, spend is micros. A tie goes to the other; a bid below the
floor never wins. Knows nothing of how a player bids.
"""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from training.evaluate.auction.competitors import Controller
from training.evaluate.auction.market import FIRST_PRICE, SLOT_SECONDS, Market
from training.evaluate.auction.prices import Floats


class Opening(NamedTuple):
    """The auctions of one slot as a bidder sees them; `value` is what each is truly worth."""

    slot: int
    hour: np.ndarray
    exchange: np.ndarray
    site: np.ndarray
    floor: Floats
    value: Floats
    chance: Floats


class Told(NamedTuple):
    """What a bidder learns of a slot: bids, wins, prices paid (0 when lost), cpm micros.

    minimum: float64[n], the least that would have won, NaN where the exchange does not tell.
    conversions: int, those that were told of in this slot, whenever they were won.
    spent: micros of all wins.
    """

    bids: Floats
    won: np.ndarray
    paid: Floats
    minimum: Floats
    conversions: int
    spent: float


class Player(Protocol):
    """Whoever bids."""

    def bid(self, opening: Opening) -> Floats:
        """Answer cpm micros, one for each auction; 0 or less is no bid."""
        ...

    def learn(self, opening: Opening, told: Told) -> None:
        """Hear what came of the slot's bids."""
        ...


@dataclass(slots=True)
class Episode:
    """What happened: bids, paid float64[n], won bool[n], and spend of each slot, micros."""

    market: Market
    bids: Floats
    won: np.ndarray
    paid: Floats
    spend: Floats

    @property
    def surplus(self) -> float:
        """What was won in true value less what was paid, in micros."""
        return float((self.market.value - self.paid)[self.won].sum() / 1_000.0)

    @property
    def expected_conversions(self) -> float:
        """Summed true chances of what was won."""
        return float(self.market.chance[self.won].sum())

    @property
    def conversions(self) -> int:
        """How many conversions there were, told or not."""
        return int(self.market.converts[self.won].sum())


def play(market: Market, player: Player) -> Episode:
    """Let a player bid through a market."""
    n, slots = len(market.value), market.settings.slots
    bids, paid = np.zeros(n), np.zeros(n)
    won, spend = np.zeros(n, np.bool_), np.zeros(slots)
    told = np.zeros(slots, np.int64)
    controllers = {
        place: Controller(one.budget * SLOT_SECONDS)
        for place, one in enumerate(market.settings.competitors)
        if one.kind == "pid"
    }
    tells = np.array(market.settings.told)[market.exchange % len(market.settings.told)]
    for slot in range(slots):
        rows = slice(int(market.starts[slot]), int(market.starts[slot + 1]))
        opening = Opening(
            slot,
            *(column[rows] for column in (market.hour, market.exchange, market.site)),
            *(column[rows] for column in (market.floor, market.value, market.chance)),
        )
        others = market.others[rows].copy()
        for place, controller in controllers.items():
            others[:, place] *= controller.multiplier
        given = np.nan_to_num(player.bid(opening), nan=0.0, posinf=0.0)
        wins, prices, to_beat = settle(given, others, opening.floor, market.settings.at)
        bids[rows], won[rows], paid[rows] = given, wins, prices
        spend[slot] = prices.sum() / 1_000.0
        late = market.told_at[rows][wins & market.converts[rows]]
        np.add.at(told, late[late < slots], 1)
        minimum = np.where(tells[rows], to_beat, np.nan)
        player.learn(opening, Told(given, wins, prices, minimum, int(told[slot]), spend[slot]))
        for place, controller in controllers.items():
            rest = np.delete(others, place, axis=1).max(axis=1, initial=0.0)
            barrier = np.maximum(np.maximum(rest, np.maximum(given, 0.0)), opening.floor)
            theirs = others[:, place] > barrier
            price = others[:, place] if market.settings.at == FIRST_PRICE else barrier
            controller.step(float(price[theirs].sum() / 1_000.0))
    return Episode(market, bids, won, paid, spend)


def settle(
    bids: Floats, others: Floats, floor: Floats, at: int
) -> tuple[np.ndarray, Floats, Floats]:
    """Answer who won (bool[n]), what was paid (0 when lost) and what was to beat, cpm micros."""
    best = others.max(axis=1, initial=0.0)
    to_beat = np.maximum(best, floor)
    won = (bids > best) & (bids >= floor) & (bids > 0.0)
    price = bids if at == FIRST_PRICE else to_beat
    return won, np.where(won, price, 0.0), to_beat
