"""Trends: what is popular now, as a small value that all processes share.

Each item has an exponentially decayed weight for each half-life, by the time of its events,
and a weight over all time. The most popular TOP items are packed; no more are kept. Knows
nothing of users, and of the catalogue only the ids it has seen.
"""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from domain.clock import DAY_MS
from domain.events import Kind
from domain.ids import hash64

Floats = npt.NDArray[np.float64]

HALF_LIVES_MS = (1 * DAY_MS, 7 * DAY_MS)
"""A day-old click counts half in the first score and nine tenths in the second."""

KIND_WEIGHTS: Mapping[Kind, float] = {
    Kind.click: 1.0,
    Kind.rating: 2.0,
    Kind.add_to_cart: 3.0,
    Kind.subscribe: 5.0,
    Kind.renew: 5.0,
    Kind.purchase: 5.0,
}
"""What an event adds; kinds not named add nothing (what we showed must not feed itself)."""

COUNTED = (Kind.click, Kind.purchase)
"""Kinds whose events are also counted one by one, as they are: how readily is a click followed
by a purchase?"""

TOP = 5_000
BLOB_NAME = "trends"
_HEAD = struct.Struct("<4sHHqII")
_MAGIC, _VERSION = b"SNDT", 2
_BEFORE_DEEDS = 1
"""The version that did not count deeds; it is still read."""
_POSITION = struct.Struct("<Iqq")

_WEIGHT_OF = np.zeros(256)
for _kind, _weight in KIND_WEIGHTS.items():
    _WEIGHT_OF[_kind] = _weight


@dataclass(frozen=True)
class Trends:
    """A snapshot: parallel to `items`, `trending[h]` decayed by HALF_LIVES_MS[h] to `as_of`
    (ms UTC, the latest event counted) and `popular` over all time. `positions` says up to
    which stream id (ms, sequence) each bucket was counted. `deeds[c]`: how many events of the
    kind COUNTED[c] there were since counting began; None where nobody counted."""

    as_of: int
    items: tuple[str, ...]
    trending: Floats
    popular: Floats
    positions: dict[int, tuple[int, int]]
    deeds: Floats | None = None

    @cached_property
    def hashes(self) -> npt.NDArray[np.uint64]:
        """hash64 of each item."""
        return np.array([hash64(item) for item in self.items], np.uint64)


NO_TRENDS = Trends(0, (), np.zeros((len(HALF_LIVES_MS), 0)), np.zeros(0), {})


def pack(trends: Trends) -> bytes:
    """Write a snapshot as bytes: a head, float64 columns, positions, ids behind lengths."""
    ids = [item.encode() for item in trends.items]
    parts = [
        _HEAD.pack(
            _MAGIC, _VERSION, len(HALF_LIVES_MS), trends.as_of, len(ids), len(trends.positions)
        ),
        np.ascontiguousarray(trends.trending, "<f8").tobytes(),
        np.ascontiguousarray(trends.popular, "<f8").tobytes(),
        _counted(trends).astype("<f8").tobytes(),
        *(_POSITION.pack(bucket, *position) for bucket, position in trends.positions.items()),
        np.array([len(item) for item in ids], "<u2").tobytes(),
        *ids,
    ]
    return b"".join(parts)


def _counted(trends: Trends) -> Floats:
    """Answer what was counted, float64[len(COUNTED), n]; zeros where nobody did."""
    if trends.deeds is None:
        return np.zeros((len(COUNTED), len(trends.items)))
    return np.ascontiguousarray(trends.deeds)


