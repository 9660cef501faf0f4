"""What is known of items beside who wanted them, as columns aligned to item numbers.

From the store's catalogue for a fit, from a preset's frames for a benchmark. Knows nothing of
what a member makes of it.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt
import polars as pl

from domain.items import Item
from feature_store.listing import held_items
from feature_store.opening import open_store
from feature_store.settings import Home
from feature_store.store import StoreSettings
from models.recommend.catalogue import NO_PRICE, token
from training.fit.sentiment import Reviewed
from training.importing.attributes import item_of
from training.importing.readers import FAULT, ROW

Catalogued = Mapping[str, Item]
"""Items by id."""
ReadItems = Callable[[], Catalogued]
"""Answers the catalogue when it is wanted: opening a store for it is not free."""


@dataclass(frozen=True, eq=False)
class ItemFacts:
    """What the catalogue says of n items, in the order of their numbers; None where nothing.

    told: answers the same with what was said of the items before a time; None where nothing is.
    """

    items: tuple[Item | None, ...]
    told: Callable[[int], "ItemFacts"] | None = None

    def before(self, as_of: int) -> "ItemFacts":
        """Answer what is known as of a time (UTC ms): what others said later is not."""
        return self if self.told is None else self.told(as_of)

    def __len__(self) -> int:
        return len(self.items)

    @property
    def known(self) -> int:
        """How many items the catalogue says anything of."""
        return sum(item is not None for item in self.items)

    @cached_property
    def titles(self) -> tuple[str, ...]:
        """The title of each item, "" for none."""
        return tuple(item.title if item else "" for item in self.items)

    @cached_property
    def categories(self) -> tuple[tuple[str, ...], ...]:
        """The categories of each item."""
        return tuple(item.categories if item else () for item in self.items)

    @cached_property
    def attributes(self) -> tuple[tuple[str, ...], ...]:
        """The attributes of each item as `name=value` texts, lists one text a value."""
        return tuple(tuple(_texts(item)) if item else () for item in self.items)

    @cached_property
    def prices(self) -> npt.NDArray[np.int64]:
        """Micros of the house currency, NO_PRICE where none; int64[n]."""
        found = (item.price if item else None for item in self.items)
        return np.array([NO_PRICE if price is None else price for price in found], np.int64)

    @cached_property
    def created(self) -> npt.NDArray[np.int64]:
        """When each item was created, UTC milliseconds, 0 where unknown; int64[n]."""
        return np.array([item.created_at if item else 0 for item in self.items], np.int64)


def _texts(item: Item) -> Iterable[str]:
    for name, value in item.attributes.items():
        for one in value if isinstance(value, list) else (value,):
            yield f"{name}={token(one)}"


def facts_of(ids: Sequence[str], catalogue: Catalogued) -> ItemFacts:
    """Answer what `catalogue` says of these items, in their order."""
    items = tuple(catalogue.get(one) for one in ids)
    if not isinstance(catalogue, Reviewed) or not len(catalogue.reviews.items):
        return ItemFacts(items)

    @lru_cache(maxsize=8)
    def told(as_of: int) -> ItemFacts:
        return facts_of(ids, catalogue.before(as_of))

    return ItemFacts(items, told)


def no_items() -> Catalogued:
    """Answer an empty catalogue."""
    return {}


def items_of(frames: Iterable[pl.DataFrame]) -> dict[str, Item]:
    """Answer the items that frames of a preset describe.

    Raises BadField for a row that an import would refuse.
    """
    found: dict[str, Item] = {}
    for frame in frames:
        columns = [name for name in frame.columns if name not in (ROW, FAULT)]
        for row in frame.select(columns).iter_rows(named=True):
            item = item_of(row)
            found[item.item] = item
    return found


def read_items(settings: StoreSettings, home: Home, url: str | None) -> dict[str, Item]:
    """Answer every item the store holds.

    Raises StoreUnavailable or StoreMisconfigured. Memory: about 1 kB an item.
    """

    async def read() -> dict[str, Item]:
        store = await open_store(settings, home, url)
        try:
            return {item.item: item async for items in held_items(store) for item in items}
        finally:
            await store.close()

    return asyncio.run(read())
