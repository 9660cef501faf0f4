"""History: every event of a log, by entity and time, and its replay as of any time.

Replay calls the same compiled view functions that serving calls, on the records that serving
would have seen: those before as_of, of those the last `cap`, links from their own time on.
Knows nothing of labels, splits or models.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from domain.events import Event
from feature_store.compiling import compiled
from feature_store.linking import Link, Spans, no_links, with_links
from feature_store.log.reader import read_arrays
from feature_store.ordering import Columns, first_of_each, gather, grouped, sort_groups
from feature_store.records import (
    EMPTY_LIFETIME,
    H_COUNT,
    H_FIRST,
    H_LAST,
    H_VALUE,
    RECORD,
    Records,
    pack_record,
)
from feature_store.views.view import Rows, View

Ints = npt.NDArray[np.int64]
_CHUNK = 16_384
"""Rows whose lifetime headers are held at once: 4.5 MB, whatever the number of labels."""


class Replayed(NamedTuple):
    """Rows of views: `entity` indexes History.entities; row i of every array belongs together."""

    entity: Ints
    as_of: Ints
    found: npt.NDArray[np.bool_]
    views: dict[str, Rows]


@compiled
def _rewind(
    records: Records, groups: Ints, as_ofs: Ints, offsets: Ints, empty: Ints
) -> tuple[Ints, Ints, Ints]:
    """Answer (starts, ends, lifetimes) of what each (group, as_of) may see.

    Cheapest when sorted by (group, as_of): a lifetime then continues from the row before.
    """
    n = len(groups)
    starts = np.empty(n, np.int64)
    ends = np.empty(n, np.int64)
    lifetimes = np.empty((n, len(empty)), np.int64)
    lifetime = empty.copy()
    place = np.int64(0)
    for i in range(n):
        group = groups[i]
        if i == 0 or group != groups[i - 1] or as_ofs[i] < as_ofs[i - 1]:
            lifetime[:] = empty
            place = offsets[group]
        while place < offsets[group + 1] and records[place]["at"] < as_ofs[i]:
            at = records[place]["at"]
            lifetime[H_FIRST] = min(lifetime[H_FIRST], at)
            lifetime[H_LAST] = max(lifetime[H_LAST], at)
            lifetime[H_COUNT + records[place]["kind"]] += 1
            if records[place]["currency"] == 0:
                lifetime[H_VALUE + records[place]["kind"]] += records[place]["value"]
            place += 1
        starts[i] = offsets[group]
        ends[i] = place
        lifetimes[i] = lifetime
    return starts, ends, lifetimes


@compiled
def _seen(ats: Ints, offsets: Ints, spans: tuple[Ints, Ints], times: Ints) -> tuple[Ints, Ints]:
    """Answer the (group, time) pairs where the group is valid and has an earlier event."""
    since, until = spans
    groups = np.empty((len(offsets) - 1) * len(times), np.int64)
    as_ofs = np.empty(len(groups), np.int64)
    n = 0
    for group in range(len(offsets) - 1):
        if offsets[group] == offsets[group + 1]:
            continue
        first = ats[offsets[group]]
        for time in times:
            if first < time and since[group] < time <= until[group]:
                groups[n] = group
                as_ofs[n] = time
                n += 1
    return groups[:n].copy(), as_ofs[:n].copy()


def _order(groups: Ints, as_ofs: Ints) -> Ints | None:
    """Answer the rows in (group, as_of) order, None when they are in it already."""
    steps, later = np.diff(groups), np.diff(as_ofs) >= 0
    if ((steps > 0) | ((steps == 0) & later)).all():
        return None
    return np.lexsort((as_ofs, groups))


@dataclass(frozen=True)
class History:
    """The log in memory.

    `records[offsets[g] : offsets[g + 1]]` are the records of group g in (at, event) order. A
    group is one entity, or, for entities touched by a link, one entity between two links (see
    feature_store.linking). `cap` is the history cap of the store that is replayed.
    """

    entities: tuple[str, ...]
    records: Records
    offsets: Ints
    spans: Spans
    cap: int

    @property
    def events(self) -> int:
        """How many events are held, without those repeated for links."""
        return int(self.offsets[len(self.entities)])

    def replay(
        self, views: Sequence[View], label_times: Sequence[int] | Sequence[tuple[str, int]]
    ) -> Replayed:
        """Rebuild `views` as they were served at the label times (ms UTC, exclusive).

        A list of times asks for every entity that has an event before each of them, sorted by
        entity and time; a list of (entity, time) pairs for just those, in the order given
        (an unknown entity gets the defaults, found False, entity -1).
        """
        if len(label_times) and isinstance(label_times[0], tuple):
            entity, as_ofs, groups = self._pairs(label_times)
        else:
            times = np.unique(np.asarray(label_times, np.int64))
            spans = (self.spans.since, self.spans.until)
            groups, as_ofs = _seen(self.records["at"], self.offsets, spans, times)
            entity = self.spans.entity[groups]
        return self._rows(views, groups, as_ofs, entity)

    def replay_at(self, views: Sequence[View], entity: Ints, as_of: int) -> Replayed:
        """Rebuild `views` of some entities, by number, as they were served at `as_of` (ms UTC).

        Rows come in the order given; one without an earlier event gets defaults, found False.
        """
        as_ofs = np.full(len(entity), as_of, np.int64)
        return self._rows(views, self.spans.group_at(entity, as_ofs), as_ofs, entity)

    def _pairs(self, pairs: Sequence[object]) -> tuple[Ints, Ints, Ints]:
        index = {name: place for place, name in enumerate(self.entities)}
        entity = np.array([index.get(name, -1) for name, _ in pairs], np.int64)  # type: ignore[misc]
        as_ofs = np.array([as_of for _, as_of in pairs], np.int64)  # type: ignore[misc]
        return entity, as_ofs, self.spans.group_at(entity, as_ofs)

    def _rows(self, views: Sequence[View], groups: Ints, as_ofs: Ints, entity: Ints) -> Replayed:
        order = _order(groups, as_ofs)
        out = {view.name: np.zeros(len(groups), view.dtype) for view in views}
        found = np.zeros(len(groups), np.bool_)
        offsets = np.append(self.offsets, self.offsets[-1])
        for begin in range(0, len(groups), _CHUNK):
            rows = slice(begin, begin + _CHUNK) if order is None else order[begin : begin + _CHUNK]
            wanted = np.where(groups[rows] < 0, len(self.offsets) - 1, groups[rows])
            times = as_ofs[rows]
            starts, ends, lifetimes = _rewind(self.records, wanted, times, offsets, EMPTY_LIFETIME)
            lifetimes.flags.writeable = False
            found[rows] = ends > starts
            for view in views:
                part = out[view.name][rows]
                view.fill_all(self.records, starts, ends, lifetimes, times, self.cap, part)
                if order is not None:
                    out[view.name][rows] = part
        return Replayed(entity, as_ofs, found, out)

    @classmethod
    def load(
        cls, log: Path, *, since: int | None = None, until: int | None = None, cap: int = 512
    ) -> "History":
        """Read a log folder: events with since <= at < until (ms UTC).

        With `since`, what came before it is unknown to lifetime numbers as well.
        """
        held = read_arrays(log, since=since, until=until)
        return cls.from_columns(held.entities, held.codes, held.columns, links=held.links, cap=cap)

    @classmethod
    def from_arrays(
        cls,
        entities: Sequence[str],
        codes: Ints,
        records: Records,
        *,
        links: Sequence[Link] = (),
        cap: int = 512,
    ) -> "History":
        """Order records given in order of arrival; `codes` says whose each is.

        A repeated (entity, event) keeps its first arrival, as the store does.
        """
        columns = Columns(*(np.ascontiguousarray(records[name]) for name in Columns._fields))
        return cls.from_columns(entities, codes, columns, links=links, cap=cap)

    @classmethod
    def from_columns(
        cls,
        entities: Sequence[str],
        codes: Ints,
        columns: Columns,
        *,
        links: Sequence[Link] = (),
        cap: int = 512,
    ) -> "History":
        """Order columns of records given in order of arrival; see from_arrays."""
        kept = first_of_each(codes, columns.event)
        order, offsets = grouped(codes, kept, len(entities))
        ats, events = columns.at[order], columns.event[order]
        sort_groups(order, offsets, ats, events)
        records = np.empty(len(order), RECORD)
        gather(order, columns, records)
        return cls.from_ordered(entities, records, offsets, links=links, cap=cap)

    @classmethod
    def from_ordered(
        cls,
        entities: Sequence[str],
        records: Records,
        offsets: Ints,
        *,
        links: Sequence[Link] = (),
        cap: int = 512,
    ) -> "History":
        """Take records that are grouped by entity and in (at, event) order already."""
        names = tuple(entities)
        spans = no_links(len(names))
        if links:
            names, records, offsets, spans = with_links(names, records, offsets, links)
        records.flags.writeable = False
        return cls(names, records, offsets, spans, cap)

    @classmethod
    def from_events(
        cls,
        events: Iterable[Event],
        *,
        links: Sequence[Link] = (),
        house_currency: str = "",
        cap: int = 512,
    ) -> "History":
        """Hold checked events, in their order of arrival."""
        index: dict[str, int] = {}
        codes: list[int] = []
        packed: list[bytes] = []
        for event in events:
            codes.append(index.setdefault(event.entity, len(index)))
            packed.append(pack_record(event, house_currency))
        records = np.frombuffer(b"".join(packed), RECORD)
        return cls.from_arrays(
            tuple(index), np.array(codes, np.int64), records, links=links, cap=cap
        )
