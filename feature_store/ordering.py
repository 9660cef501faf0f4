"""Ordering events: grouping by entity, dropping repeats, sorting by (at, event).

Works on plain arrays, in time linear in the events when they arrive nearly in order. Knows
nothing of files or views.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from feature_store.compiling import compiled
from feature_store.records import Records

Ints = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]

_SMALL = 24
_MIX = 0x9E3779B97F4A7C15
"""2**64 over the golden ratio: spreads entity codes over the table (Knuth, vol. 3, 6.4)."""


@compiled
def first_of_each(codes: Ints, events: Hashes) -> Ints:
    """Answer the rows that are the first of their (entity code, event), in input order."""
    n = len(codes)
    slots = 16
    while slots < 2 * n:
        slots *= 2
    mask = np.uint64(slots - 1)
    table = np.zeros(slots, np.int64)
    kept = np.empty(n, np.int64)
    m = 0
    for row in range(n):
        key = events[row] ^ (np.uint64(codes[row]) * np.uint64(_MIX))
        slot = np.int64((key ^ (key >> np.uint64(32))) & mask)
        repeated = False
        while table[slot]:
            other = table[slot] - 1
            if events[other] == events[row] and codes[other] == codes[row]:
                repeated = True
                break
            slot = (slot + 1) & (slots - 1)
        if not repeated:
            table[slot] = row + 1
            kept[m] = row
            m += 1
    return kept[:m]


@compiled
def grouped(codes: Ints, rows: Ints, groups: int) -> tuple[Ints, Ints]:
    """Answer (rows stably grouped by their code, offsets of the groups: groups + 1)."""
    offsets = np.zeros(groups + 1, np.int64)
    for row in rows:
        offsets[codes[row] + 1] += 1
    for group in range(groups):
        offsets[group + 1] += offsets[group]
    place = offsets[:-1].copy()
    order = np.empty(len(rows), np.int64)
    for row in rows:
        code = codes[row]
        order[place[code]] = row
        place[code] += 1
    return order, offsets


@compiled
def _insert(low: int, high: int, order: Ints, ats: Ints, events: Hashes) -> None:
    for k in range(low + 1, high):
        row, at, event = order[k], ats[k], events[k]
        place = k
        while place > low and (
            ats[place - 1] > at or (ats[place - 1] == at and events[place - 1] > event)
        ):
            order[place] = order[place - 1]
            ats[place] = ats[place - 1]
            events[place] = events[place - 1]
            place -= 1
        order[place] = row
        ats[place] = at
        events[place] = event


@compiled
def _merge(
    bounds: tuple[int, int, int],
    order: Ints,
    ats: Ints,
    events: Hashes,
    spares: tuple[Ints, Ints, Hashes],
) -> None:
    low, middle, high = bounds
    last, first = middle - 1, middle
    if ats[last] < ats[first] or (ats[last] == ats[first] and events[last] <= events[first]):
        return
    spare_order, spare_ats, spare_events = spares
    spare_order[low:middle] = order[low:middle]
    spare_ats[low:middle] = ats[low:middle]
    spare_events[low:middle] = events[low:middle]
    left, right, place = low, middle, low
    while left < middle:
        if right < high and (
            spare_ats[left] > ats[right]
            or (spare_ats[left] == ats[right] and spare_events[left] > events[right])
        ):
            order[place], ats[place], events[place] = order[right], ats[right], events[right]
            right += 1
        else:
            order[place] = spare_order[left]
            ats[place] = spare_ats[left]
            events[place] = spare_events[left]
            left += 1
        place += 1


@compiled
def sort_groups(order: Ints, offsets: Ints, ats: Ints, events: Hashes) -> None:
    """Sort each group of `order` by (at, event) in place, and its keys with it.

    A merge sort over runs sorted by insertion: linear when rows arrived nearly in order.
    """
    spares = (np.empty_like(order), np.empty_like(ats), np.empty_like(events))
    for group in range(len(offsets) - 1):
        low, high = offsets[group], offsets[group + 1]
        for start in range(low, high, _SMALL):
            _insert(start, min(start + _SMALL, high), order, ats, events)
        width = _SMALL
        while width < high - low:
            for start in range(low, high - width, 2 * width):
                bounds = (start, start + width, min(start + 2 * width, high))
                _merge(bounds, order, ats, events, spares)
            width *= 2


class Columns(NamedTuple):
    """The fields of RECORD as parallel arrays, in its order."""

    at: Ints
    event: Hashes
    item: Hashes
    value: Ints
    ref: Hashes
    quantity: npt.NDArray[np.float32]
    channel: npt.NDArray[np.uint32]
    campaign: npt.NDArray[np.uint32]
    kind: npt.NDArray[np.uint8]
    flags: npt.NDArray[np.uint8]
    currency: npt.NDArray[np.uint16]

    def where(self, rows: npt.NDArray[np.bool_]) -> "Columns":
        """Answer the chosen rows of every column."""
        return Columns._make(column[rows] for column in self)


@compiled
def gather(order: Ints, columns: Columns, records: Records) -> None:
    """Write record i from row `order[i]` of the columns."""
    for i in range(len(order)):
        row = order[i]
        records[i]["at"] = columns.at[row]
        records[i]["event"] = columns.event[row]
        records[i]["item"] = columns.item[row]
        records[i]["value"] = columns.value[row]
        records[i]["ref"] = columns.ref[row]
        records[i]["quantity"] = columns.quantity[row]
        records[i]["channel"] = columns.channel[row]
        records[i]["campaign"] = columns.campaign[row]
        records[i]["kind"] = columns.kind[row]
        records[i]["flags"] = columns.flags[row]
        records[i]["currency"] = columns.currency[row]
