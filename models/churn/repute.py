"""The repute of items: what everybody's orders say of what somebody bought.

Some things are bought by customers who come back, others by those who came for that one thing.
A table as of a fit holds a few figures an item, each against the log's mean purchase, so that it
speaks of the item and not of the season; a customer's are the means over what they bought. Knows
nothing of how figures are counted (training/fit/churn/repute.py) or of what they foretell.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from numba import njit

F64 = npt.NDArray[np.float64]
Hashes = npt.NDArray[np.uint64]

FIGURES = ("return", "again", "sales", "bulk", "price")
"""Each less its mean over all purchases. return: the share of its purchases whose buyer ordered
again within two thirds of the horizon. again: the share of its buyers who bought it twice. sales,
bulk, price: logarithms of its purchases, of the quantity and of the value of a unit."""

COLUMNS = tuple(f"items_{name}" for name in FIGURES) + tuple(f"last_{name}" for name in FIGURES)
"""Means over the last items bought, then over those of the last order; NaN when none is known."""


@dataclass(frozen=True, eq=False)
class Repute:
    """items: uint64[i] rising, no 0. figures: float64[i, len(FIGURES)]."""

    items: Hashes
    figures: F64
    _slots: npt.NDArray[np.int64] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        # Owned and of one type each, so that kernels see the arrays they were compiled for.
        items = np.array(self.items, np.uint64)
        figures = np.array(self.figures, np.float64, order="C")
        rising = bool((items[1:] > items[:-1]).all()) and (not len(items) or items[0] != 0)
        if not rising or figures.shape != (len(items), len(FIGURES)):
            raise ValueError("a repute has rising items and a row of figures for each")
        object.__setattr__(self, "items", items)
        object.__setattr__(self, "figures", figures)
        object.__setattr__(self, "_slots", _placed(items))

    def columns(self, goods: npt.NDArray[Any]) -> F64:
        """Answer float64[n, len(COLUMNS)] of n rows of the `goods` view."""
        out = np.empty((len(goods), len(COLUMNS)))
        bought = np.ascontiguousarray(goods["items"])
        last = np.ascontiguousarray(goods["last"])
        _means(bought, last, self.items, self._slots, self.figures, out)
        return out

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Answer every array by name, for a bundle."""
        return {"items": self.items, "figures": self.figures}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        """Make it of what `arrays` answered; raises KeyError and ValueError."""
        return cls(arrays["items"], arrays["figures"])


def _placed(items: Hashes) -> npt.NDArray[np.int64]:
    """Answer a table of places by the low bits of the hash, -1 where free; at most half full."""
    slots = np.full(1 << max(4, (2 * len(items)).bit_length()), -1, np.int64)
    _place(items, slots)
    return slots


@njit(cache=True, nogil=True)
def _place(items: np.ndarray, slots: np.ndarray) -> None:
    for place in range(len(items)):
        slot = np.int64(items[place] & np.uint64(len(slots) - 1))
        while slots[slot] >= 0:
            slot = (slot + 1) & (len(slots) - 1)
        slots[slot] = place


@njit(cache=True, nogil=True, error_model="numpy")
def _means(bought, last, items, slots, figures, out):
    width = figures.shape[1]
    for i in range(bought.shape[0]):
        for k in range(2 * width):
            out[i, k] = 0.0
        known = 0
        known_last = 0
        for j in range(bought.shape[1]):
            item = bought[i, j]
            if item == 0:
                break
            slot = np.int64(item & np.uint64(len(slots) - 1))
            while slots[slot] >= 0 and items[slots[slot]] != item:
                slot = (slot + 1) & (len(slots) - 1)
            place = slots[slot]
            if place < 0:
                continue
            known += 1
            for k in range(width):
                out[i, k] += figures[place, k]
            if j < last[i]:
                known_last += 1
                for k in range(width):
                    out[i, width + k] += figures[place, k]
        for k in range(width):
            out[i, k] = out[i, k] / known if known else np.nan
            out[i, width + k] = out[i, width + k] / known_last if known_last else np.nan
