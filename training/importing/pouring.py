"""Pouring events into the store: several batches in flight, the next one read meanwhile.

Idempotent because the ids are (see canonical): pour again after a kill and only what is
missing is added. Knows nothing of files or of what the events mean.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import polars as pl

from domain.clock import Clock
from domain.events import Event
from domain.ids import bucket_of
from feature_store.store import Appended
from training.importing.checking import Rejected, check_frame
from training.importing.counts import Counts
from training.importing.landing import Landing
from training.importing.patience import patiently

APPEND_EVENTS = 1_000
IN_FLIGHT = 4
_MOST_HOMES = 1_000_000
"""Entities whose bucket is remembered, so that memory stays bounded."""


class SourceFrame(NamedTuple):
    """One canonical frame of the file called `file`; `skipped` rows were left out before it."""

    file: str
    frame: pl.DataFrame
    skipped: int = 0


class _Prepared(NamedTuple):
    file: str
    rows: int
    skipped: int
    chunks: list[list[Event]]
    rejected: list[Rejected]


async def pour(
    frames: Iterator[SourceFrame], landing: Landing, progress: Callable[[int], object]
) -> Counts:
    """Check every frame and append its events; `progress` is told how many rows are done.

    With a drain the log is brought up to date now and then, and at the end. At most two
    frames are in memory. Raises StoreUnavailable when the store goes away: what was appended
    stays, and a second run adds the rest.
    """
    counts = Counts()
    append = _Appender(landing, counts, progress)
    prepare = _preparer(frames, landing.store.settings.buckets, landing.clock)
    upcoming = asyncio.create_task(asyncio.to_thread(prepare))
    try:
        while (prepared := await upcoming) is not None:
            upcoming = asyncio.create_task(asyncio.to_thread(prepare))
            counts.read += prepared.rows + prepared.skipped
            counts.skipped += prepared.skipped
            counts.rejected.update(reject.code for reject in prepared.rejected)
            landing.rejects.write(prepared.file, prepared.rejected)
            progress(prepared.skipped + len(prepared.rejected))
            async with asyncio.TaskGroup() as group:
                for chunk in prepared.chunks:
                    group.create_task(append.chunk(chunk))
            if landing.drain is not None and landing.drain.is_due(counts.accepted):
                await asyncio.to_thread(landing.drain.run, counts.accepted)
    except ExceptionGroup as failed:
        # One cause is enough to say: they share the store.
        raise failed.exceptions[0] from None
    finally:
        upcoming.cancel()
    if landing.drain is not None:
        await asyncio.to_thread(landing.drain.run, counts.accepted)
    return counts


class _Appender:
    """Appends chunks, IN_FLIGHT at a time, and counts what became of them."""

    def __init__(self, landing: Landing, counts: Counts, progress: Callable[[int], object]) -> None:
        self._landing = landing
        self._counts = counts
        self._progress = progress
        self._places = asyncio.Semaphore(IN_FLIGHT)

    async def chunk(self, events: Sequence[Event]) -> None:
        async with self._places:
            landing = self._landing
            appended = await patiently(lambda: landing.store.append(events, landing.clock()))
        accepted = sum(outcome is Appended.accepted for outcome in appended)
        self._counts.accepted += accepted
        self._counts.duplicates += len(appended) - accepted
        self._progress(len(appended))


def _preparer(
    frames: Iterator[SourceFrame], buckets: int, clock: Clock
) -> Callable[[], _Prepared | None]:
    homes: dict[str, int] = {}

    def prepare() -> _Prepared | None:
        source = next(frames, None)
        if source is None:
            return None
        checked = check_frame(source.frame, clock())
        # Neighbours in a batch then share a bucket, mostly even an entity: few, full scripts.
        for event in checked.events:
            if event.entity not in homes:
                homes[event.entity] = bucket_of(event.entity, buckets)
        events = sorted(checked.events, key=lambda event: (homes[event[1]], event[1], event[3]))
        if len(homes) > _MOST_HOMES:
            homes.clear()
        chunks = [events[i : i + APPEND_EVENTS] for i in range(0, len(events), APPEND_EVENTS)]
        return _Prepared(source.file, source.frame.height, source.skipped, chunks, checked.rejected)

    return prepare
