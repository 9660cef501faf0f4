"""The words of events: which kinds, items, categories and prices a network has a row for.

Per event, all known once it has happened: table rows of its kind, category, item, price, hour
and place in the session, and plain numbers of gaps and repetition. Knows nothing of scalings,
networks or labels.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt
from numba import njit

from domain.clock import HOUR_MS
from domain.events import KINDS, Kind

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]

NONE, UNKNOWN, FIRST_KNOWN = 0, 1, 2
"""Rows of the category and item tables: there is none, not seen in training, hashed from here."""

FIELDS = ("kind", "category", "item", "price", "hour", "place")
PLACES = 32
"""Places in a session that have a row of their own; later ones share the last."""
HOURS = 24

STEPS = ("gap", "elapsed", "place", "item_again", "category_again", "carts", "purchases")
"""Numbers of an event, each ln(1 + x): seconds since the event before, seconds since the first,
place from 1, earlier events of the session on the same item, on the same category, adds to cart
and purchases so far."""

_ADD = int(Kind.add_to_cart)
_BUY = int(Kind.purchase)
_MOST_MICROS = 2.0**62


class Columns(NamedTuple):
    """n events, oldest first: kinds int8[n] (domain.events.Kind), items uint64[n] (hash64,
    0 none), categories int32[n] (code, 0 none), values int64[n] (micros), ats int64[n] (ms UTC)."""

    kinds: npt.NDArray[np.int8]
    items: Hashes
    categories: npt.NDArray[np.int32]
    values: I64
    ats: I64

    def part(self, first: int, last: int) -> "Columns":
        """Answer the events first to last."""
        kinds, items, categories, values, ats = self
        own = slice(first, last)
        return Columns(kinds[own], items[own], categories[own], values[own], ats[own])


def plain(columns: Columns) -> Columns:
    """Answer copies of one type each, contiguous and writable; no finite value counts as none.

    Of a store's read-only bytes numba would compile every kernel again, while somebody waits.
    """
    values = np.asarray(columns.values)
    if values.dtype.kind == "f":
        values = np.where(np.abs(values) < _MOST_MICROS, values, 0.0)
    return Columns(
        np.array(columns.kinds, np.int8),
        np.array(columns.items, np.uint64),
        np.array(columns.categories, np.int32),
        np.array(values, np.int64),
        np.array(columns.ats, np.int64),
    )


class Words(NamedTuple):
    """codes: int64[n, len(FIELDS)], rows of one table. steps: float64[n, len(STEPS)]. known:
    float64[n, 3], whether kind, item and category were met in training; NaN without one."""

    codes: I64
    steps: F64
    known: F64


@njit(cache=True, nogil=True, error_model="numpy")
def _row(met: np.ndarray, value: Any, code: Any, buckets: Any) -> int:
    """Answer the row of a value (0: there is none) that hashes to `code` below `buckets`."""
    if value == 0:
        return NONE
    place = np.searchsorted(met, value)
    if place == len(met) or met[place] != value:
        return UNKNOWN
    return FIRST_KNOWN + code % buckets


@njit(cache=True, nogil=True, error_model="numpy")
def write_codes(
    columns: Columns,
    offsets: I64,
    met: tuple[npt.NDArray[np.bool_], Hashes, npt.NDArray[np.int32], I64],
    sizes: I64,
    codes: I64,
    known: F64,
) -> None:
    """Write int64[n, 6] codes of every event's fields, numbered end to end, and whether its kind,
    item and category were met in learning (float64[n, 3]; not a number: it has none)."""
    kinds, items, categories, values, ats = columns
    for s in range(len(offsets) - 1):
        for k in range(offsets[s], offsets[s + 1]):
            kind = np.int64(kinds[k])
            fits = 0 <= kind < len(met[0]) and met[0][kind]
            codes[k, 0] = kind if fits else len(met[0])
            category = np.int64(categories[k])
            codes[k, 1] = _row(met[2], categories[k], category, sizes[1] - FIRST_KNOWN)
            buckets = np.uint64(sizes[2] - FIRST_KNOWN)
            codes[k, 2] = _row(met[1], items[k], np.int64(items[k] % buckets), sizes[2])
            value = values[k]
            codes[k, 3] = 0 if value == 0 else 1 + np.searchsorted(met[3], value, side="right")
            codes[k, 4] = (ats[k] // HOUR_MS) % HOURS
            codes[k, 5] = min(k - offsets[s], PLACES - 1)
            known[k, 0] = fits
            known[k, 1] = np.nan if codes[k, 2] == NONE else codes[k, 2] >= FIRST_KNOWN
            known[k, 2] = np.nan if codes[k, 1] == NONE else codes[k, 1] >= FIRST_KNOWN
            first = np.int64(0)
            for field in range(len(sizes)):
                codes[k, field] += first
                first += sizes[field]


@njit(cache=True, nogil=True, error_model="numpy")
def write_steps(columns: Columns, offsets: I64, steps: F64) -> None:
    """Write the numbers of every step: what came before it in its own session."""
    kinds, items, categories, _, ats = columns
    for s in range(len(offsets) - 1):
        begin, carts, purchases = offsets[s], 0, 0
        latest = np.iinfo(np.int64).min
        for k in range(begin, offsets[s + 1]):
            again, alike = 0, 0
            for before in range(begin, k):
                again += items[k] != 0 and items[before] == items[k]
                alike += categories[k] != 0 and categories[before] == categories[k]
            carts += kinds[k] == _ADD
            purchases += kinds[k] == _BUY
            # Late events may lie behind: then no time has passed.
            gap = 0 if k == begin else max(0, ats[k] - latest)
            latest = max(latest, ats[k])
            steps[k, 0] = np.log1p(gap / 1000)
            steps[k, 1] = np.log1p((latest - ats[begin]) / 1000)
            steps[k, 2] = np.log1p(k - begin + 1)
            steps[k, 3] = np.log1p(again)
            steps[k, 4] = np.log1p(alike)
            steps[k, 5] = np.log1p(carts)
            steps[k, 6] = np.log1p(purchases)


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """kinds: bool[KINDS], met in training. items: uint64[m] rising, those met. categories:
    int32[c] rising. edges: int64[e] rising, micros, between classes of prices. item_buckets,
    category_buckets: rows that the known ones are hashed to."""

    kinds: npt.NDArray[np.bool_]
    items: Hashes
    categories: npt.NDArray[np.int32]
    edges: I64
    item_buckets: int
    category_buckets: int

    @cached_property
    def sizes(self) -> I64:
        """Answer int64[len(FIELDS)], how many rows of the one table each field has, in order."""
        hashed = [FIRST_KNOWN + self.category_buckets, FIRST_KNOWN + self.item_buckets]
        return np.array([len(self.kinds) + 1, *hashed, len(self.edges) + 2, HOURS, PLACES])

    @property
    def unknown(self) -> I64:
        """Answer int64[2], the rows of an unknown category and of an unknown item."""
        first = np.concatenate([[0], np.cumsum(self.sizes)])
        return first[1:3] + UNKNOWN

    def words(self, columns: Columns, offsets: I64) -> Words:
        """Tell the words of the sessions columns[offsets[s] : offsets[s + 1]].

        Raises ValueError for columns of different lengths.
        """
        n = len(columns.ats)
        if any(len(column) != n for column in columns) or int(offsets[-1]) != n:
            raise ValueError("columns and offsets are of different lengths")
        out = Words(
            np.empty((n, len(FIELDS)), np.int64), np.empty((n, len(STEPS))), np.empty((n, 3))
        )
        met = (self.kinds, self.items, self.categories, self.edges)
        own = plain(columns)
        bounds = np.array(offsets, np.int64)
        write_codes(own, bounds, met, self.sizes, out.codes, out.known)
        write_steps(own, bounds, out.steps)
        return out

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Answer every array by name, for a bundle."""
        own = {name: getattr(self, name) for name in ("kinds", "items", "categories", "edges")}
        return own | {"buckets": np.array([self.item_buckets, self.category_buckets], np.int64)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        """Make it of what `arrays` answered; raises KeyError and ValueError."""
        item_buckets, category_buckets = arrays["buckets"].tolist()
        if len(arrays["kinds"]) != KINDS or item_buckets < 1 or category_buckets < 1:
            raise ValueError("a vocabulary of another release")
        # Owned, so that kernels see the arrays they were compiled for.
        own = {name: np.array(arrays[name]) for name in ("kinds", "items", "categories", "edges")}
        return cls(**own, item_buckets=item_buckets, category_buckets=category_buckets)


def learn_vocabulary(
    columns: Columns, prices: int = 12, most_items: int = 500_000, most_rows: int = 4096
) -> Vocabulary:
    """Learn the words of events to train on.

    prices: classes of prices, of about equal size. most_items: the commonest count as known.
    most_rows: that items (and, a quarter of it, categories) are hashed to at most.
    """
    kinds = np.zeros(KINDS, np.bool_)
    kinds[np.unique(columns.kinds[(columns.kinds >= 0) & (columns.kinds < KINDS)])] = True
    items, counts = np.unique(columns.items[columns.items != 0], return_counts=True)
    items = np.sort(items[np.argsort(-counts, kind="stable")[:most_items]])
    categories = np.unique(columns.categories[columns.categories != 0]).astype(np.int32)
    paid = columns.values[columns.values > 0]
    edges = np.unique(np.quantile(paid, np.arange(1, prices) / prices)) if len(paid) else []
    return Vocabulary(
        kinds=kinds,
        items=items,
        categories=categories,
        edges=np.unique(np.asarray(edges).astype(np.int64)),
        item_buckets=int(np.clip(2 * len(items), 1, most_rows)),
        category_buckets=int(np.clip(2 * len(categories), 1, most_rows // 4)),
    )
