"""Looking again and again: the clock of every live part, and small shared values read by it.

A part looks once before it counts as started, then every so many seconds until it is stopped.
Knows nothing of what is looked at.
"""

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Generic, TypeVar

from domain.errors import Unavailable
from feature_store.store import Store
from service.logs import log_unexpected

T = TypeVar("T")


class Poller(ABC):
    """A live part that looks on a clock; `look` lets no error out."""

    def __init__(self, poll_s: float) -> None:
        self._poll_s = poll_s
        self._task: asyncio.Task[None] | None = None

    @abstractmethod
    async def look(self) -> None:
        """Look once."""

    async def start(self) -> None:
        """Look once and go on looking."""
        await self.look()
        self._task = asyncio.create_task(self._watch())

    async def stop(self) -> None:
        """Stop looking."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._poll_s)
            await self.look()


class SharedValue(Poller, Generic[T]):
    """What `read` makes of a small shared value of the store, by name.

    `current` is replaced whole, never changed in place. A store that does not answer, or a value
    that cannot be read, leaves the last one there.
    """

    def __init__(
        self, store: Store, name: str, read: Callable[[bytes | None], T], nothing: T, poll_s: float
    ) -> None:
        super().__init__(poll_s)
        self._store = store
        self._name = name
        self._read = read
        self._blob: bytes | None = None
        self.current: T = nothing

    async def look(self) -> None:
        """Fetch once; read in a thread, and only what changed."""
        try:
            blob = await self._store.get_blob(self._name)
            if blob != self._blob:
                self.current = await asyncio.to_thread(self._read, blob)
                self._blob = blob
        except Unavailable:
            return
        except Exception as error:
            log_unexpected(error, stage=self._name)
