"""Scores on their way into the store: bounded, coalesced, written a moment later.

The later score of an entity and name replaces one that still waits; a full buffer drops the new
one and counts it; a store that does not answer is tried again. Knows nothing of what scores mean.
"""

import asyncio
import contextlib
from itertools import islice

from domain.errors import SanderlingError
from domain.scores import Score
from feature_store.store import Store
from service.logs import log_unexpected, log_warning
from service.metrics import Metrics

ROOM = 20_000
"""Entities whose scores wait at most."""
BATCH = 200
EVERY_S = 0.05
RETRY_S = 1.0
AT_SHUTDOWN_S = 2.0


class ScoreCache:
    """A bounded buffer of scores by entity and name, and the task that empties it."""

    def __init__(
        self, store: Store, metrics: Metrics, *, room: int = ROOM, every_s: float = EVERY_S
    ) -> None:
        self._store = store
        self._room = room
        self._every_s = every_s
        self._waiting: dict[str, dict[str, Score]] = {}
        self._some = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._down = False
        self._kept = metrics.scores.labels("cached")
        self._dropped = metrics.scores.labels("dropped")

    def put(self, entity: str, name: str, score: Score) -> bool:
        """Take a score to be cached soon; False when there was no room for it."""
        waiting = self._waiting.get(entity)
        if waiting is None:
            if len(self._waiting) >= self._room:
                self._dropped.inc()
                return False
            waiting = self._waiting[entity] = {}
        held = waiting.get(name)
        if held is None or held.as_of <= score.as_of:
            waiting[name] = score
        self._some.set()
        return True

    async def start(self) -> None:
        """Begin to write."""
        self._task = asyncio.create_task(self._write())

    async def stop(self) -> None:
        """Stop; what waits is written if the store answers in time, else dropped."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(AT_SHUTDOWN_S):
                while self._waiting and await self._send():
                    pass
        self._dropped.inc(sum(map(len, self._waiting.values())))
        self._waiting.clear()

    async def _write(self) -> None:
        while True:
            await self._some.wait()
            await asyncio.sleep(self._every_s)
            self._some.clear()
            while self._waiting:
                if not await self._send():
                    await asyncio.sleep(RETRY_S)

    async def _send(self) -> bool:
        """Send one batch; what cannot be sent now waits on, unless newer scores came in."""
        batch = dict(islice(self._waiting.items(), BATCH))
        for entity in batch:
            del self._waiting[entity]
        try:
            await self._store.put_scores(batch)
        except SanderlingError as error:
            if not self._down:
                log_warning("scores wait for the store", why=type(error).__name__)
            self._down = True
            self._give_back(batch)
            return False
        except asyncio.CancelledError:
            self._give_back(batch)
            raise
        except Exception as error:
            # One score that cannot be written must not hold up all that follow.
            log_unexpected(error, batch=len(batch))
            self._dropped.inc(sum(map(len, batch.values())))
        else:
            self._down = False
            self._kept.inc(sum(map(len, batch.values())))
        return True

    def _give_back(self, batch: dict[str, dict[str, Score]]) -> None:
        for entity, scores in batch.items():
            for name, score in scores.items():
                self.put(entity, name, score)
