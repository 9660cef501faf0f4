"""Trends: what is popular now, as a small value that all processes share.

Each item has an exponentially decayed weight for each half-life, by the time of its events, and
a weight over all time. Everybody counts once an item, by the strongest of their events, and what
is shown is counted without whoever says most: no single user can lead. The most popular TOP
items are packed; no more are kept. Knows of users only whether they were counted already, and of
the catalogue only the ids it has seen.
"""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

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

FEWEST = 2.0
"""An item rises only while more people than this want it, each counting half after a week."""

TOP = 5_000
BLOB_NAME = "trends"
_HEAD = struct.Struct("<4sHHqII")
_MAGIC, _VERSION = b"SNDT", 3
_BEFORE_PEOPLE = (1, 2)
"""Versions that did not count people, the first of them no deeds either; they are still read."""
_POSITION = struct.Struct("<Iqq")

_LIVES = np.array([*HALF_LIVES_MS, np.inf, HALF_LIVES_MS[-1]])
"""Half-lives of what is summed over people: both trends, all time, and people themselves."""
POPULAR, PEOPLE = len(HALF_LIVES_MS), len(HALF_LIVES_MS) + 1
_LEADERS = slice(0, PEOPLE)
"""The sums of which the loudest part is known."""

_hash = lru_cache(maxsize=65_536)(hash64)
_WEIGHT_OF = np.zeros(256)
for _kind, _weight in KIND_WEIGHTS.items():
    _WEIGHT_OF[_kind] = _weight


@dataclass(frozen=True)
class Trends:
    """A snapshot: parallel to `items`, `trending[h]` decayed by HALF_LIVES_MS[h] to `as_of`
    (ms UTC, the latest event counted) and `popular` over all time. `positions` says up to
    which stream id (ms, sequence) each bucket was counted. `deeds[c]`: how many events of the
    kind COUNTED[c] there were since counting began; None where nobody counted. `people`: how many
    want it, decayed as the last trend; `loudest[s]`: base-2 logarithm of the most that any of
    them gave to each trend and to popular, before decay; None where nobody was told apart.
    """

    as_of: int
    items: tuple[str, ...]
    trending: Floats
    popular: Floats
    positions: dict[int, tuple[int, int]]
    deeds: Floats | None = None
    people: Floats | None = None
    loudest: Floats | None = None

    @cached_property
    def hashes(self) -> npt.NDArray[np.uint64]:
        """hash64 of each item."""
        return np.array([hash64(item) for item in self.items], np.uint64)

    @cached_property
    def _led(self) -> Floats:
        """Trends and popular without whoever gave most."""
        sums = np.vstack([self.trending, self.popular])
        if self.loudest is None:
            return sums
        most = np.exp2(self.loudest - (self.as_of / _LIVES[_LEADERS])[:, None])
        left = sums - most
        return np.where(left > 1e-9 * sums, left, 0.0)

    @property
    def rising(self) -> Floats:
        """What to show as trending, float64[h, n]: 0 where too few want it."""
        led = self._led[:POPULAR]
        return led if self.people is None else led * (self.people > FEWEST)

    @property
    def wanted(self) -> Floats:
        """What to show as popular, float64[n]: 0 where one alone wants it."""
        return self._led[POPULAR]

    @property
    def by_others(self) -> Floats:
        """The first trend without whoever gave most, float64[n], however few want it."""
        return self._led[0]


NO_TRENDS = Trends(0, (), np.zeros((len(HALF_LIVES_MS), 0)), np.zeros(0), {})


def pack(trends: Trends) -> bytes:
    """Write a snapshot as bytes: a head, float64 columns, positions, ids behind lengths."""
    ids = [item.encode() for item in trends.items]
    parts = [
        _HEAD.pack(
            _MAGIC, _VERSION, len(HALF_LIVES_MS), trends.as_of, len(ids), len(trends.positions)
        ),
        *(column.astype("<f8").tobytes() for column in _columns(trends)),
        *(_POSITION.pack(bucket, *position) for bucket, position in trends.positions.items()),
        np.array([len(item) for item in ids], "<u2").tobytes(),
        *ids,
    ]
    return b"".join(parts)


