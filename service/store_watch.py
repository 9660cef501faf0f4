"""Whether the store answers just now, asked once a second; for readiness and the metrics.

A look that fails changes a figure and one log line; what a request does without the store is
the route's business.
"""

import asyncio

from domain.errors import Unavailable
from feature_store.store import Store
from service.logs import log_info, log_unexpected, log_warning
from service.metrics import Metrics
from service.polling import Poller


class StoreWatch(Poller):
    """Pings `store` every `poll_s` seconds, waiting at most `timeout_s` for an answer."""

    def __init__(
        self, store: Store, metrics: Metrics, *, poll_s: float = 1.0, timeout_s: float = 1.0
    ) -> None:
        super().__init__(poll_s)
        self._store = store
        self._metrics = metrics
        self._timeout_s = timeout_s
        self.up = True

    async def look(self) -> None:
        """Ping once and note the answer."""
        up = True
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._store.ping()
        except (Unavailable, TimeoutError):
            up = False
        except Exception as error:
            log_unexpected(error, stage="ping")
            up = False
        if up != self.up:
            if up:
                log_info("the store answers again")
            else:
                log_warning("the store does not answer")
        self.up = up
        self._metrics.store_up.set(1 if up else 0)
