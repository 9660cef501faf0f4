"""The log of answers, written after them: buffered, sent in batches, never in the way.

A full buffer drops the newest decision and counts it; a store that does not answer is tried
again with what was to be sent. Knows nothing of what was decided.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable

from domain.decisions import Decision
from domain.errors import SanderlingError
from feature_store.store import Store
from service.logs import log_unexpected, log_warning
from service.metrics import Metrics

ROOM = 20_000
BATCH = 100
EVERY_S = 0.05
RETRY_S = 1.0
AT_SHUTDOWN_S = 5.0


class DecisionLog:
    """A bounded buffer of decisions and the task that empties it into the store.

    `room`: decisions held at most. `every_s`: the longest one waits while the store
    answers, unless a batch is full earlier.
    """

    def __init__(
        self,
        store: Store,
        metrics: Metrics,
        *,
        room: int = ROOM,
        every_s: float = EVERY_S,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._store = store
        self._waiting: deque[Decision] = deque()
        self._room = room
        self._every_s = every_s
        self._sleep = sleep
        self._some = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._down = False
        self._kept = metrics.decisions.labels("logged")
        self._dropped = metrics.decisions.labels("dropped")

    def put(self, decision: Decision) -> bool:
        """Take a decision to be logged soon; False when there was no room for it."""
        if len(self._waiting) >= self._room:
            self._dropped.inc()
            return False
        self._waiting.append(decision)
        if not self._some.is_set():
            self._some.set()
        return True

    async def start(self) -> None:
        """Begin to write."""
        self._task = asyncio.create_task(self._write())

    async def stop(self) -> None:
        """Stop; what is still held is written if the store answers in time, else dropped."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        try:
            async with asyncio.timeout(AT_SHUTDOWN_S):
                while self._waiting and await self._send():
                    pass
        except TimeoutError:
            log_warning("decisions not written before the stop", count=len(self._waiting))
        self._dropped.inc(len(self._waiting))
        self._waiting.clear()

    async def _write(self) -> None:
        while True:
            await self._some.wait()
            if len(self._waiting) < BATCH:
                await self._sleep(self._every_s)
            while self._waiting:
                if not await self._send():
                    await self._sleep(RETRY_S)
            self._some.clear()

    async def _send(self) -> bool:
        """Send one batch; what was sent leaves the buffer only when the store has it."""
        batch = [self._waiting[place] for place in range(min(BATCH, len(self._waiting)))]
        try:
            await self._store.log_decisions(batch)
        except SanderlingError as error:
            if not self._down:
                log_warning("decisions wait for the store", why=type(error).__name__)
            self._down = True
            return False
        except Exception as error:
            # One decision that cannot be written must not hold up all that follow.
            log_unexpected(error, batch=len(batch))
            self._dropped.inc(len(batch))
        else:
            self._down = False
            self._kept.inc(len(batch))
        for _ in batch:
            self._waiting.popleft()
        return True
