"""Answers that were given, by decision id: what a click or a purchase that quotes one is held
against, and which of their places were rewarded already.

Kept for as long as an outcome may take. Holds no id of anybody who asked, and items as hashes.
One suite checks both implementations (redis/chosen.py). Knows nothing of events.
"""

import struct
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from domain.clock import Clock, system_clock

MOST_PLACES = 64
"""Places of an answer that are kept, from the top; outcomes of others teach nothing."""
MARKS = 2 * MOST_PLACES
"""Marks an answer may have: see `ChosenAnswers.mark`."""
MOST_NUMBERS = 16
MOST_PAGE_BYTES = 255
"""Of the name of a page."""
_FORMAT = 1
_HEAD = struct.Struct("<BqBBBBQ")


class Chosen(NamedTuple):
    """An answer given `at` (UTC ms) on a page by a mix of number `arm`.

    context: what the mix was chosen by, kept as float32. items: hash64 of the items, from the
    top. explored: which places were filled to learn.
    """

    decision: str
    at: int
    page: str
    arm: int
    context: tuple[float, ...]
    items: tuple[int, ...]
    explored: tuple[int, ...] = ()


class ChosenAnswers(Protocol):
    """The one door to what was answered. Every method may raise StoreUnavailable."""

    async def put(self, chosen: Sequence[Chosen], kept_ms: int) -> None:
        """Keep answers, or replace them, for so long from now; raises ValueError for one that is
        larger than answers are, and then keeps none."""
        ...

    async def get(self, decisions: Sequence[str]) -> list[Chosen | None]:
        """Answer them by id, None for what was not kept, too long ago, or cannot be read."""
        ...

    async def mark(self, marks: Sequence[tuple[str, int]], kept_ms: int) -> list[bool]:
        """Set marks, each a decision and a number below MARKS; answer whether each was new.

        A mark stays for so long from now at the least. Whoever sets it again finds it set.
        """
        ...


def pack_chosen(chosen: Chosen) -> bytes:
    """Write an answer without its id; raises ValueError when it is larger than answers are."""
    page, items = chosen.page.encode(), chosen.items[:MOST_PLACES]
    if len(page) > MOST_PAGE_BYTES or len(chosen.context) > MOST_NUMBERS:
        raise ValueError("an answer of a longer page or a wider context than there are")
    flags = sum(1 << place for place in set(chosen.explored) if 0 <= place < MOST_PLACES)
    numbers = len(chosen.context)
    head = _HEAD.pack(_FORMAT, chosen.at, chosen.arm, len(page), numbers, len(items), flags)
    return head + page + struct.pack(f"<{numbers}f{len(items)}Q", *chosen.context, *items)


def parse_chosen(decision: str, held: bytes | None) -> Chosen | None:
    """Read what `pack_chosen` wrote; None for anything else."""
    if held is None or len(held) < _HEAD.size:
        return None
    format, at, arm, page, numbers, items, flags = _HEAD.unpack_from(held)
    start = _HEAD.size + page
    if format != _FORMAT or len(held) != start + 4 * numbers + 8 * items:
        return None
    try:
        name = held[_HEAD.size : start].decode()
    except UnicodeDecodeError:
        return None
    values = struct.unpack_from(f"<{numbers}f{items}Q", held, start)
    places = tuple(place for place in range(MOST_PLACES) if flags >> place & 1)
    return Chosen(decision, at, name, arm, values[:numbers], values[numbers:], places)


def check_mark(mark: int) -> int:
    """Answer a mark that may be set; raises ValueError for another."""
    if not 0 <= mark < MARKS:
        raise ValueError(f"a mark is a number from 0 to {MARKS - 1}")
    return mark


class MemoryChosen:
    """Answers that were given, in memory; see ChosenAnswers."""

    def __init__(self, clock: Clock = system_clock) -> None:
        self._clock = clock
        self._held: dict[str, tuple[int, bytes]] = {}
        self._marks: dict[str, tuple[int, set[int]]] = {}

    async def put(self, chosen: Sequence[Chosen], kept_ms: int) -> None:
        now = self._clock()
        packed = {one.decision: (now + kept_ms, pack_chosen(one)) for one in chosen}
        self._held |= packed
        if len(self._held) > 2 * len(packed) + 10_000:
            self._held = {name: one for name, one in self._held.items() if one[0] > now}
            self._marks = {name: one for name, one in self._marks.items() if one[0] > now}

    async def get(self, decisions: Sequence[str]) -> list[Chosen | None]:
        now = self._clock()
        found = [(name, *self._held.get(name, (0, b""))) for name in decisions]
        return [parse_chosen(name, held) if until > now else None for name, until, held in found]

    async def mark(self, marks: Sequence[tuple[str, int]], kept_ms: int) -> list[bool]:
        now, new = self._clock(), list[bool]()
        for name, mark in [(name, check_mark(mark)) for name, mark in marks]:
            until, held = self._marks.get(name, (0, set[int]()))
            held = held if until > now else set[int]()
            new.append(mark not in held)
            self._marks[name] = (now + kept_ms, held | {mark})
        return new