def _columns(trends: Trends) -> tuple[Floats, ...]:
    """Answer what is packed of n items, in order; what nobody counted as nothing."""
    n = len(trends.items)
    nobody = np.full((PEOPLE, n), -np.inf)
    return (
        trends.trending,
        trends.popular,
        np.zeros((len(COUNTED), n)) if trends.deeds is None else trends.deeds,
        np.zeros(n) if trends.people is None else trends.people,
        nobody if trends.loudest is None else trends.loudest,
    )


def parse(blob: bytes | None) -> Trends:
    """Read a snapshot; None is NO_TRENDS. Of an earlier version nobody has been counted: what it
    holds rises again as people come.

    Raises ValueError when the bytes are cut short, of another version or no snapshot.
    """
    if blob is None:
        return NO_TRENDS
    try:
        magic, version, lives, as_of, n, m = _HEAD.unpack_from(blob)
        if magic != _MAGIC or lives != len(HALF_LIVES_MS):
            raise ValueError("trends of another format")
        if version not in (*_BEFORE_PEOPLE, _VERSION):
            raise ValueError("trends of another version")
        place = _HEAD.size
        deeds, people = version > _BEFORE_PEOPLE[0], version == _VERSION
        columns = lives + 1 + len(COUNTED) * deeds + (1 + PEOPLE) * people
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
    first = lives + 1
    last = first + len(COUNTED)
    told: Floats = numbers[last:] if people else np.full((1 + PEOPLE, n), -np.inf)
    return Trends(
        as_of, items, numbers[:lives], numbers[lives], positions,
        numbers[first:last] if deeds else None,
        np.maximum(told[0], 0.0), told[1:],
    )  # fmt: skip


class Sums:
    """Sums over people for a growing list of items; starts from a snapshot."""

    def __init__(self, start: Trends = NO_TRENDS, top: int = TOP) -> None:
        self.as_of, self._top = start.as_of, top
        self.items = list(start.items)
        self._index = {item: place for place, item in enumerate(self.items)}
        trending, popular, deeds, people, loudest = _columns(start)
        self._sums = np.vstack([trending, popular, people])
        self._deeds, self._loudest = deeds.copy(), loudest.copy()

    def add(
        self,
        items: Sequence[str],
        kinds: npt.NDArray[np.uint8],
        said: tuple[Floats, Floats],
        latest: int,
    ) -> None:
        """Add what events said of items, none of them ""; `latest` (ms UTC) is the new as_of."""
        before, after = said
        known = {item: self._place(item) for item in dict.fromkeys(items)}
        places = np.array([known[item] for item in items])
        missing = len(self.items) - self._sums.shape[1]
        if missing:
            self._sums = np.pad(self._sums, ((0, 0), (0, missing)))
            self._deeds = np.pad(self._deeds, ((0, 0), (0, missing)))
            room = ((0, 0), (0, missing))
            self._loudest = np.pad(self._loudest, room, constant_values=-np.inf)
        for row, kind in zip(self._deeds, COUNTED, strict=True):
            np.add.at(row, places, kinds == kind)
        ages = latest / _LIVES
        self._sums *= np.exp2(self.as_of / _LIVES - ages)[:, None]
        # Most say what they said before, or less.
        new = np.flatnonzero((after > before).any(axis=1))
        places, after = places[new], after[new]
        gained = np.exp2(after - ages) - np.exp2(before[new] - ages)
        for row, one in zip(self._sums, gained.T, strict=True):
            np.add.at(row, places, one)
        for row, one in zip(self._loudest, after.T[_LEADERS], strict=True):
            np.maximum.at(row, places, one)
        self.as_of = latest
        if len(self.items) > 8 * self._top:
            self._keep(4 * self._top)

    def _place(self, item: str) -> int:
        place = self._index.get(item)
        if place is None:
            place = self._index[item] = len(self.items)
            self.items.append(item)
        return place

    def _best(self, count: int) -> list[int]:
        """Answer the places of the items that rank best by any of the scores, best first.

        What few want comes after what many do: invented names must not push anything out.
        """
        many = self._sums[PEOPLE] > FEWEST
        scores = np.where(many, self._sums[_LEADERS], -1 / (1 + self._sums[_LEADERS]))
        ranks = np.argsort(np.argsort(-scores, axis=1, kind="stable"), axis=1)
        return np.argsort(ranks.min(axis=0), kind="stable")[:count].tolist()

    def _keep(self, count: int) -> None:
        best = self._best(count)
        self.items = [self.items[place] for place in best]
        self._index = {item: place for place, item in enumerate(self.items)}
        self._sums, self._deeds = self._sums[:, best], self._deeds[:, best]
        self._loudest = self._loudest[:, best]

    def snapshot(self, positions: Mapping[int, tuple[int, int]]) -> Trends:
        """Answer the trends as they stand, the best items."""
        best = self._best(self._top)
        return Trends(
            self.as_of,
            tuple(self.items[place] for place in best),
            self._sums[:POPULAR, best].copy(),
            self._sums[POPULAR, best].copy(),
            dict(positions),
            self._deeds[:, best].copy(),
            self._sums[PEOPLE, best].copy(),
            self._loudest[:, best].copy(),
        )


