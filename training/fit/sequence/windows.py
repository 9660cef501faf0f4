"""Windows of histories, cut and padded for learning: at every event, what came next?

A window is a stretch of one user's events; its last event is asked for and never given. Events
of the same moment have no order of their own, so each pass may draw another. Knows nothing of
networks.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from domain.clock import DAY_MS
from domain.events import KINDS
from models.recommend.attention import time_classes
from training.splits import Interactions

I64 = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
_ROUGHLY = 0.2
"""Lengths are sorted but for this share, so that batches are not the same in each pass."""


class Windows(NamedTuple):
    """w stretches of events. starts, lengths: int64[w], of the events that are given; the targets
    are one further on."""

    starts: I64
    lengths: I64


class Batch(NamedTuple):
    """b windows padded at the end to t places.

    items, gaps, kinds: int64[b, t]; gaps are classes of the time until the next event. ages:
    int64[b, t, t], the class of each event's age (last axis) when the next is asked for at a
    place, or None where times say nothing. real: bool[b, t]. places: int64[b, t], which event
    each is. asked: bool[b, t], real places that are learned from. targets: int64[m], the items
    after the asked places, row by row.
    """

    items: I64
    gaps: I64
    kinds: I64
    ages: I64 | None
    real: Flags
    places: I64
    asked: Flags
    targets: I64


def windows_of(known: Interactions, length: int) -> Windows:
    """Cut every user's history into windows of at most `length` given events, the last full."""
    starts: list[I64] = []
    ends: list[I64] = []
    last = known.offsets[1:] - 1
    first = known.offsets[:-1]
    while True:
        left = last > first
        if not left.any():
            break
        last, first = last[left], first[left]
        begin = np.maximum(first, last - length)
        starts.append(begin)
        ends.append(last)
        last = begin
    start = np.concatenate([np.zeros(0, np.int64), *starts])
    return Windows(start, np.concatenate([np.zeros(0, np.int64), *ends]) - start)


def batches(windows: Windows, tokens: int, rng: np.random.Generator) -> list[I64]:
    """Answer windows' numbers by batch, in random order, of like lengths and at most `tokens`
    places with padding, or of one window."""
    stretched = windows.lengths * (1 + _ROUGHLY * rng.random(len(windows.lengths)))
    order = np.argsort(stretched, kind="stable")
    found: list[I64] = []
    start = longest = 0
    for place, length in enumerate(windows.lengths[order].tolist()):
        longest = max(longest, length)
        if place > start and longest * (place + 1 - start) > tokens:
            found.append(order[start:place])
            start, longest = place, length
    if start < len(order):
        found.append(order[start:])
    return [found[turn] for turn in rng.permutation(len(found))]


def held_back(known: Interactions, share: float, most: int, rng: np.random.Generator) -> Flags:
    """Answer bool[e]: the latest tenth, at least one, of the events of users drawn at random.

    At most `most` events and `share` of all; a user keeps at least two.
    """
    held = np.zeros(len(known.items), np.bool_)
    room = int(min(most, share * len(held)))
    for user in rng.permutation(len(known.offsets) - 1):
        begin, end = known.offsets[user], known.offsets[user + 1]
        count = max(1, (end - begin) // 10)
        if end - begin - count < 2 or count > room:
            continue
        held[end - count : end] = True
        room -= count
    return held


def times_speak(known: Interactions) -> bool:
    """Tell whether there are two steps of different length between events of the same user."""
    steps = np.diff(known.ats)[np.diff(known.users) == 0]
    return len(steps) > 0 and bool((steps != steps[0]).any())


class Met(NamedTuple):
    """What a log has shown. gaps, ages: bool[classes], of time; kinds: int64[KINDS], how often."""

    gaps: Flags
    ages: Flags
    kinds: I64


def met_in(known: Interactions, classes: int) -> Met:
    """Answer which classes of time lie between events, and in how many kinds they come."""
    gaps, ages = np.zeros(classes, np.bool_), np.zeros(classes, np.bool_)
    same = np.diff(known.users) == 0
    gaps[time_classes(np.diff(known.ats)[same] / DAY_MS, classes)] = True
    if times_speak(known):
        begin, end = known.offsets[:-1], known.offsets[1:]
        there = end > begin
        spans = known.ats[end[there] - 1] - known.ats[begin[there]]
        # An event may be as young as the shortest gap and as old as the longest history.
        ages[gaps.argmax() : time_classes(spans.max(keepdims=True) / DAY_MS, classes)[0] + 1] = True
    return Met(gaps, ages, np.bincount(known.kinds, minlength=KINDS))


class Cutter:
    """Makes batches of a log's windows; `shuffle` draws another order of simultaneous events."""

    def __init__(self, known: Interactions, classes: int, held: Flags) -> None:
        """Take the log, how many classes of time there are, and which events are not to be
        learned from."""
        self._classes, self._held = classes, held
        self._items, self._users = known.items.astype(np.int64), known.users
        self._kinds, self._ats = known.kinds.astype(np.int64), known.ats
        self._timed = times_speak(known)
        same = (np.diff(self._ats) == 0) & (np.diff(self._users) == 0)
        self._ties = bool(same.any())
        self._order = np.arange(len(self._items))

    def shuffle(self, rng: np.random.Generator) -> None:
        """Draw an order of what happened at once; what is held back stays last."""
        if self._ties:
            drawn = rng.random(len(self._items))
            self._order = np.lexsort((drawn, self._held, self._ats, self._users))

    def cut(self, windows: Windows, chosen: I64, held: bool = False) -> Batch:
        """Answer the batch of the chosen windows. held: ask for what is held back, else not."""
        starts, lengths = windows.starts[chosen], windows.lengths[chosen]
        t = int(lengths.max())
        steps = np.arange(t)
        real = steps < lengths[:, None]
        places = starts[:, None] + np.minimum(steps, lengths[:, None] - 1)
        ats, after = self._ats[places], self._ats[places + 1]
        ages = None
        if self._timed:
            ages = time_classes((after[:, :, None] - ats[:, None, :]) / DAY_MS, self._classes)
        asked = real & (self._held[places + 1] == held)
        taken = self._order[places]
        return Batch(
            self._items[taken],
            time_classes((after - ats) / DAY_MS, self._classes),
            self._kinds[taken],
            ages,
            real,
            places,
            asked,
            self._items[self._order[places + 1]][asked],
        )
