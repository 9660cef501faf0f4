"""How dear impressions are: histograms of market prices, as a campaign of a real exchange saw them.

Prices are whole units a thousand impressions; a unit is CPM_MICROS. Knows nothing of bidders.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
CPM_MICROS = 10_000.0
"""What one unit of a histogram is worth, in cpm micros: prices lie between .01 and 3 a thousand."""


@dataclass(frozen=True, slots=True)
class Prices:
    """A distribution of market prices; counts: float64[p], of the prices 0, 1, 2 … units.

    Raises ValueError for counts that are none.
    """

    counts: Floats

    def __post_init__(self) -> None:
        sane = np.isfinite(self.counts).all() and (self.counts >= 0).all()
        if not sane or self.counts.sum() <= 0:
            raise ValueError("a histogram of prices has counts, not below 0, and some above")

    def draw(self, n: int, rng: np.random.Generator) -> Floats:
        """Answer n prices in cpm micros, spread evenly within their unit: float64[n], above 0."""
        price = rng.choice(len(self.counts), n, p=self.counts / self.counts.sum())
        return (price + rng.random(n) + 1e-3) * CPM_MICROS


def histograms(folder: Path) -> dict[str, Prices]:
    """Read every campaign's training histogram (`price_counter_train` of `*_info.json`)."""
    found: dict[str, Prices] = {}
    for path in sorted(folder.glob("*_info.json")):
        counts = json.loads(path.read_text())["price_counter_train"]
        found[path.name.removesuffix("_info.json")] = Prices(np.array(counts, np.float64))
    return found


def made_up(median: float = 70.0, sd: float = 0.8, most: int = 301) -> Prices:
    """Answer a log-normal histogram, for where there is no data."""
    price = np.arange(most) + 0.5
    return Prices(np.exp(-0.5 * (np.log(price / median) / sd) ** 2) / price)
