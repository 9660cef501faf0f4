"""The lore that all workers share, as one worker holds it: what it is and what it means.

How it is taught to and heard is service.sharing's. Knows nothing of notices or of what bids look
up.
"""

import math
import statistics
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import NamedTuple

from domain.campaigns import Campaign
from domain.clock import Clock
from feature_store.store import Store
from models.bidding.learned import Learned, learned_of
from models.bidding.lore import Lore
from models.bidding.lore_format import pack_lore, read_lore
from models.bidding.market import Ground, ground_of, prior_landscape
from models.bidding.teaching import teach
from models.bidding.tidings import Lessons
from service.bundles import Loaded
from service.learning_settings import LearningSettings
from service.sharing import Shared, Worked

NAME = "bid-lore"
USUAL = math.log(1e6)
"""About which prices are thought to lie before any campaign is known: one unit a thousand."""
STALE_MS = 30_000
"""What lore means is worked out anew after so long even if nobody taught: it fades."""


class Heard(NamedTuple):
    """The lore as it stands and what it means.

    refused: lessons that could not be taken; counted: whether those given were, now or before.
    corrupt: what was there could not be read.
    """

    lore: Lore
    learned: Learned
    refused: int = 0
    corrupt: bool = False


class SharedLore:
    """One worker's hold of the lore; exchanges are made one after another."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        campaigns: Callable[[], Mapping[str, Campaign]],
        settings: LearningSettings,
    ) -> None:
        self._clock = clock
        self._campaigns = campaigns
        self._settings = settings
        self._shared: Shared[Heard, Lessons] = Shared(store, NAME, clock, STALE_MS)
        self._loaded: Loaded | None = None
        self._ground_key: object = USUAL
        self._ground = ground_of(prior_landscape(USUAL))
        self.lore = Lore()
        self.learned = learned_of(self.lore, self._ground)

    @property
    def pending(self) -> Lessons | None:
        """Lessons that were numbered, and are not known to be written."""
        return self._shared.pending

    def give(self, lessons: Lessons) -> None:
        """Number the lessons of the next exchange; only when none are pending."""
        self._shared.give(lessons)

    def let_go(self) -> None:
        """Let go of the lessons that are pending."""
        self._shared.pending = None

    async def exchange(self, loaded: Loaded | None) -> Heard | None:
        """Teach what is pending and hear what others taught; None when all is as it was.

        loaded: the released model, None without one. Raises StoreUnavailable, and keeps what is
        pending; likewise when others wrote again and again.
        """
        # What lore means rests on the bundle, and on live campaigns until a centre is known.
        new = loaded is not self._loaded or (self.lore.centre is None and bool(self._campaigns()))
        heard = await self._shared.exchange(lambda held: self._work(held, loaded), renew=new)
        if heard is not None:
            self.lore, self.learned, self._loaded = heard.lore, heard.learned, loaded
        return heard

    def _work(self, held: bytes | None, loaded: Loaded | None) -> Worked[Heard]:
        """In a thread: read the lore, add what is pending unless it is there, work out what it
        means."""
        now, lives = self._clock(), self._settings.lives
        lore, corrupt = self._read(held, now)
        lore = lore.faded(now, lives, 0.0 if loaded is None else float(loaded.scorer.delay))
        changed = corrupt
        if lore.centre is None and (centre := self._centre(now)) is not None:
            lore, changed = replace(lore, centre=centre), True
        ground = self._ground_for(lore, loaded)
        shared, refused = self._shared, 0
        pending = shared.pending
        if pending is not None and lore.number_of(shared.worker) < shared.number:
            taken_up = 0 if loaded is None else loaded.loaded_at
            lore, refused = teach(lore, pending, ground, taken_up=taken_up, lives=lives)
            lore, changed = lore.signed(shared.worker, shared.number, now), True
        blob = pack_lore(lore) if changed else None
        return Worked(Heard(lore, learned_of(lore, ground), refused, corrupt), blob)

    def _read(self, held: bytes | None, now: int) -> tuple[Lore, bool]:
        """Answer the lore of a blob, and whether it could not be read and starts anew."""
        if held is not None and held == self._shared.held:
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
