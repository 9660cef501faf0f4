"""Lore: all that a deployment's bidders have learned since the last fit, as sums that fade.

One value for all workers: evidence about prices, sums by campaign, evidence about multipliers by
exchange and campaign and about creatives. Everything is bounded, whatever names come in. Knows
nothing of how it is kept, or of how beliefs follow from it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from models.bandits.bank import Bank, empty_bank
from models.bandits.evidence import faded, fading
from models.bandits.teachers import number_of, signed
from models.bidding.arms import MULTIPLIERS, WIDTH
from models.bidding.market import MarketEvidence

F64 = npt.NDArray[np.float64]

CAME, FORETOLD, FRESH, BOUGHT, HOPED, AWAITED, SPENT, EXPLORED = range(8)
"""Columns of a campaign's sums: clicks, their summed chances, the part of those that is still too
young to have been clicked; the same of first purchases after clicks; micros of its currency spent,
and the part spent on other arms than the best known."""
SUMS: Final = 8

MOST_CAMPAIGNS: Final = 2_000
MOST_EXCHANGES: Final = 32
MOST_PAIRS: Final = 512
"""Exchanges with campaigns that multipliers are learned of."""
MOST_CREATIVES: Final = 2_000
ELSEWHERE: Final = ""
"""The exchange that stands for all beyond MOST_EXCHANGES, and for names too long to be names."""
_LONGEST: Final = 128
_CLICK_MS: Final = 60_000
"""Mean time from an impression to its click."""


@dataclass(frozen=True, slots=True)
class HalfLives:
    """Milliseconds after which what was learned counts half."""

    market: float = 2 * 86_400_000.0
    sums: float = 86_400_000.0
    arms: float = 3 * 86_400_000.0


@dataclass(frozen=True, slots=True)
class Lore:
    """What is shared.

    at: ms UTC up to which it has faded. workers: number of the last lessons that each worker
    added, and when. centre: log of the cpm micros about which a landscape begins that no bundle
    brought; None until somebody knows a campaign. campaigns, sums: float64[n, SUMS]. exchanges,
    told: float64[m, 3], their wins, bills and losses.
    """

    at: int = 0
    workers: Mapping[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])
    centre: float | None = None
    market: MarketEvidence | None = None
    campaigns: tuple[str, ...] = ()
    sums: F64 = field(default_factory=lambda: np.zeros((0, SUMS)))
    exchanges: tuple[str, ...] = ()
    told: F64 = field(default_factory=lambda: np.zeros((0, 3)))
    multipliers: Bank = field(default_factory=lambda: empty_bank(len(MULTIPLIERS), WIDTH))
    creatives: Bank = field(default_factory=lambda: empty_bank(1, WIDTH))

    def faded(self, now: int, lives: HalfLives, delay: float = 0.0) -> "Lore":
        """Answer what is left of it at `now`; time that runs backwards changes nothing.

        delay: mean ms from click to purchase, 0 unknown (a half-life of the sums is taken).
        """
        gone = now - self.at
        if gone <= 0:
            return self
        kept = fading(gone, lives.sums)
        sums = self.sums * kept
        # What is too young to have been clicked grows up besides.
        sums[:, FRESH] *= np.exp(-gone / _CLICK_MS)
        sums[:, AWAITED] *= np.exp(-gone / (delay or lives.sums))
        market = self.market
        if market is not None:
            factor = fading(gone, lives.market)
            market = market._replace(
                precision=market.precision * factor,
                shift=market.shift * factor,
                count=market.count * factor,
            )
        arms = fading(gone, lives.arms)
        return replace(
            self,
            at=now,
            market=market,
            sums=sums,
            told=self.told * kept,
            multipliers=self.multipliers._replace(evidence=faded(self.multipliers.evidence, arms)),
            creatives=self.creatives._replace(evidence=faded(self.creatives.evidence, arms)),
        )

    def number_of(self, worker: str) -> int:
        """Answer the number of the last lessons that a worker added, 0 for none."""
        return number_of(self.workers, worker)

    def signed(self, worker: str, number: int, now: int) -> "Lore":
        """Answer it with a worker's number; those long gone, and too many, are dropped."""
        return replace(self, workers=signed(self.workers, worker, number, now))

    def exchange_of(self, name: str) -> str:
        """Answer under which name an exchange is learned of."""
        if name in self.exchanges:
            return name
        full = len(self.exchanges) >= MOST_EXCHANGES or len(name) > _LONGEST
        return ELSEWHERE if full else name

    def with_campaigns(self, wanted: Iterable[str]) -> "Lore":
        """Answer it with a row for each of these campaigns."""
        known = set(self.campaigns)
        new = [name for name in dict.fromkeys(wanted) if name not in known]
        if not new:
            return self
        sums = np.concatenate([self.sums, np.zeros((len(new), SUMS))])
        return replace(self, campaigns=(*self.campaigns, *new), sums=sums)

    def bounded(self) -> "Lore":
        """Answer it without the least of what is too much."""
        lore = replace(
            self,
            multipliers=self.multipliers.pruned(MOST_PAIRS),
            creatives=self.creatives.pruned(MOST_CREATIVES),
        )
        if len(lore.exchanges) >= MOST_EXCHANGES:
            # There is always room for one more: invented names must not keep real ones out.
            heard = lore.told.sum(axis=1) + [
                name == ELSEWHERE and np.inf for name in lore.exchanges
            ]
            stay = np.sort(np.argsort(-heard, kind="stable")[: MOST_EXCHANGES - 1])
            names = tuple(lore.exchanges[i] for i in stay)
            lore = replace(lore, exchanges=names, told=lore.told[stay])
        if len(lore.campaigns) > MOST_CAMPAIGNS:
            weight = lore.sums[:, SPENT] + lore.sums[:, FORETOLD] + lore.sums[:, CAME]
            kept = np.sort(np.argsort(-weight, kind="stable")[:MOST_CAMPAIGNS])
            names = tuple(lore.campaigns[i] for i in kept)
            lore = replace(lore, campaigns=names, sums=lore.sums[kept])
        return lore
