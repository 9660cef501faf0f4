"""The table of prices: a row for every line with every creative, made when campaigns change.

What a bid asks of a line (hashed words, aim, target) lies ready as numbers; what moves (worth of a
conversion, online factors, pace) is filled in every second. Knows nothing of requests.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from models.bidding.columns import own_codes
from models.bidding.pricing import TABLE
from models.bidding.value import AIMS
from service.openrtb.candidates import ReadyLine

F64 = npt.NDArray[np.float64]
FIXED = TABLE.index("worth")
"""Columns before this one do not move."""


@dataclass(slots=True, frozen=True)
class PriceTable:
    """rows: float64[n, columns of models.bidding.pricing.TABLE]. campaigns: the names of those
    whose lines are in it; owners: int32[n], the place of each row's campaign among them."""

    rows: F64 = field(default_factory=lambda: np.zeros((0, len(TABLE))))
    campaigns: tuple[str, ...] = ()
    owners: npt.NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))

    def fill(self, moving: Callable[[str], tuple[float, float, float, float]]) -> None:
        """Fill in what moves. moving: of a campaign, the worth of a conversion (micros of its
        currency), its factors for clicks and conversions, and its pace."""
        if len(self.rows):
            values = np.array([moving(name) for name in self.campaigns], np.float64)
            self.rows[:, FIXED:] = values[self.owners]


def lay_out(lines: Iterable[ReadyLine]) -> tuple[tuple[ReadyLine, ...], PriceTable]:
    """Answer lines that know their rows, and the table; nothing learned, nobody paced."""
    placed: list[ReadyLine] = []
    rows: list[Sequence[float]] = []
    owners: list[int] = []
    numbers: dict[str, int] = {}
    for ready in lines:
        placed.append(ready._replace(first=len(rows)))
        campaign, aim = ready.campaign, ready.campaign.objective
        for one in ready.creatives:
            codes = own_codes(campaign.campaign, ready.line.line, one.creative.creative).tolist()
            rows.append((*codes, AIMS[aim.aim.value], aim.target, 0.0, 1.0, 1.0, 1.0))
            owners.append(numbers.setdefault(campaign.campaign, len(numbers)))
    table = np.array(rows, np.float64).reshape(len(rows), len(TABLE))
    return tuple(placed), PriceTable(table, tuple(numbers), np.array(owners, np.int32))
