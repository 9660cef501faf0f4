"""Counting the repute of items as of a time: the table to release, and what it was before.

A row learned from sees what a table of its own day would have held: purchases before it, and of
them only those comebacks that had happened by then. Knows nothing of churn models.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from domain.clock import DAY_MS
from domain.events import Kind
from feature_store.history import History
from models.churn.repute import COLUMNS, Repute
from training.labels import lasting_groups

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
NEVER = np.iinfo(np.int64).max
SHARE = 2 / 3
"""Of the horizon: within it a buyer comes back or not. Less than all of it, so that there is
something to count in a young log."""
STRENGTH = 30.0
"""Purchases that the mean of the whole log counts for in an item's share of comebacks."""
AGAIN = (2.0, 20.0)
"""Buyers who bought twice, of how many, that every item starts with."""
MOST_ITEMS = 500_000
"""Items that a table keeps, the commonest."""


class Purchases:
    """Every purchase of an item by a user in a log, with the next order of its buyer, ready to be
    counted as of any time. horizon_days: see SHARE."""

    def __init__(self, history: History, horizon_days: float) -> None:
        records, groups = history.records, lasting_groups(history)
        owner = np.repeat(np.arange(len(history.offsets) - 1), np.diff(history.offsets))
        user = np.zeros(len(history.offsets) - 1, np.bool_)
        people = np.array([name[0] == "u" for name in history.entities], np.bool_)
        # Of a session that nobody signed for, nobody knows whether its buyer came back.
        user[groups[people & (groups >= 0)]] = True
        bought = (records["kind"] == Kind.purchase) & (records["item"] != 0) & user[owner]
        self._owner, self._at = owner[bought], records["at"][bought].astype(np.int64)
        self._items, item = np.unique(records["item"][bought], return_inverse=True)
        self._item = item.astype(np.int64)
        quantity = records["quantity"][bought].astype(np.float64)
        value = np.where(records["currency"] == 0, records["value"], 0)[bought] / 1e6
        self._bulk = np.log1p(np.maximum(quantity, 0))
        self._price = np.log1p(np.maximum(value, 0) / np.maximum(quantity, 1e-9))
        self._next = _next_orders(self._owner, self._at)
        self._within = round(SHARE * horizon_days * DAY_MS)

    def __len__(self) -> int:
        return len(self._at)

    def as_of(self, until: int) -> Repute:
        """Answer the table of what happened before `until` (ms UTC)."""
        seen = self._at < until
        item, at, following = self._item[seen], self._at[seen], self._next[seen]
        size = len(self._items)
        sales = np.bincount(item, minlength=size).astype(np.float64)

        def total(weights: npt.NDArray[Any]) -> F64:
            return np.bincount(item, weights=weights, minlength=size).astype(np.float64)

        known = at < until - self._within
        back = total(known & (following < until) & (following - at <= self._within))
        asked = total(known)
        base = back.sum() / max(asked.sum(), 1.0)
        pairs, lines = np.unique(self._owner[seen] * size + item, return_counts=True)
        buyers = np.bincount(pairs % size, minlength=size)
        twice = np.bincount(pairs % size, weights=lines > 1, minlength=size)
        return_ = (back + STRENGTH * base) / (asked + STRENGTH) - base
        others = np.column_stack(
            [
                (twice + AGAIN[0]) / (buyers + AGAIN[1]),
                np.log1p(sales),
                total(self._bulk[seen]) / np.maximum(sales, 1),
                total(self._price[seen]) / np.maximum(sales, 1),
            ]
        )
        others -= sales @ others / max(sales.sum(), 1.0)
        figures = np.column_stack([return_, others])
        kept = np.argsort(-sales, kind="stable")[: min(MOST_ITEMS, int((sales > 0).sum()))]
        kept.sort()
        return Repute(self._items[kept], figures[kept])


def _next_orders(owner: I64, at: I64) -> I64:
    """Answer when the owner of each purchase next ordered, NEVER when not; rows are by owner and
    time, lines of one millisecond are one order."""
    order = np.cumsum(np.r_[True, (owner[1:] != owner[:-1]) | (at[1:] != at[:-1])]) - 1
    if not len(at):
        return np.zeros(0, np.int64)
    first = np.searchsorted(order, np.arange(order[-1] + 1))
    following = np.full(len(first), NEVER)
    same = owner[first][1:] == owner[first][:-1]
    following[:-1][same] = at[first][1:][same]
    return following[order]


def columns_at(purchases: Purchases, goods: npt.NDArray[Any], as_of: npt.NDArray[np.int64]) -> F64:
    """Answer float64[n, len(COLUMNS)] of rows of the `goods` view, each by the table of its day."""
    out = np.empty((len(goods), len(COLUMNS)))
    for until in np.unique(as_of):
        rows = as_of == until
        out[rows] = purchases.as_of(int(until)).columns(goods[rows])
    return out
