"""Ordering events: grouping by entity, dropping repeats, sorting by (at, event).

Works on plain arrays, in time linear in the events when they arrive nearly in order. Knows
nothing of files or views.
"""

import numpy as np
import numpy.typing as npt

from feature_store.compiling import compiled

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
def _later(ats: Ints, events: Hashes, a: int, b: int) -> bool:
    return ats[a] > ats[b] or (ats[a] == ats[b] and events[a] > events[b])


@compiled
def _insert(order: Ints, low: int, high: int, ats: Ints, events: Hashes) -> None:
    for k in range(low + 1, high):
        row = order[k]
        place = k
        while place > low and _later(ats, events, order[place - 1], row):
            order[place] = order[place - 1]
            place -= 1
        order[place] = row


@compiled
def _merge(
    order: Ints, spare: Ints, bounds: tuple[int, int, int], ats: Ints, events: Hashes
) -> None:
    low, middle, high = bounds
    if not _later(ats, events, order[middle - 1], order[middle]):
        return
    spare[low:middle] = order[low:middle]
    left, right, place = low, middle, low
    while left < middle:
        if right < high and _later(ats, events, spare[left], order[right]):
            order[place] = order[right]
            right += 1
        else:
            order[place] = spare[left]
            left += 1
        place += 1


@compiled
def sort_groups(order: Ints, offsets: Ints, ats: Ints, events: Hashes) -> None:
    """Sort each group of `order` by (at, event) in place: a merge sort over inserted runs."""
    spare = np.empty(len(order), np.int64)
    for group in range(len(offsets) - 1):
        low, high = offsets[group], offsets[group + 1]
        for start in range(low, high, _SMALL):
            _insert(order, start, min(start + _SMALL, high), ats, events)
        width = _SMALL
        while width < high - low:
            for start in range(low, high - width, 2 * width):
                bounds = (start, start + width, min(start + 2 * width, high))
                _merge(order, spare, bounds, ats, events)
            width *= 2
