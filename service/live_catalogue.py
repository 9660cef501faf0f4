"""The catalogue kept in step with the store, and renumbered when a new model comes in.

Every read of an answer brings the catalogue's version; when it has moved, the changes are
fetched once for all who wait. A new model's numbering is prepared beside the old one, a
slice a turn of the event loop. Knows nothing of questions or of how slates are filled.
"""

import asyncio
import contextlib
from collections.abc import Iterable

import numpy as np

from domain.errors import SanderlingError
from domain.events import Kind
from domain.items import Item
from feature_store.listing import deleted_items, held_items
from feature_store.records import RECORD
from feature_store.segment_trends import NO_SEGMENTS, SegmentTrends
from feature_store.store import ItemChange, Store
from feature_store.trends import NO_TRENDS, Trends
from feature_store.views.purchases import standing
from models.recommend.catalogue import Catalogue
from models.recommend.desk import Desk
from models.recommend.segments import parts_of
from models.recommend.warming import warm
from service.bundles import Bundles, Loaded
from service.logs import log_unexpected, log_warning
from service.metrics import Metrics
from service.trends import LiveSegmentTrends, LiveTrends

FAMILY = "recommend"
SLICE = 50
"""Items taken into the catalogue in one turn of the event loop: a few milliseconds, since the
content of those that the model does not know is worked out with them, and not in an answer."""
MANY_RETIRED = 10_000
"""Deleted items may hold this many places before the catalogue is laid out afresh."""


