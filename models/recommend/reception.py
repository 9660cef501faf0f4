"""Reception: what is known of how mixes and new items were received, as sums that fade.

One value for all workers: evidence about every mix by page, and how often each new item was
placed. Bounded, whatever names come in. Knows nothing of how it is kept, or of what follows.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from models.bandits.bank import Bank, empty_bank
from models.bandits.evidence import REWARD, faded, fading
from models.bandits.teachers import Teachers, number_of, signed
from models.recommend.contexts import WIDTH
from models.recommend.mixes import ARMS

Hashes = npt.NDArray[np.uint64]
Counts = npt.NDArray[np.uint32]

MOST_PAGES: Final = 32
ELSEWHERE: Final = ""
"""The page that stands for none, for names too long to be names, and for all beyond the most."""
LONGEST_PAGE: Final = 64
MOST_PLACED: Final = 20_000
"""Items whose places are counted; of more those placed least begin again."""
NO_HASHES: Final[Hashes] = np.zeros(0, np.uint64)
NO_COUNTS: Final[Counts] = np.zeros(0, np.uint32)


@dataclass(frozen=True, slots=True)
class Reception:
    """What is shared.

    at: ms UTC up to which the evidence has faded. workers: see models.bandits.teachers. woken:
    when somebody last told what came of an answer, 0 never. pages: evidence about each of ARMS
    by ("", page), rewards linear with a noise of 1: see `models.recommend.received`. placed:
    hashes of new items, ascending, and how often each was placed.
    """

    at: int = 0
    workers: Teachers = field(default_factory=dict[str, tuple[int, int]])
    woken: int = 0
    pages: Bank = field(default_factory=lambda: empty_bank(len(ARMS), WIDTH))
    items: Hashes = field(default_factory=lambda: NO_HASHES)
    placed: Counts = field(default_factory=lambda: NO_COUNTS)

    def faded(self, now: int, half_life_ms: float) -> "Reception":
        """Answer what is left at `now`; places do not fade, time that runs back changes nothing."""
        if now <= self.at:
            return self
        kept = faded(self.pages.evidence, fading(now - self.at, half_life_ms))
        return replace(self, at=now, pages=self.pages._replace(evidence=kept))

    def number_of(self, worker: str) -> int:
        """Answer the number of the last lessons that a worker added, 0 for none."""
        return number_of(self.workers, worker)

    def signed(self, worker: str, number: int, now: int) -> "Reception":
        """Answer it with a worker's number."""
        return replace(self, workers=signed(self.workers, worker, number, now))

    @property
    def rewards(self) -> float:
        """How much reward counts, faded ones less."""
        return float(self.pages.evidence.tallies[:, REWARD].sum())

    def page_of(self, name: str) -> str:
        """Answer under which name a page is learned of."""
        if ("", name) in self.pages.names:
            return name
        full = len(self.pages.names) >= MOST_PAGES or len(name) > LONGEST_PAGE
        return ELSEWHERE if full else name

    def with_placed(self, told: Mapping[int, int]) -> "Reception":
        """Answer it after items, by hash, were placed so often."""
        if not told:
            return self
        counts = dict(zip(self.items.tolist(), self.placed.tolist(), strict=True))
        for item, count in told.items():
            counts[item] = min(counts.get(item, 0) + count, 2**32 - 1)
        best = sorted(counts.items(), key=lambda one: -one[1])[:MOST_PLACED]
        kept = np.array(sorted(best), np.uint64).reshape(-1, 2)
        return replace(self, items=kept[:, 0].copy(), placed=kept[:, 1].astype(np.uint32))

    def forgetting(self, items: Hashes) -> "Reception":
        """Answer it without the counts of items, by hash, that are new no more."""
        stays = ~np.isin(self.items, items)
        if stays.all():
            return self
        return replace(self, items=self.items[stays], placed=self.placed[stays])

    def bounded(self) -> "Reception":
        """Answer it without the least known of too many pages; there is always room for one
        more, so that invented names do not keep real ones out."""
        if len(self.pages.names) < MOST_PAGES:
            return self
        return replace(self, pages=self.pages.pruned(MOST_PAGES - 1))
