"""Replay of logged second-price auctions: bids against the prices that were paid.

A bid wins when it is above the logged price and pays that price; nothing is bought that the budget
left cannot pay. Sound only for bids below what the log's own bidder paid for: auctions it lost are
not in it. Knows nothing of how bids come about.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]


class Auctions(NamedTuple):
    """Logged auctions in the order they came: clicks 0 or 1, prices in ticks, predicted clicks."""

    clicks: F64
    prices: F64
    predicted: F64

    def take(self, rows: npt.NDArray[np.int64] | slice) -> "Auctions":
        """Answer some of them."""
        return Auctions(*(column[rows] for column in self))


class Bought(NamedTuple):
    """What came of a replay; spent is in ticks."""

    clicks: int
    wins: int
    spent: float

    def profit(self, worth: float) -> float:
        """Answer what the clicks were worth less what was spent, in ticks."""
        return worth * self.clicks - self.spent


def replay(auctions: Auctions, bids: F64, budget: float) -> Bought:
    """Replay bids that do not look at what was spent so far."""
    wanted = np.flatnonzero(bids > auctions.prices)
    spent, won = 0.0, []
    for row in wanted:
        price = float(auctions.prices[row])
        if spent + price <= budget:
            spent += price
            won.append(row)
    return Bought(int(auctions.clicks[won].sum()), len(won), spent)


def replay_planned(
    auctions: Auctions, values: F64, bid: Callable[[float, int, float], int], budget: float
) -> Bought:
    """Replay a plan: `bid(value, auctions left, budget left)` answers the highest price to pay.

    A plan pays its bid, so it also wins at exactly that price.
    """
    spent, clicks, wins, n = 0.0, 0, 0, len(values)
    for row in range(n):
        price = float(auctions.prices[row])
        if price <= bid(float(values[row]), n - row, budget - spent):
            spent += price
            clicks += int(auctions.clicks[row])
            wins += 1
    return Bought(clicks, wins, spent)


def price_chances(prices: F64) -> F64:
    """Answer the share of each whole price 0 … highest, float64[p]."""
    counts = np.bincount(np.round(prices).astype(np.int64))
    return counts / counts.sum()
