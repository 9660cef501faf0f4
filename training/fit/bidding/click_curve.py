"""The chance of a click given a predicted one and the price paid: a bent line on log-odds.

In a second-price auction a bidder learns something from winning cheaply: what nobody else wanted
is clicked less. The value is then interdependent (Milgrom and Weber, "A theory of auctions and
competitive bidding", 1982), and the best bid is the price up to which winning *at that price* still
pays. Knows nothing of budgets or of which log it learns from.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from models.calibration import logit, sigmoid
from training.fit.bidding.newton import F64, log_likelihood, ridge_logistic

CENTRE = -8.5
"""Log-odds near the middle of display clicks; only keeps the columns comparable."""

PRICE_SHIFT = 5.0
"""Ticks added before the logarithm: differences among the cheapest prices mean little."""


class Shape(NamedTuple):
    """knots: where the line may bend, in log-odds above CENTRE. price: whether the price counts.
    ridge: of every weight but the intercept's."""

    knots: tuple[float, ...] = ()
    price: bool = False
    ridge: float = 1.0


SHAPES: tuple[Shape, ...] = tuple(
    Shape(knots, price, ridge)
    for knots in ((), (2.5, 4.5), (-1.0, 1.0, 3.0, 5.0, 7.0))
    for price in (False, True)
    for ridge in (0.3, 3.0)
)
"""What is tried, from the plain line (Platt, 1999) to five bends with the price."""


class ClickCurve(NamedTuple):
    """A learned curve."""

    shape: Shape
    weights: F64

    def chance(self, predicted: npt.ArrayLike, price: npt.ArrayLike) -> F64:
        """Answer the chance of a click at predicted chances and prices in ticks."""
        return sigmoid(columns(self.shape, np.asarray(predicted), np.asarray(price)) @ self.weights)

    def bids(self, predicted: F64, worth: float, prices: F64) -> F64:
        """Answer the bid in ticks that gains most in a second-price auction.

        worth: of a click in ticks. prices: float64[p], the chance of each price 0 … p-1. The
        bid b gains Σ over prices m < b of chance(m) · (worth · click(m) − m); a tie does not
        win. 0 where nothing is gained.
        """
        asked, back = np.unique(predicted, return_inverse=True)
        gained, best, bid = np.zeros(len(asked)), np.zeros(len(asked)), np.zeros(len(asked))
        for price, chance in enumerate(prices):
            click = self.chance(asked, np.full(len(asked), float(price)))
            gained += chance * (worth * click - price)
            better = gained > best
            best[better], bid[better] = gained[better], price + 0.5
        return bid[back]


def columns(shape: Shape, predicted: F64, price: F64) -> F64:
    """Answer float64[n, d]: one, the log-odds, a hinge for each knot, the price's logarithm."""
    u = logit(predicted) - CENTRE
    found = [np.ones_like(u), u, *(np.maximum(u - knot, 0.0) for knot in shape.knots)]
    if shape.price:
        found.append(np.log(price + PRICE_SHIFT) - 4.0)
    return np.stack(found, axis=1)


def fit_curve(shape: Shape, predicted: F64, price: F64, clicks: F64) -> ClickCurve:
    """Learn the weights of a shape; all arrays float64[n]."""
    x = columns(shape, predicted, price)
    return ClickCurve(shape, ridge_logistic(x, clicks, _ridge_of(shape)).weights)


def _ridge_of(shape: Shape) -> F64:
    return np.r_[1e-3, np.full(1 + len(shape.knots) + shape.price, shape.ridge)]


def blocks(n: int, count: int) -> list[npt.NDArray[np.int64]]:
    """Answer rows in `count` stretches of time: neighbours resemble each other too much."""
    return np.array_split(np.arange(n), count)


def choose_shape(
    predicted: F64,
    price: F64,
    clicks: F64,
    shapes: Sequence[Shape] = SHAPES,
    count: int = 11,
) -> tuple[Shape, dict[Shape, float]]:
    """Answer the shape whose log-likelihood of each stretch, learned from the others, is best.

    Likelihood decides and not profit: with few clicks the profit of a replay is mostly luck.
    """
    found: dict[Shape, float] = {}
    for shape in shapes:
        x, ridge = columns(shape, predicted, price), _ridge_of(shape)
        # The answer on all rows is close to each part's: it only shortens the way.
        start = ridge_logistic(x, clicks, ridge).weights
        total = 0.0
        for part in blocks(len(x), count):
            kept = np.ones(len(x), bool)
            kept[part] = False
            line = ridge_logistic(x[kept], clicks[kept], ridge, start=start)
            total += log_likelihood(x[part], clicks[part], line.weights)
        found[shape] = total
    return max(found, key=lambda shape: found[shape]), found
