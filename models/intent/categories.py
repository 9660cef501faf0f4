"""Categories of items as whole numbers: the code of a name, and what items had at the fit.

Knows nothing of the catalogue; whoever has a newer one hands in codes of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from domain.ids import hash32

Codes = npt.NDArray[np.int32]
Hashes = npt.NDArray[np.uint64]


def category_code(text: str) -> int:
    """Hash a category's name to 1 … 2**31 - 1; 0 means none. Networks fold it into buckets."""
    return hash32(text) & 0x7FFFFFFF or 1


@dataclass(frozen=True, eq=False)
class Categories:
    """items: uint64[m] (hash64) rising. codes: int32[m], the category of each."""

    items: Hashes
    codes: Codes

    def __post_init__(self) -> None:
        if self.items.shape != self.codes.shape or (self.items[1:] <= self.items[:-1]).any():
            raise ValueError("items rise and have a code each")

    def of(self, items: Hashes) -> Codes:
        """Answer int32[n], the codes of items; 0 where there is no item or no category known."""
        if not len(self.items):
            return np.zeros(len(items), np.int32)
        places = np.searchsorted(self.items, items)
        places[places == len(self.items)] = 0
        return np.where(self.items[places] == items, self.codes[places], 0).astype(np.int32)

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Answer every array by name, for a bundle."""
        return {"items": self.items, "codes": self.codes}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        """Make it of what `arrays` answered; raises KeyError and ValueError."""
        return cls(np.asarray(arrays["items"]), np.asarray(arrays["codes"]))

    @classmethod
    def made(cls, codes: Mapping[int, int]) -> Self:
        """Make it of item hash → code; codes of 0 are left out."""
        known = sorted((item, code) for item, code in codes.items() if code)
        items = np.array([item for item, _ in known], np.uint64)
        return cls(items, np.array([code for _, code in known], np.int32))