@dataclass(frozen=True)
class Counted:
    """Events that counted: the rows they were given in, and what `Sums.add` takes of them."""

    rows: list[int]
    items: list[str]
    kinds: npt.NDArray[np.uint8]
    said: tuple[Floats, Floats]
    latest: int


class Tally:
    """Counts events into trends; starts from a snapshot.

    The decayed score of an item at time t is the sum over people of the most that any of their
    events is worth: weight * 2 ** -((t - at) / half-life). The order of events does not matter.
    """

    def __init__(self, start: Trends = NO_TRENDS) -> None:
        self.whole = Sums(start)
        # Who only reads trends need not wait for the compiler.
        from feature_store.reach import Reach, pairs_of

        self._reach, self._pairs_of = Reach(len(_LIVES)), pairs_of
        self.positions = dict(start.positions)

    def add(
        self,
        items: Sequence[str],
        kinds: npt.NDArray[np.uint8],
        ats: npt.NDArray[np.int64],
        people: npt.NDArray[np.uint64],
    ) -> Counted | None:
        """Count events (an item of "" counts nothing); answer what counted, None for nothing.

        people: whose each event is, uint64[e], a hash.
        """
        rows = [row for row in np.flatnonzero(_WEIGHT_OF[kinds]).tolist() if items[row]]
        if not rows:
            return None
        named = [items[row] for row in rows]
        hashes = np.array([_hash(item) for item in named], np.uint64)
        said = self._said(hashes, kinds[rows], ats[rows], people[rows])
        latest = max(self.whole.as_of, int(ats[rows].max()))
        self.whole.add(named, kinds[rows], said, latest)
        return Counted(rows, named, kinds[rows], said, latest)

    def _said(
        self,
        hashes: npt.NDArray[np.uint64],
        kinds: npt.NDArray[np.uint8],
        ats: npt.NDArray[np.int64],
        people: npt.NDArray[np.uint64],
    ) -> tuple[Floats, Floats]:
        strengths = ats[:, None] / _LIVES
        strengths[:, _LEADERS] += np.log2(_WEIGHT_OF[kinds])[:, None]
        before = self._reach.strengthen(self._pairs_of(people, hashes), strengths)
        return before, np.maximum(before, strengths)

    def remember(
        self,
        hashes: npt.NDArray[np.uint64],
        kinds: npt.NDArray[np.uint8],
        ats: npt.NDArray[np.int64],
        people: npt.NDArray[np.uint64],
    ) -> None:
        """Take events as counted already, by an earlier run; hashes: of their items, 0 for none."""
        rows = np.flatnonzero((_WEIGHT_OF[kinds] > 0) & (hashes > 0))
        self._said(hashes[rows], kinds[rows], ats[rows], people[rows])

    def snapshot(self) -> Trends:
        """Answer the trends as they stand, the TOP best items."""
        return self.whole.snapshot(self.positions)
