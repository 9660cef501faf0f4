"""The lore that all workers share: read, taught to, and written by compare-and-set, once.

A batch of lessons has a number; the lore holds the last number of every worker, so that a write
whose answer was lost counts once. Knows nothing of notices or of what bids look up.
"""

import asyncio
import math
import statistics
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import NamedTuple

from domain.campaigns import Campaign
from domain.clock import Clock
from domain.ids import new_id
from feature_store.store import Store
from models.bidding.learned import Learned, learned_of
from models.bidding.lore import Lore
from models.bidding.lore_format import pack_lore, read_lore
from models.bidding.market import Ground, ground_of, prior_landscape
from models.bidding.teaching import teach
from models.bidding.tidings import Lessons
from service.bundles import Loaded
from service.learning_settings import LearningSettings

NAME = "bid-lore"
USUAL = math.log(1e6)
"""About which prices are thought to lie before any campaign is known: one unit a thousand."""
TRIES = 5
"""How often a turn begins again because another worker wrote; then the next turn does."""
STALE_MS = 30_000
"""What lore means is worked out anew after so long even if nobody taught: it fades."""


class Heard(NamedTuple):
    """The lore as it stands and what it means. blob: to be written, None when nothing changed.

    refused: lessons that could not be taken; counted: whether those given were, now or before.
    corrupt: what was there could not be read.
    """

    lore: Lore
    learned: Learned
    blob: bytes | None
    refused: int = 0
    corrupt: bool = False


class _Changed(Exception):
    """Another worker wrote in between."""


class SharedLore:
    """One worker's hold of the lore; exchanges are made one after another."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        campaigns: Callable[[], Mapping[str, Campaign]],
        settings: LearningSettings,
    ) -> None:
        self._store = store
        self._clock = clock
        self._campaigns = campaigns
        self._settings = settings
        self._worker = new_id()
        self._number = 0
        self._held: bytes | None = None
        self._loaded: Loaded | None = None
        self._worked_at = 0
        self._ground_key: object = USUAL
        self._ground = ground_of(prior_landscape(USUAL))
        self.pending: Lessons | None = None
        """Lessons that were numbered, and are not known to be written."""
        self.lore = Lore()
        self.learned = learned_of(self.lore, self._ground)

    def give(self, lessons: Lessons) -> None:
        """Number the lessons of the next exchange; only when none are pending."""
        self.pending = lessons
        self._number += 1

    async def exchange(self, loaded: Loaded | None) -> Heard | None:
        """Teach what is pending and hear what others taught; None when all is as it was.

        loaded: the released model, None without one. Raises StoreUnavailable, and keeps what is
        pending; likewise when others wrote again and again.
        """
        for _ in range(TRIES):
            held = await self._store.get_blob(NAME)
            if self.pending is None and self._is_fresh(held, loaded):
                return None
            heard = await asyncio.to_thread(self._work, held, loaded)
            if heard.blob is not None:
                try:
                    await self._store.edit_blob(NAME, _unless_changed(held, heard.blob))
                except _Changed:
                    continue
                held = heard.blob
            self.pending = None
            self.lore, self.learned = heard.lore, heard.learned
            self._held, self._loaded, self._worked_at = held, loaded, self._clock()
            return heard
        return None

    def _is_fresh(self, held: bytes | None, loaded: Loaded | None) -> bool:
        """Tell whether what is known is of this lore, this bundle and about this time."""
        return (
            held == self._held
            and loaded is self._loaded
            and not (self.lore.centre is None and self._campaigns())
            and self._clock() - self._worked_at < STALE_MS
        )

    def _work(self, held: bytes | None, loaded: Loaded | None) -> Heard:
        """In a thread: read the lore, add what is pending unless it is there, work out what it
        means."""
        now, lives = self._clock(), self._settings.lives
        lore, corrupt = self._read(held, now)
        lore = lore.faded(now, lives, 0.0 if loaded is None else float(loaded.scorer.delay))
        changed = corrupt
        if lore.centre is None and (centre := self._centre(now)) is not None:
            lore, changed = replace(lore, centre=centre), True
        ground = self._ground_for(lore, loaded)
        pending, refused = self.pending, 0
        if pending is not None and lore.number_of(self._worker) < self._number:
            taken_up = 0 if loaded is None else loaded.loaded_at
            lore, refused = teach(lore, pending, ground, taken_up=taken_up, lives=lives)
            lore, changed = lore.signed(self._worker, self._number, now), True
        blob = pack_lore(lore) if changed else None
        return Heard(lore, learned_of(lore, ground), blob, refused, corrupt)

    def _read(self, held: bytes | None, now: int) -> tuple[Lore, bool]:
        """Answer the lore of a blob, and whether it could not be read and starts anew."""
        if held is not None and held == self._held:
            return self.lore, False
        try:
            return (Lore(at=now) if held is None else read_lore(held)), False
        except ValueError:
            return Lore(at=now), True

    def _ground_for(self, lore: Lore, loaded: Loaded | None) -> Ground:
        """Answer what the landscape starts from: the bundle's, or the prior all workers share."""
        centre = USUAL if lore.centre is None else lore.centre
        key: object = centre if loaded is None else loaded.version
        if key != self._ground_key:
            base = prior_landscape(centre) if loaded is None else loaded.scorer.landscape
            self._ground_key, self._ground = key, ground_of(base)
        return self._ground

    def _centre(self, now: int) -> float | None:
        """Answer the log of the typical standard bid of live campaigns, None without any."""
        settings = self._settings
        bids = [
            line.bid * scale
            for one in list(self._campaigns().values())
            if one.lives(now) and (scale := settings.scale_of(one.currency)) > 0.0
            for line in one.lines
            if line.active and line.bid > 0
        ]
        return math.log(statistics.median(bids)) if bids else None


def _unless_changed(before: bytes | None, after: bytes) -> Callable[[bytes | None], bytes]:
    def edit(held: bytes | None) -> bytes:
        if held != before:
            raise _Changed
        return after

    return edit
