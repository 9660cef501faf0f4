"""What is popular and rising just now, as the log writer last published it for all workers.

Fetches the small shared value on a clock; a store that does not answer, or a value that
cannot be read, leaves the last one in place. Knows nothing of how trends are counted.
"""

import asyncio
import contextlib

from domain.errors import Unavailable
from feature_store.store import Store
from feature_store.trends import BLOB_NAME, NO_TRENDS, Trends, parse
from service.logs import log_unexpected


class LiveTrends:
    """The latest trends; `current` is replaced whole, never changed in place."""

    def __init__(self, store: Store, *, poll_s: float = 2.0) -> None:
        self._store = store
        self._poll_s = poll_s
        self._blob: bytes | None = None
        self._task: asyncio.Task[None] | None = None
        self.current: Trends = NO_TRENDS

    async def start(self) -> None:
        """Fetch once and go on fetching."""
        await self.look()
        self._task = asyncio.create_task(self._watch())

    async def stop(self) -> None:
        """Stop fetching."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._poll_s)
            await self.look()

    async def look(self) -> None:
        """Fetch once; parse in a thread, and only what changed."""
        try:
            blob = await self._store.get_blob(BLOB_NAME)
            if blob != self._blob:
                self.current = await asyncio.to_thread(parse, blob)
                self._blob = blob
        except Unavailable:
            return
        except Exception as error:
            log_unexpected(error, stage="trends")