def parse(blob: bytes | None) -> Trends:
    """Read a snapshot; None is NO_TRENDS.

    Raises ValueError when the bytes are cut short, of another version or no snapshot.
    """
    if blob is None:
        return NO_TRENDS
    try:
        magic, version, lives, as_of, n, m = _HEAD.unpack_from(blob)
        if magic != _MAGIC or lives != len(HALF_LIVES_MS):
            raise ValueError("trends of another format")
        if version not in (_BEFORE_DEEDS, _VERSION):
            raise ValueError("trends of another version")
        place = _HEAD.size
        columns = lives + 1 + (len(COUNTED) if version == _VERSION else 0)
        numbers = np.frombuffer(blob, "<f8", columns * n, place).reshape(columns, n)
        place += numbers.nbytes
        positions: dict[int, tuple[int, int]] = {}
        for _ in range(m):
            bucket, ms, seq = _POSITION.unpack_from(blob, place)
            positions[bucket] = (ms, seq)
            place += _POSITION.size
        lengths = np.frombuffer(blob, "<u2", n, place)
        ends = place + lengths.nbytes + np.cumsum(lengths, dtype=np.int64)
        if len(blob) != (ends[-1] if n else place):
            raise ValueError("trends cut short")
        items = tuple(
            blob[end - length : end].decode() for end, length in zip(ends, lengths, strict=True)
        )
    except struct.error as error:
        raise ValueError("trends cut short") from error
    deeds = numbers[lives + 1 :] if version == _VERSION else None
    return Trends(as_of, items, numbers[:lives], numbers[lives], positions, deeds)


class Tally:
    """Counts events into trends; starts from a snapshot.

    The decayed score of an item at time t is the sum over its events of
    weight * 2 ** -((t - at) / half-life): the order of events does not matter.
    """

    def __init__(self, start: Trends = NO_TRENDS) -> None:
        self._as_of = start.as_of
        self._items = list(start.items)
        self._index = {item: place for place, item in enumerate(self._items)}
        self._scores = np.vstack([start.trending, start.popular])
        self._deeds = _counted(start).copy()
        self.positions = dict(start.positions)

    def add(
        self,
        items: Sequence[str],
        kinds: npt.NDArray[np.uint8],
        ats: npt.NDArray[np.int64],
    ) -> bool:
        """Count events (an item of "" counts nothing); tell whether anything changed."""
        weights = _WEIGHT_OF[kinds]
        rows: list[int] = [row for row in np.flatnonzero(weights).tolist() if items[row]]
        if not rows:
            return False
        places = np.array([self._place(items[row]) for row in rows])
        missing = len(self._items) - self._scores.shape[1]
        if missing:
            room = np.zeros((len(self._scores), missing))
            self._scores = np.hstack([self._scores, room])
            self._deeds = np.hstack([self._deeds, np.zeros((len(COUNTED), missing))])
        for row, kind in zip(self._deeds, COUNTED, strict=True):
            np.add.at(row, places, kinds[rows] == kind)
        weights, ats = weights[rows], ats[rows]
        latest = max(self._as_of, int(ats.max()))
        for h, half_life in enumerate(HALF_LIVES_MS):
            self._scores[h] *= 2.0 ** -((latest - self._as_of) / half_life)
            np.add.at(self._scores[h], places, weights * 2.0 ** (-(latest - ats) / half_life))
        np.add.at(self._scores[-1], places, weights)
        self._as_of = latest
        if len(self._items) > 8 * TOP:
            self._keep(4 * TOP)
        return True

    def _place(self, item: str) -> int:
        place = self._index.get(item)
        if place is None:
            place = self._index[item] = len(self._items)
            self._items.append(item)
        return place

    def _best(self, count: int) -> list[int]:
        """Answer the places of the items that rank best by any of the scores, best first."""
        ranks = np.argsort(np.argsort(-self._scores, axis=1, kind="stable"), axis=1)
        return np.argsort(ranks.min(axis=0), kind="stable")[:count].tolist()

    def _keep(self, count: int) -> None:
        best = self._best(count)
        self._items = [self._items[place] for place in best]
        self._index = {item: place for place, item in enumerate(self._items)}
        self._scores = self._scores[:, best]
        self._deeds = self._deeds[:, best]

    def snapshot(self) -> Trends:
        """Answer the trends as they stand, the TOP best items."""
        best = self._best(TOP)
        return Trends(
            self._as_of,
            tuple(self._items[place] for place in best),
            self._scores[:-1, best].copy(),
            self._scores[-1, best].copy(),
            dict(self.positions),
            self._deeds[:, best].copy(),
        )
