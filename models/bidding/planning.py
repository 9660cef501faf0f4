"""Planning with a known horizon: what the next ticks of a budget are worth, and bids from that.

Dynamic programming over auctions left and budget left (Cai and others, "Real-time bidding by
reinforcement learning in display advertising", WSDM 2017), for a second-price market whose price
does not depend on the bid. A won auction earns its value less `cost_weight` times its price:
weight 0 spends a budget on the most value (the paper's case), weight 1 seeks profit. Knows nothing
of currencies: prices and budgets are whole ticks.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

F64 = npt.NDArray[np.float64]


class Market(NamedTuple):
    """What is believed of one auction: chance of each price, and how values are spread.

    prices: float64[p], the chance of price 0 … p-1 ticks; what is missing to 1 is out of reach.
    values: float64[k], rising, each as likely as any other.
    """

    prices: F64
    values: F64


@njit(cache=True, nogil=True, error_model="numpy")
def gain_above(values: F64, tails: F64, threshold: float) -> float:
    """Answer the mean of max(value - threshold, 0); tails[i] is the sum of values[i:]."""
    above = np.searchsorted(values, threshold)
    left = values.shape[0] - above
    return (tails[above] - left * threshold) / values.shape[0]


@njit(cache=True, nogil=True, error_model="numpy")
def _solve(
    prices: F64, values: F64, horizon: int, budget: int, cost_weight: float
) -> npt.NDArray[np.float64]:
    tails = np.zeros(values.shape[0] + 1)
    for place in range(values.shape[0] - 1, -1, -1):
        tails[place] = tails[place + 1] + values[place]
    worth = np.zeros((horizon + 1, budget + 1))
    for left in range(1, horizon + 1):
        for money in range(budget + 1):
            rest = worth[left - 1, money]
            total = rest
            for price in range(min(money + 1, prices.shape[0])):
                # Worth winning from this value on: what it costs now and what it costs later.
                threshold = cost_weight * price + rest - worth[left - 1, money - price]
                total += prices[price] * gain_above(values, tails, threshold)
            worth[left, money] = total
    return worth


@njit(cache=True, nogil=True, error_model="numpy")
def highest_price(
    worth: F64, cost_weight: float, value: float, left: int, money: int, most: int
) -> int:
    """Answer the highest price in ticks at which winning pays, -1 when none does.

    left: auctions left, this one among them; money: ticks left, both inside the table. most: the
    highest price that is looked at. What is lost grows with the price, so halving finds it.
    """
    low, high = -1, min(money, most)
    while low < high:
        price = (low + high + 1) // 2
        if value - cost_weight * price + worth[left - 1, money - price] >= worth[left - 1, money]:
            low = price
        else:
            high = price - 1
    return low


@dataclass(frozen=True, eq=False)
class Plan:
    """What a budget is worth with so many auctions to come; pure, may run in threads.

    worth: float64[horizon+1, budget+1]. most: the highest price known to the market, in ticks.
    Beyond the table's horizon the budget is scaled to the table's, as in the paper's mapping of
    large problems to small ones: what matters most is the budget for each auction left.
    """

    worth: F64
    cost_weight: float
    most: int

    @property
    def horizon(self) -> int:
        """Answer how many auctions the table looks ahead."""
        return self.worth.shape[0] - 1

    def place(self, left: int, money: float) -> tuple[int, int]:
        """Answer the row and column of the table that stand for auctions and ticks left."""
        rows = min(max(left, 1), self.horizon)
        scaled = money if left <= self.horizon else money * self.horizon / left
        # A scaled budget stays at least the dearest price: one auction may still use it.
        scaled = max(scaled, min(money, self.most))
        return rows, int(min(scaled, self.worth.shape[1] - 1))

    def bid(self, value: float, left: int, money: float) -> int:
        """Answer the highest price in ticks worth paying, -1 for no bid; never above `money`.

        value: of winning, in the unit of the market's values. left: auctions left with this one.
        """
        if not (value > 0 and money >= 0 and left >= 1):
            return -1
        rows, ticks = self.place(left, money)
        found = highest_price(self.worth, self.cost_weight, value, rows, ticks, self.most)
        return min(found, int(money))


def plan(market: Market, horizon: int, budget: int, cost_weight: float = 0.0) -> Plan:
    """Answer the plan for up to `horizon` auctions and `budget` ticks.

    Takes horizon × budget × prices steps. Raises ValueError for a market that is none.
    """
    prices = np.ascontiguousarray(market.prices, np.float64)
    values = np.sort(np.ascontiguousarray(market.values, np.float64))
    sound = prices.ndim == 1 and values.ndim == 1 and len(prices) and len(values)
    if not sound or not (np.isfinite(prices).all() and np.isfinite(values).all()):
        raise ValueError("a market has finite prices and values, at least one of each")
    if prices.min() < 0 or prices.sum() > 1 + 1e-9 or values[0] < 0:
        raise ValueError("chances of prices are 0 or more and add to 1 at most; values are 0 up")
    if horizon < 1 or budget < 0 or not 0 <= cost_weight < np.inf:
        raise ValueError("a plan has an auction or more, a budget of 0 or more, a weight of 0 up")
    worth = _solve(prices, values, horizon, budget, float(cost_weight))
    return Plan(worth, float(cost_weight), len(prices) - 1)
