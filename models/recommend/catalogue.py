"""The catalogue as arrays: who may be shown now, at what price, in which categories.

The first indices are the model's items in the model's order; items that exist only in the
catalogue follow. An item known only from the log is recommendable and has no metadata.
A change costs the changed item alone. Knows nothing of stores, requests or scores.
"""

from collections.abc import Iterable, Sequence
from itertools import islice

import numpy as np
import numpy.typing as npt

from domain.ids import hash64
from domain.items import Item
from models.recommend.lookup import Hashes, Indices, Lookup

Flags = npt.NDArray[np.bool_]
Micros = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int32]
Scores = npt.NDArray[np.float32]
Value = str | float | bool

NEVER = 2**63 - 1
"""`expires_at` of an item that does not expire."""
NO_PRICE = -(2**63)
CODES = 8
"""How many categories of an item count when slates are diversified."""


def token(value: Value) -> str:
    """Write an attribute's value as a key in which true, 1 and "1" are three things."""
    if isinstance(value, bool):
        return "b:true" if value else "b:false"
    if isinstance(value, str):
        return "t:" + value
    return f"n:{float(value)!r}"


def _tokens(item: Item) -> set[tuple[str, str]]:
    keys: set[tuple[str, str]] = set()
    for name, value in item.attributes.items():
        values: Iterable[Value] = value if isinstance(value, list) else (value,)
        keys.update((name, token(one)) for one in values)
    return keys


