"""One value that all workers teach: read, taught to, and written by compare-and-set, once.

A batch of lessons has a number; what is shared holds the last number of every worker, so that a
write whose answer was lost counts once. Knows nothing of what is taught.
"""

import asyncio
from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

from domain.clock import Clock
from domain.ids import new_id
from feature_store.store import Store

T = TypeVar("T")
L = TypeVar("L")

TRIES = 5
"""How often a turn begins again because another worker wrote; then the next turn does."""


class Worked(NamedTuple, Generic[T]):
    """What was made of the value. blob: to be written, None when nothing changed."""

    made: T
    blob: bytes | None


class _Changed(Exception):
    """Another worker wrote in between."""


class Shared(Generic[T, L]):
    """One worker's hold of a shared value; exchanges are made one after another."""

    def __init__(self, store: Store, name: str, clock: Clock, stale_ms: int) -> None:
        """`stale_ms`: what the value means is worked out anew after so long even if nobody
        taught: it fades."""
        self._store = store
        self._name = name
        self._clock = clock
        self._stale_ms = stale_ms
        self._worked_at = -1
        self.worker = new_id()
        self.number = 0
        """Of the last lessons given."""
        self.held: bytes | None = None
        """The value as it was last heard."""
        self.pending: L | None = None
        """Lessons that were numbered, and are not known to be written."""

    def give(self, lessons: L) -> None:
        """Number the lessons of the next exchange; only when none are pending."""
        self.pending = lessons
        self.number += 1

    async def exchange(
        self, work: Callable[[bytes | None], Worked[T]], *, renew: bool = False
    ) -> T | None:
        """Teach what is pending and hear what others taught; None when all is as it was.

        work: made in a thread of the value as it stands. renew: what the value means rests on
        more than the value, and that has changed. Raises StoreUnavailable, and keeps what
        is pending; likewise when others wrote again and again.
        """
        for _ in range(TRIES):
            held = await self._store.get_blob(self._name)
            if self.pending is None and not renew and self._is_fresh(held):
                return None
            worked = await asyncio.to_thread(work, held)
            if worked.blob is not None:
                try:
                    await self._store.edit_blob(self._name, _unless_changed(held, worked.blob))
                except _Changed:
                    continue
                held = worked.blob
            self.pending = None
            self.held, self._worked_at = held, self._clock()
            return worked.made
        return None

    def _is_fresh(self, held: bytes | None) -> bool:
        known = self._worked_at >= 0 and held == self.held
        return known and self._clock() - self._worked_at < self._stale_ms


def _unless_changed(before: bytes | None, after: bytes) -> Callable[[bytes | None], bytes]:
    def edit(held: bytes | None) -> bytes:
        if held != before:
            raise _Changed
        return after

    return edit
