"""What an item is worth beyond being clicked: how readily it is bought, and what that brings.

Worth multiplies relevance and is bounded, so that an item nobody wants stays where it is, and
among items of equal worth the order is that of relevance. Knows nothing of histories.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from domain.clock import DAY_MS
from domain.money import MICROS
from domain.slates import Aimed
from models.recommend.catalogue import NO_PRICE, Catalogue, Micros, Scores
from models.recommend.controls import Objective

Counts = npt.NDArray[np.float64]

BOUND = 4.0
"""An item is worth at most so many times the usual one, and at least that part of it; once for
being bought, once for its margin."""
DOUBT = 20.0
"""As many clicks of the usual item are added to each: few clicks say little."""
MARGIN = "margin"
"""The attribute that says what selling one brings, in units of the house currency."""
FRESH_DAYS = 14.0
"""The lift of a new item halves in so many days."""
FRESH_MOST = 3.0
"""A freshness of 1 multiplies an item created just now by 1 + this."""


class Worth(NamedTuple):
    """Multipliers of relevance, float32[n], None for none, and what they rest on."""

    factors: Scores | None
    aimed: Aimed


def propensity(clicks: Counts, purchases: Counts) -> Scores:
    """Answer float32[n]: how much more readily each item is bought than the usual one.

    (bought + DOUBT * usual) / (clicks + DOUBT) / usual, within BOUND; `usual` is all that was
    bought over all clicks. Purchases beyond an item's clicks were made elsewhere, say at a
    till, and tell nothing of them: `bought` is at most `clicks`.
    """
    bought = np.minimum(purchases, clicks)
    usual = bought.sum() / max(clicks.sum(), 1.0)
    if usual <= 0:
        return np.ones(clicks.size, np.float32)
    rates = (bought + DOUBT * usual) / (clicks + DOUBT)
    return np.clip(rates / usual, 1 / BOUND, BOUND).astype(np.float32)


def margins_of(catalogue: Catalogue) -> tuple[Scores, str, int]:
    """Answer float32[n] margins over the usual one, within BOUND, where from, and of how many.

    An item's margin is its attribute; without one, its price times the median share of the
    price that those with both keep; without either, the median of all margins known. In a
    catalogue without the attribute every price is taken to hold the same share.
    """
    margins = np.full(catalogue.size, np.nan)
    rows, told = catalogue.numbers(MARGIN)
    margins[rows] = told
    units = _units(catalogue.prices)
    share, source = 1.0, "price"
    if rows.size:
        both = rows[units[rows] > 0]
        share = float(np.median(margins[both] / units[both])) if both.size else np.nan
        source = "attribute"
    missing = np.isnan(margins)
    margins[missing] = share * units[missing]
    known = ~np.isnan(margins)
    if not known.any():
        return np.ones(catalogue.size, np.float32), "unknown", 0
    usual = float(np.median(margins[known]))
    if usual <= 0:
        usual = float(np.abs(margins[known]).mean()) or 1.0
    ratios = np.where(known, margins, usual) / usual
    return np.clip(ratios, 1 / BOUND, BOUND).astype(np.float32), source, int(known.sum())


def _units(prices: Micros) -> Counts:
    return np.where(prices == NO_PRICE, np.nan, prices / MICROS)


class Worths:
    """What each item is worth for each objective, kept while catalogue and counts stand still."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._kept: dict[Objective, Worth] = {}
        self._revision = -1
        self._clicks: Counts = np.zeros(0)
        self._purchases: Counts = np.zeros(0)

    def show(self, clicks: Counts, purchases: Counts) -> None:
        """Take how often each of the first m items was clicked and bought, float64[m]."""
        self._clicks, self._purchases = clicks, purchases
        self._kept.clear()

    def of(self, objective: Objective) -> Worth:
        """Answer the multipliers of `objective` and what they rest on."""
        if self._revision != self._catalogue.revision:
            self._kept.clear()
            self._revision = self._catalogue.revision
        if objective not in self._kept:
            self._kept[objective] = self._work_out(objective)
        return self._kept[objective]

    def _work_out(self, objective: Objective) -> Worth:
        if objective is Objective.click:
            return Worth(None, Aimed(objective, "unknown", None, 0))
        size = self._catalogue.size
        factors = np.ones(size, np.float32)
        live = bool(np.minimum(self._clicks, self._purchases).any())
        items = int(np.count_nonzero(self._clicks)) if live else 0
        if live:
            factors[: self._clicks.size] = propensity(self._clicks, self._purchases)
        margins = None
        if objective is Objective.margin:
            ratios, margins, items = margins_of(self._catalogue)
            factors *= ratios
        factors.flags.writeable = False
        return Worth(factors, Aimed(objective, "live" if live else "unknown", margins, items))


def freshness(catalogue: Catalogue, as_of: int, wanted: float) -> Scores:
    """Answer float32[n]: 1 + FRESH_MOST * wanted, halving to 1 every FRESH_DAYS of age.

    Items that the catalogue does not list have no age and get 1.
    """
    days = np.maximum(as_of - catalogue.created, 0) / DAY_MS
    lift = np.where(catalogue.listed, np.exp2(-days / FRESH_DAYS), 0.0)
    return (1 + FRESH_MOST * wanted * lift).astype(np.float32)
