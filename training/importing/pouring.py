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
from feature_store.store import Appended, Store
from training.importing.checking import Rejected, check_frame
from training.importing.counts import Counts, RejectsFile

APPEND_EVENTS = 1_000
IN_FLIGHT = 4


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
    store: Store,
    frames: Iterator[SourceFrame],
    clock: Clock,
    rejects: RejectsFile,
    progress: Callable[[int], object],
) -> Counts:
    """Check every frame and append its events; `progress` is told how many rows are done.

    At most two frames are in memory. Raises StoreUnavailable when the store goes away: what
    was counted is kept, and a second run adds the rest.
    """
    counts = Counts()
    ready = asyncio.Semaphore(IN_FLIGHT)
    prepare = _preparer(frames, store.settings.buckets, clock)
    upcoming = asyncio.create_task(asyncio.to_thread(prepare))
    try:
        while (prepared := await upcoming) is not None:
            upcoming = asyncio.create_task(asyncio.to_thread(prepare))
            counts.read += prepared.rows + prepared.skipped
            counts.skipped += prepared.skipped
            counts.rejected.update(reject.code for reject in prepared.rejected)
            rejects.write(prepared.file, prepared.rejected)
            progress(prepared.skipped + len(prepared.rejected))
            async with asyncio.TaskGroup() as group:
                for chunk in prepared.chunks:
                    group.create_task(_append(store, chunk, clock, ready, counts, progress))
    except ExceptionGroup as failed:
        # One cause is enough to say: they share the store.
        raise failed.exceptions[0] from None
    finally:
        upcoming.cancel()
    return counts


async def _append(
    store: Store,
    chunk: Sequence[Event],
    clock: Clock,
    ready: asyncio.Semaphore,
    counts: Counts,
    progress: Callable[[int], object],
) -> None:
    async with ready:
        appended = await store.append(chunk, clock())
    accepted = sum(outcome is Appended.accepted for outcome in appended)
    counts.accepted += accepted
    counts.duplicates += len(appended) - accepted
    progress(len(appended))


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


_MOST_HOMES = 1_000_000
