"""What everybody's events say of an item and of a category: how common, how often bought.

    rate = (purchases + strength * base) / (events + strength)

shrunk toward the rate of the whole log, so that three visits to an item say little. A table as
of a fit; knows nothing of users or sessions.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt
from numba import njit

F64 = npt.NDArray[np.float64]
Hashes = npt.NDArray[np.uint64]
Codes = npt.NDArray[np.int32]

RENOWN = (
    "category_buy_rate",
    "category_cart_rate",
    "category_share",
    "item_buy_rate",
    "item_cart_rate",
    "item_share",
)
"""Rates per event; shares in thousandths of all events. NaN without an item or category."""

CATEGORY_STRENGTH = 30.0
ITEM_STRENGTH = 10.0
"""Events that the rate of the whole log counts for."""


class Renown(NamedTuple):
    """Counts of (events, adds to cart, purchases): categories int32[c] rising with
    category_counts float64[c, 3], items uint64[i] rising with item_counts float64[i, 3], and
    totals float64[3]."""

    categories: Codes
    category_counts: F64
    items: Hashes
    item_counts: F64
    totals: F64

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Answer every array by name, for a bundle."""
        return self._asdict()

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        """Make it of what `arrays` answered; raises KeyError and ValueError."""
        # Owned and of one type each, so that kernels see the arrays they were compiled for.
        made = cls(
            np.array(arrays["categories"], np.int32),
            np.array(arrays["category_counts"], np.float64, order="C"),
            np.array(arrays["items"], np.uint64),
            np.array(arrays["item_counts"], np.float64, order="C"),
            np.array(arrays["totals"], np.float64),
        )
        fits = made.category_counts.shape == (len(made.categories), 3)
        fits &= made.item_counts.shape == (len(made.items), 3) and made.totals.shape == (3,)
        rising = (made.categories[1:] > made.categories[:-1]).all()
        rising &= (made.items[1:] > made.items[:-1]).all()
        if not fits or not rising:
            raise ValueError("the counts of items and categories do not fit each other")
        return made


def unheard() -> Renown:
    """Answer the table of an empty log: everything is as good as anything."""
    return Renown(
        np.zeros(0, np.int32),
        np.zeros((0, 3)),
        np.zeros(0, np.uint64),
        np.zeros((0, 3)),
        np.zeros(3),
    )


@njit(cache=True, nogil=True, error_model="numpy")
def write_rates(counts: F64, totals: F64, strength: float, out: F64) -> None:
    """Write (buy rate, cart rate, share) of a thing with `counts` in a log of `totals`."""
    # A log of no events has a base too: one in fifty.
    cart = (totals[1] + 1) / (totals[0] + 50)
    buy = (totals[2] + 1) / (totals[0] + 50)
    out[0] = (counts[2] + strength * buy) / (counts[0] + strength)
    out[1] = (counts[1] + strength * cart) / (counts[0] + strength)
    out[2] = 1000 * counts[0] / totals[0] if totals[0] > 0 else 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def write_renown(renown: Renown, item: np.uint64, category: np.int32, out: F64) -> None:
    """Write RENOWN of one event's item and category."""
    nothing = np.zeros(3)
    out[:] = np.nan
    if category != 0:
        place = np.searchsorted(renown.categories, category)
        known = place < len(renown.categories) and renown.categories[place] == category
        counts = renown.category_counts[place] if known else nothing
        write_rates(counts, renown.totals, CATEGORY_STRENGTH, out[0:3])
    if item != 0:
        place = np.searchsorted(renown.items, item)
        known = place < len(renown.items) and renown.items[place] == item
        counts = renown.item_counts[place] if known else nothing
        write_rates(counts, renown.totals, ITEM_STRENGTH, out[3:6])