class Catalogue:
    """Every item we can name, as parallel arrays that grow; n is `size`.

    revision: moves with every change, so that what is derived from the catalogue can be
    kept until it does. known: how many of the first indices are the model's.
    """

    def __init__(self, known: Sequence[str] = (), hashes: Hashes | None = None) -> None:
        room = max(len(known), 8)
        self.revision = 0
        self.size = 0
        self.known = len(known)
        self._kept = False
        self._retired: set[int] = set()
        self._gone: set[str] = set()
        self.ids: list[str] = []
        self.items: list[Item | None] = []
        self._index: dict[str, int] = {}
        self._lookup = Lookup(room)
        self._shown = np.zeros(room, np.bool_)
        self._available = np.zeros(room, np.bool_)
        self._listed = np.zeros(room, np.bool_)
        self._expires = np.full(room, NEVER, np.int64)
        self._created = np.zeros(room, np.int64)
        self._price: Micros = np.full(room, NO_PRICE, np.int64)
        self._codes: Codes = np.full((room, CODES), -1, np.int32)
        self._code_of: dict[str, int] = {}
        self._categories: dict[str, set[int]] = {}
        self._attributes: dict[tuple[str, str], set[int]] = {}
        self._numbers: dict[str, dict[int, float]] = {}
        self._live: tuple[int, int, int, Flags, Flags] | None = None
        self._recency: Scores | None = None
        self._untold: dict[int, None] | None = None
        if hashes is None:
            hashes = np.array([hash64(one) for one in known], np.uint64)
        self._lookup.add(hashes, 0)
        self.ids.extend(known)
        self.items.extend([None] * len(known))
        self._index.update(zip(known, range(len(known)), strict=True))
        self.size = len(known)
        self._shown[: self.size] = True
        self._available[: self.size] = True

    def __contains__(self, item_id: str) -> bool:
        return item_id in self._index

    def index(self, item_id: str) -> int:
        """Answer the index of an id, -1 when neither catalogue nor model knows it."""
        return self._index.get(item_id, -1)

    def indices(self, hashes: Hashes) -> Indices:
        """Answer the index of each id hash, -1 where unknown."""
        return self._lookup.find(hashes)

    @property
    def table(self) -> tuple[Hashes, Indices]:
        """What `lookup.find` takes, as it stands."""
        return self._lookup.table

    def title(self, index: int) -> str:
        """Answer the title of an item, or its id when it has none."""
        item = self.items[index]
        return item.title if item is not None and item.title else self.ids[index]

    @property
    def listed(self) -> Flags:
        """Whether the catalogue holds each item (else it is known from the log); shape (n,)."""
        return self._listed[: self.size]

    @property
    def lists_any(self) -> bool:
        """Whether anybody keeps a catalogue here: it holds an item, or once did."""
        return self._kept

    @property
    def retired(self) -> int:
        """How many places are held by deleted items that no model knows."""
        return len(self._retired)

    def deleted(self) -> list[str]:
        """Answer the ids that were deleted and not put again."""
        shown = self._shown
        hidden = [
            self.ids[index]
            for index, item in enumerate(self.items)
            if item is None and not shown[index]
        ]
        return hidden + sorted(self._gone)

    @property
    def prices(self) -> Micros:
        """Micros of the house currency, NO_PRICE where none; shape (n,)."""
        return self._price[: self.size]

    @property
    def created(self) -> npt.NDArray[np.int64]:
        """When each listed item was created, UTC milliseconds; shape (n,)."""
        return self._created[: self.size]

    @property
    def codes(self) -> Codes:
        """Codes of each item's first categories, -1 padded; shape (n, CODES)."""
        return self._codes[: self.size]

    def name_hashes(self) -> Hashes:
        """Answer hash64 of every id, uint64[n]."""
        keys, slots = self._lookup.table
        held = np.flatnonzero(keys)
        out = np.zeros(self.size, np.uint64)
        out[slots[held]] = keys[held]
        return out

    def put(self, item: Item) -> int:
        """Insert or replace one item; answer its index."""
        index = self._index.get(item.item, -1)
        if index < 0:
            index = self._append(item.item)
            self._gone.discard(item.item)
        old = self.items[index]
        self._retired.discard(index)
        self._unlist(index, old, item)
        self._list(index, old, item)
        self.items[index] = item
        self._listed[index] = self._kept = True
        self._shown[index] = not item.hidden
        self._available[index] = item.available
        self._expires[index] = NEVER if item.expires_at is None else item.expires_at
        self._price[index] = NO_PRICE if item.price is None else item.price
        if old is None or old.created_at != item.created_at:
            self._created[index] = item.created_at
            self._recency = None
        self._tell(index)
        self.revision += 1
        return index

    def watch(self) -> None:
        """From now on keep which items beyond the model's change; those held now are to be told."""
        self._untold = dict.fromkeys(range(self.known, self.size))

    def told(self, most: int | None = None) -> list[int]:
        """Answer indices, each once, whose item changed since they were last answered.

        Those of items beyond the model's, `most` of them (None: all); nothing without `watch`.
        """
        if not self._untold:
            return []
        some = list(islice(self._untold, most))
        for index in some:
            del self._untold[index]
        return some

    def _tell(self, index: int) -> None:
        if self._untold is not None and index >= self.known:
            self._untold[index] = None

    def note(self, item_ids: Iterable[str]) -> None:
        """Make ids recommendable that are known from the log only; known ones stay as they are."""
        for item_id in item_ids:
            if item_id not in self._index and item_id not in self._gone:
                index = self._append(item_id)
                self._shown[index] = self._available[index] = True
                self._recency = None
                self.revision += 1

    def delete(self, item_id: str) -> None:
        """Take an item out of sight for good: until it is put again."""
        index = self._index.get(item_id, -1)
        if index < 0:
            self._gone.add(item_id)
            return
        old = self.items[index]
        if index >= self.known:
            self._retired.add(index)
        self._unlist(index, old, None)
        self.items[index] = None
        self._shown[index] = self._listed[index] = False
        self._expires[index] = NEVER
        self._price[index] = NO_PRICE
        self._codes[index] = -1
        self._recency = None
        self._tell(index)
        self.revision += 1

    def live(self, now_ms: int, available: bool = True) -> Flags:
        """Answer who may be shown at `now_ms`; with `available` False, who is sold out.

        Shape (n,), shared: do not write to it. It is kept until the catalogue changes or
        the next item expires.
        """
        kept = self._live
        if kept is None or kept[0] != self.revision or not kept[1] <= now_ms < kept[2]:
            kept = self._look(now_ms)
        return kept[3] if available else kept[4]

    def _look(self, now_ms: int) -> tuple[int, int, int, Flags, Flags]:
        expires = self._expires[: self.size]
        later = expires > now_ms
        shown = self._shown[: self.size] & later
        available = self._available[: self.size]
        until = int(expires[later].min()) if later.any() else NEVER
        self._live = (self.revision, now_ms, until, shown & available, shown & ~available)
        return self._live

    def recency(self) -> Scores:
        """Answer float32[n]: the latest created highest, ties in index order, unlisted last.

        A rank and not a time, since float32 does not hold one; above 0, at most 1.
        """
        if self._recency is None:
            created = np.where(self.listed, self._created[: self.size], NO_PRICE)
            order = np.argsort(-created.astype(np.float64), kind="stable")
            self._recency = np.empty(self.size, np.float32)
            self._recency[order] = np.arange(self.size, 0, -1) / self.size
        return self._recency

    def in_category(self, category: str) -> Indices:
        """Answer the indices of a category's items, in no order."""
        return _indices(self._categories.get(category))

    def with_value(self, name: str, key: str) -> Indices:
        """Answer the items whose attribute `name` is, or lists, the value of `token` `key`."""
        return _indices(self._attributes.get((name, key)))

    def with_number(self, name: str, low: float, high: float) -> Indices:
        """Answer the items whose attribute `name` is a number from `low` to `high`."""
        rows, values = self.numbers(name)
        return rows[(values >= low) & (values <= high)]

    def numbers(self, name: str) -> tuple[Indices, npt.NDArray[np.float64]]:
        """Answer the items whose attribute `name` is a number, and the numbers."""
        numbers = self._numbers.get(name, {})
        rows = np.fromiter(numbers.keys(), np.int32, len(numbers))
        return rows, np.fromiter(numbers.values(), np.float64, len(numbers))

    def _append(self, item_id: str) -> int:
        index = self.size
        if index == self._shown.size:
            self._grow()
        self._lookup.add(np.array([hash64(item_id)], np.uint64), index)
        self.ids.append(item_id)
        self.items.append(None)
        self._index[item_id] = index
        self.size += 1
        return index

    def _grow(self) -> None:
        more = self._shown.size
        self._shown = np.concatenate((self._shown, np.zeros(more, np.bool_)))
        self._available = np.concatenate((self._available, np.zeros(more, np.bool_)))
        self._listed = np.concatenate((self._listed, np.zeros(more, np.bool_)))
        self._expires = np.concatenate((self._expires, np.full(more, NEVER, np.int64)))
        self._created = np.concatenate((self._created, np.zeros(more, np.int64)))
        self._price = np.concatenate((self._price, np.full(more, NO_PRICE, np.int64)))
        self._codes = np.concatenate((self._codes, np.full((more, CODES), -1, np.int32)))

    def _unlist(self, index: int, old: Item | None, new: Item | None) -> None:
        """Take `old` out of the inverted indexes where `new` no longer belongs."""
        if old is None:
            return
        kept = set(new.categories) if new else set[str]()
        for category in set(old.categories) - kept:
            self._categories[category].discard(index)
        for key in _tokens(old) - (_tokens(new) if new else set()):
            self._attributes[key].discard(index)
            if not self._attributes[key]:
                del self._attributes[key]
        for name in old.attributes:
            self._numbers.get(name, {}).pop(index, None)

    def _list(self, index: int, old: Item | None, new: Item) -> None:
        for category in new.categories:
            self._categories.setdefault(category, set()).add(index)
        for key in _tokens(new) - (_tokens(old) if old else set()):
            self._attributes.setdefault(key, set()).add(index)
        for name, value in new.attributes.items():
            if isinstance(value, (int, float)) and not isinstance(value, bool):
                self._numbers.setdefault(name, {})[index] = float(value)
        if old is None or old.categories != new.categories:
            self._codes[index] = -1
            for place, category in enumerate(new.categories[:CODES]):
                self._codes[index, place] = self._code_of.setdefault(category, len(self._code_of))


def _indices(members: set[int] | None) -> Indices:
    if not members:
        return np.zeros(0, np.int32)
    return np.fromiter(members, np.int32, len(members))
