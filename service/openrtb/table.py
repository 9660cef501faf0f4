"""The table of prices: a row for every line with every creative, made when campaigns change.

What a bid asks of a line (aim, target, what its own words say to the model) lies ready as numbers;
what moves (worth of a conversion, online factors, pace) is filled in every second. Knows nothing of
requests.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from models.bidding.columns import own_codes
from models.bidding.pricing import TABLE
from models.bidding.ready import ReadyModel
from models.bidding.value import AIMS
from service.openrtb.candidates import ReadyLine

F64 = npt.NDArray[np.float64]
_MOVES = slice(TABLE.index("worth"), TABLE.index("pace") + 1)
_DOUBTS = slice(TABLE.index("click_doubt"), TABLE.index("conversion_doubt") + 1)


@dataclass(slots=True)
class PriceTable:
    """rows: float64[n, columns of models.bidding.pricing.TABLE]. codes: int64[n, 3], of own words.
    campaigns: the names of those whose lines are in it; owners: int32[n], the place of each row's
    campaign among them. patterns: uint8[n, trees], what own words say to `model`, None before it
    was asked.
    """

    rows: F64 = field(default_factory=lambda: np.zeros((0, len(TABLE))))
    codes: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros((0, 3), np.int64))
    campaigns: tuple[str, ...] = ()
    owners: npt.NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))
    patterns: npt.NDArray[np.uint8] = field(default_factory=lambda: np.zeros((0, 0), np.uint8))
    model: ReadyModel | None = None

    def ask(self, model: ReadyModel) -> None:
        """Write down what a model makes of the lines' own words."""
        self.patterns, self.rows[:, _DOUBTS] = model.lines(self.codes)
        self.model = model

    def fill(self, moving: Callable[[str], tuple[float, float, float, float]]) -> None:
        """Fill in what moves. moving: of a campaign, the worth of a conversion (micros of its
        currency), its factors for clicks and conversions, and its pace."""
        if len(self.rows):
            values = np.array([moving(name) for name in self.campaigns], np.float64)
            self.rows[:, _MOVES] = values[self.owners]


def lay_out(lines: Iterable[ReadyLine]) -> tuple[tuple[ReadyLine, ...], PriceTable]:
    """Answer lines that know their rows, and the table; nothing learned, nobody paced."""
    placed: list[ReadyLine] = []
    rows: list[tuple[float, ...]] = []
    codes: list[npt.NDArray[np.float64]] = []
    owners: list[int] = []
    numbers: dict[str, int] = {}
    for number, ready in enumerate(lines):
        placed.append(ready._replace(first=len(rows)))
        campaign, goal = ready.campaign, ready.campaign.objective
        for one in ready.creatives:
            codes.append(own_codes(campaign.campaign, ready.line.line, one.creative.creative))
            rows.append((AIMS[goal.aim.value], goal.target, 0.0, 1.0, 1.0, 1.0, 0.0, 0.0, number))
            owners.append(numbers.setdefault(campaign.campaign, len(numbers)))
    return tuple(placed), PriceTable(
        np.array(rows, np.float64).reshape(-1, len(TABLE)),
        np.array(codes, np.int64).reshape(-1, 3),
        tuple(numbers),
        np.array(owners, np.int32),
    )