class LiveCatalogue:
    """The desk in use, and the one place that changes it."""

    def __init__(
        self,
        store: Store,
        metrics: Metrics,
        bundles: Bundles,
        trends: LiveTrends,
        by_segment: LiveSegmentTrends | None = None,
    ) -> None:
        """by_segment: trends by segment, None for none."""
        self._store = store
        self._bundles = bundles
        self._trends = trends
        self._by_segment = by_segment
        self._shown: tuple[Trends, SegmentTrends] = (NO_TRENDS, NO_SEGMENTS)
        self._metrics = metrics
        self._version = -1
        self._loaded: Loaded | None = None
        self._step: asyncio.Task[None] | None = None
        self._rebuild: asyncio.Task[None] | None = None
        self._missed: list[ItemChange] = []
        self.desk = Desk(Catalogue())

    @property
    def behind(self) -> bool:
        """Whether the store's catalogue has never been read whole."""
        return self._version < 0

    def in_step(self, version: int) -> bool:
        """Tell whether the desk holds catalogue `version`; look for new trends and models.

        A new model is numbered in the background; the desk goes on as it is until then.
        """
        if self._trends.current is not self._shown[0] or self._parts() is not self._shown[1]:
            self._show(self.desk)
        if self._bundles.current(FAMILY) is not self._loaded and self._rebuild is None:
            self._rebuild = asyncio.create_task(self._renumber())
        return version == self._version

    async def catch_up(self, version: int) -> None:
        """Wait until the desk holds catalogue `version` or a later one; shared by all waiting.

        Raises StoreUnavailable when the store does not answer.
        """
        while version != self._version:
            if self._step is None or self._step.done():
                self._step = asyncio.create_task(self._advance())
            # One who gives up waiting must not stop it for the others.
            await asyncio.shield(self._step)
            if version < self._version:
                return

    async def start(self) -> None:
        """Read the whole catalogue and number it after the model in use.

        A store that does not answer leaves the model's own items; the next read that
        succeeds fetches the rest.
        """
        self._loaded = self._bundles.current(FAMILY)
        self.desk = await self._numbered(self._loaded, (), ())
        try:
            await self._advance()
        except SanderlingError as error:
            log_warning("started without the catalogue", why=type(error).__name__)
        # Not before: only the catalogue knows which names in the log were invented.
        self._show(self.desk)
        await asyncio.to_thread(_warm, self.desk)

    async def stop(self) -> None:
        """Let go of what is under way."""
        for task in (self._step, self._rebuild):
            if task is not None:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError, SanderlingError):
                    await task

    async def _advance(self) -> None:
        kept = self.desk.catalogue.lists_any
        version, changes = await self._store.item_changes(max(self._version, 0))
        if changes is None:
            await self._reload(version)
        else:
            await self._take(changes)
        self._version = version
        catalogue = self.desk.catalogue
        if catalogue.lists_any != kept:
            # What is not listed may no longer be shown as wanted.
            self._show(self.desk)
        self._metrics.catalogue_items.set(catalogue.size - catalogue.retired)
        if catalogue.retired > MANY_RETIRED and self._rebuild is None:
            self._rebuild = asyncio.create_task(self._renumber())

    async def _take(self, changes: Iterable[ItemChange]) -> None:
        for place, change in enumerate(changes):
            if change.item is None:
                self.desk.catalogue.delete(change.item_id)
            else:
                self.desk.catalogue.put(change.item)
            if self._rebuild is not None:
                self._missed.append(change)
            if place % SLICE == SLICE - 1:
                _hear_arrivals(self.desk)
                await asyncio.sleep(0)
        _hear_arrivals(self.desk)

    async def _reload(self, version: int) -> None:
        """Take every item the store holds, and out of sight those it no longer does.

        What was deleted is asked for by name, and first: a model may know an item that was
        put and deleted again while nobody here was looking.
        """
        async for deleted in deleted_items(self._store):
            await self._take(ItemChange(version, item_id, None) for item_id in deleted)
        held: set[str] = set()
        async for items in held_items(self._store):
            held.update(item.item for item in items)
            await self._take(ItemChange(version, item.item, item) for item in items)
        gone = [i.item for i in self.desk.catalogue.items if i and i.item not in held]
        await self._take(ItemChange(version, item_id, None) for item_id in gone)

    async def _renumber(self) -> None:
        """Lay out the catalogue after the model in use, beside the desk that goes on."""
        try:
            loaded = self._bundles.current(FAMILY)
            old = self.desk.catalogue
            items = [item for item in old.items if item is not None]
            desk = await self._numbered(loaded, items, old.deleted())
            # A model may bring members that the one before had not: nobody waits for their code.
            await asyncio.to_thread(_warm, desk)
            # From here on nothing waits: what changed meanwhile is taken, then it is seated.
            for change in self._missed:
                if change.item is None:
                    desk.catalogue.delete(change.item_id)
                else:
                    desk.catalogue.put(change.item)
            self._loaded = loaded
            self._seat(desk)
        except Exception as error:
            # The desk goes on with the model it has; the next release is tried again.
            self._loaded = self._bundles.current(FAMILY)
            log_unexpected(error, family=FAMILY)
        finally:
            self._missed = []
            self._rebuild = None

    async def _numbered(
        self, loaded: Loaded | None, items: Iterable[Item], deleted: Iterable[str]
    ) -> Desk:
        if loaded is None:
            catalogue = Catalogue()
            desk = Desk(catalogue)
        else:
            catalogue = Catalogue(loaded.scorer.items, loaded.scorer.hashes)
            desk = Desk(catalogue, loaded.scorer, f"{loaded.family}/{loaded.version}")
        for place, item in enumerate(items):
            catalogue.put(item)
            if place % SLICE == SLICE - 1:
                _hear_arrivals(desk)
                await asyncio.sleep(0)
        _hear_arrivals(desk)
        for item_id in deleted:
            catalogue.delete(item_id)
        return desk

    def _seat(self, desk: Desk) -> None:
        self._show(desk)
        self.desk = desk

    def _show(self, desk: Desk) -> None:
        trends, by_segment = self._shown = self._trends.current, self._parts()
        if trends.items:
            desk.show_trends(
                trends.items, trends.rising[0], trends.wanted, trends.deeds, trends.people,
                parts_of(by_segment),
            )  # fmt: skip

    def _parts(self) -> SegmentTrends:
        return NO_SEGMENTS if self._by_segment is None else self._by_segment.current


def _hear_arrivals(desk: Desk) -> None:
    if desk.arrivals is not None:
        desk.arrivals.catch_up()


def _warm(desk: Desk) -> None:
    records = np.zeros(2, RECORD)
    records["kind"] = Kind.purchase, Kind.refund
    standing(records)
    warm(desk)
