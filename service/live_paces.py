"""The paces of all campaigns, live: what each one's values are multiplied with, just now.

One controller for the whole deployment. Its state is one shared value; whichever worker first finds
that it is time steps it by compare-and-set, all others adopt what they find, so that many workers
behave as one and a new one begins where the others are. Knows nothing of auctions.
"""

import asyncio
import time
from collections.abc import Callable, Mapping

from domain.campaigns import Campaign
from domain.clock import Clock
from domain.errors import Unavailable
from feature_store.budgets import Ledger
from feature_store.store import Store
from service.logs import log_unexpected
from service.metrics import Metrics
from service.polling import Poller
from service.shared_paces import (
    advanced,
    days_asked,
    multipliers,
    read_book,
    write_book,
)

BLOB = "bid-paces"
POLL_S = 1.0
INTERVAL_S = 5.0


class LivePaces(Poller):
    """A multiplier for each campaign, stepped from shared counters and adopted by every worker.

    now: the store's time in ms (see Purses.now): a worker whose own clock is off steps no day too
    early. campaigns: those that may bid; others keep the pace they had. elapsed: seconds that
    never go back; by them a worker judges when the others have been silent for an interval.
    """

    def __init__(
        self,
        store: Store,
        now: Clock,
        campaigns: Callable[[], Mapping[str, Campaign]],
        metrics: Metrics,
        *,
        interval_s: float = INTERVAL_S,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(min(POLL_S, interval_s / 2))
        self._store = store
        self._now = now
        self._campaigns = campaigns
        self._metrics = metrics
        self._interval_s = interval_s
        self._elapsed = elapsed
        self._blob: bytes | None = None
        self._seen_at = elapsed()
        self._multipliers: dict[str, float] = {}

    def multiplier(self, campaign: str) -> float:
        """Answer what a campaign's values are multiplied with; 1 for one that is unknown."""
        return self._multipliers.get(campaign, 1.0)

    async def look(self) -> None:
        """Adopt what others did, or step; lets no error out."""
        try:
            await self._look()
        except Unavailable:
            # The last paces stay: they are the best guess there is.
            return
        except Exception as error:
            log_unexpected(error, stage="paces")

    async def _look(self) -> None:
        blob = await self._store.get_blob(BLOB)
        if blob != self._blob:
            self._adopt(blob)
        if blob is not None and self._elapsed() - self._seen_at < self._interval_s:
            return
        campaigns, now = dict(self._campaigns()), self._now()
        asked = days_asked(campaigns, now)
        if not asked:
            return
        found = await self._store.budgets.ledgers(asked)
        ledgers = {name: ledger for (name, _), ledger in zip(asked, found, strict=True)}
        made = await asyncio.to_thread(_stepped, blob, campaigns, ledgers, now)
        # Somebody else's step in between stands; it is adopted as if it had been found.
        held = await self._store.edit_blob(BLOB, lambda held: _first(held, blob, made))
        self._adopt(held)

    def _adopt(self, blob: bytes | None) -> None:
        book, broken = read_book(blob)
        if broken:
            self._metrics.guarded.labels("pace", "state").inc(broken)
        self._blob, self._seen_at = blob, self._elapsed()
        self._multipliers = multipliers(book)


def _stepped(
    blob: bytes | None, campaigns: Mapping[str, Campaign], ledgers: Mapping[str, Ledger], now: int
) -> bytes:
    return write_book(advanced(read_book(blob).book, campaigns, ledgers, now))


def _first(held: bytes | None, read: bytes | None, made: bytes) -> bytes:
    """Answer our step if nobody else's came since we read, else theirs."""
    return made if held == read or held is None else held
