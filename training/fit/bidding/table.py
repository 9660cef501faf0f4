"""From bids to arrays: rows of features with what came of them, and notices for the landscape.

The user's numbers are replayed from the log as of the time of the bid, by the view functions that
serving calls. Knows nothing of learners.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from feature_store.history import History
from feature_store.views.catalogue import views_named
from models.bidding.columns import NAMES, VIEWS, common_row, own_codes
from models.bidding.feedback import Kind, Rows
from models.bidding.landscape import floor_word, places_of
from training.fit.bidding.bids import Bid

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

STEP = 10_000
"""Prices to win are told to the cent of a thousand: in cpm micros."""

_FIRST_PRICE = 1


class Table(NamedTuple):
    """n impressions by time.

    x: float64[n, columns]. at: ms UTC of the bid. clicked, converted: bool[n]. waited: ms
    from click to conversion, or to `until`; 0 without a click. worth: micros of conversions.
    campaigns: names.
    """

    x: F64
    at: I64
    clicked: Flags
    converted: Flags
    waited: F64
    worth: F64
    campaigns: npt.NDArray[np.str_]

    def take(self, rows: Flags | I64 | slice) -> "Table":
        """Answer some of the impressions."""
        return Table(
            self.x[rows],
            self.at[rows],
            self.clicked[rows],
            self.converted[rows],
            self.waited[rows],
            self.worth[rows],
            self.campaigns[rows],
        )


def table_of(bids: Sequence[Bid], history: History, until: int) -> Table:
    """Answer the impressions among the bids, by time; outcomes are those known at `until`."""
    shown = sorted((bid for bid in bids if bid.shown is not None), key=lambda bid: bid.at)
    x = np.empty((len(shown), len(NAMES)))
    replayed = history.replay(views_named(VIEWS), [(bid.entity, bid.at) for bid in shown])
    for row, bid in enumerate(shown):
        rows = replayed.views if replayed.found[row] else None
        common = common_row(bid.context, bid.scores, rows, row)
        x[row] = np.concatenate([common, own_codes(bid.campaign, bid.line, bid.creative)])
    ends = [bid.converted or until for bid in shown]
    waited = [
        0 if bid.clicked is None else end - bid.clicked
        for bid, end in zip(shown, ends, strict=True)
    ]
    return Table(
        x,
        np.array([bid.at for bid in shown], np.int64),
        np.array([bid.clicked is not None for bid in shown], np.bool_),
        np.array([bid.converted is not None for bid in shown], np.bool_),
        np.array(waited, np.float64),
        np.array([bid.worth for bid in shown], np.float64),
        np.array([bid.campaign for bid in shown], np.str_),
    )


def notices_of(bids: Sequence[Bid], buckets: int) -> Rows:
    """Answer what the bids' auctions told about the price to beat.

    A win in a second-price auction tells the price when it lies above the floor, and that the
    price to beat was no higher when it is the floor. Bids of which nothing is known are left out.
    """
    heard = [bid for bid in bids if bid.won is not None or bid.minimum]
    places = np.zeros((len(heard), len(places_of({}, buckets))), np.int32)
    kind = np.zeros(len(heard), np.uint8)
    low, high = np.zeros(len(heard)), np.zeros(len(heard))
    for row, bid in enumerate(heard):
        context = {**bid.context, "floor": floor_word(bid.floor)}
        places[row] = places_of(context, buckets)
        kind[row], low[row], high[row] = notice_of(bid)
    return Rows(places, kind, low, high)


def notice_of(bid: Bid) -> tuple[int, float, float]:
    """Answer a bid's kind of notice and its two sides, logarithms of cpm micros."""
    offered = math.log(bid.price)
    if bid.minimum:
        return Kind.minimum, math.log(max(bid.minimum - STEP, 1)), math.log(bid.minimum)
    if not bid.won:
        return Kind.lost, offered, offered
    if bid.auction != _FIRST_PRICE and 0 < bid.paid <= bid.price:
        price = math.log(bid.paid)
        return (Kind.exact if bid.paid > bid.floor else Kind.won), price, price
    return Kind.won, offered, offered
