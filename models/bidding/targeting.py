"""Which line items an opportunity concerns: an inverted index of bits, one row a value.

A row holds a bit for every line that accepts the value (or asks for nothing in its dimension); a
summary holds a bit for every word of a row that is not empty. A match ands and ors summaries
first and looks only at words that are left: 4,096 lines cost one step, and lines are numbered so
that those alike lie together. The definition is domain.targeting.wants; hours, flights, switches
and empty budgets come in as one mask that is made anew once a second. Knows nothing of prices.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from domain.targeting import Targeting, Traits

Words = npt.NDArray[np.uint64]
Lines = npt.NDArray[np.int32]

DIMENSIONS = Traits._fields
"""In the order in which an opportunity's rows are picked."""
_SHUNNED = {"geos": "not_geos", "segments": "not_segments", "sites": "not_sites"}
_END = -1
_MOST_VALUES = 1_024
"""Values of one dimension that are looked at: nobody is in so many segments."""
_REMEMBERED = 4_096
_WORD = 64
_DEBRUIJN = np.uint64(0x03F79D71B4CB0A89)


def _places() -> npt.NDArray[np.int32]:
    """Tabulate which bit of a word is its only one (Leiserson, Prokop, Randall, 1998)."""
    table = np.zeros(_WORD, np.int32)
    for place in range(_WORD):
        table[((int(_DEBRUIJN) << place) & (2**64 - 1)) >> 58] = place
    return table


_PLACES = _places()


@njit(cache=True, nogil=True, error_model="numpy")
def _meet(rows: Any, picks: Any, mask: Any, word: Any) -> Any:
    """And, over the dimensions of `picks`, the or of their rows at one word, with the mask."""
    left = mask[word]
    either = np.uint64(0)
    for pick in picks:
        if pick >= 0:
            either |= rows[pick, word]
        elif pick == _END:
            left &= either
            if left == np.uint64(0):
                return left
            either = np.uint64(0)
        else:
            # Rows of exclusions are numbered downwards from -2.
            left &= ~rows[-pick - 2, word]
    return left


@njit(cache=True, nogil=True, error_model="numpy")
def find_lines(
    rows: Any, summaries: Any, mask: Any, mask_summary: Any, picks: Any, out: Any
) -> int:
    """Write the lines that an opportunity concerns to `out`, ascending; answer how many.

    rows: uint64[r, words]; summaries: uint64[r, ceil(words / 64)]; mask, mask_summary: those that
    may buy just now; picks: int32[p], row numbers of a dimension then -1, for every dimension,
    and -2 - row for each exclusion met; out: int32[lines].
    """
    count = 0
    zero, one = np.uint64(0), np.uint64(1)
    for upper in range(summaries.shape[1]):
        left = mask_summary[upper]
        either = zero
        for pick in picks:
            if pick >= 0:
                either |= summaries[pick, upper]
            elif pick == _END:
                left &= either
                either = zero
                if left == zero:
                    break
        while left != zero:
            bit = left & (~left + one)
            left ^= bit
            word = upper * _WORD + _PLACES[(bit * _DEBRUIJN) >> np.uint64(58)]
            found = _meet(rows, picks, mask, word)
            while found != zero:
                low = found & (~found + one)
                found ^= low
                out[count] = word * _WORD + _PLACES[(low * _DEBRUIJN) >> np.uint64(58)]
                count += 1
    return count


def _summary(words: Words) -> Words:
    """Answer a bit a word, set where the word is not 0; over the last axis."""
    return pack(words != 0)


def pack(flags: npt.NDArray[np.bool_]) -> Words:
    """Pack flags to words along the last axis, flag 0 in the lowest bit of word 0."""
    length = flags.shape[-1]
    words = max(1, -(-length // _WORD))
    padded = np.zeros((*flags.shape[:-1], words * _WORD), np.bool_)
    padded[..., :length] = flags
    return np.packbits(padded, axis=-1, bitorder="little").view(np.uint64)


@dataclass(slots=True, frozen=True)
class Mask:
    """The lines that may buy just now, as bits with their summary."""

    words: Words
    summary: Words

    @classmethod
    def of(cls, flags: npt.NDArray[np.bool_]) -> "Mask":
        """Make a mask of a flag a line."""
        words = pack(flags)
        return cls(words, _summary(words))


@dataclass(slots=True)
class TargetingIndex:
    """Lines as bits. `order[i]` is the place, in what was given, of the line numbered i.

    Read by many threads at once, changed by none. Numbers, not places, are what a match answers.
    """

    order: Lines
    rows: Words
    summaries: Words
    _wild: tuple[int, ...]
    _wish: tuple[dict[str, int], ...]
    _shun: tuple[dict[str, int], ...]
    everybody: Mask
    _out: Lines = field(repr=False)
    _memories: tuple[dict[tuple[str, ...], bytes], ...] = field(repr=False)

    @classmethod
    def of(cls, targetings: Sequence[Targeting]) -> "TargetingIndex":
        """Build the index; its cost grows with lines times distinct values, off the hot path."""
        order = sorted(range(len(targetings)), key=lambda place: _likeness(targetings[place]))
        lines = [targetings[place] for place in order]
        rows = [np.zeros(len(lines), np.bool_)]
        wild: list[int] = []
        wish: list[dict[str, int]] = []
        shun: list[dict[str, int]] = []
        for name in DIMENSIONS:
            wanted: list[tuple[str, ...]] = [getattr(line, name) for line in lines]
            indifferent = np.array([not values for values in wanted], np.bool_)
            wild.append(len(rows))
            rows.append(indifferent)
            wish.append(_add(rows, wanted, indifferent))
            shunned = _SHUNNED.get(name)
            unwanted: list[tuple[str, ...]] = [
                getattr(line, shunned) if shunned else () for line in lines
            ]
            shun.append(_add(rows, unwanted, rows[0]))
        words = pack(np.array(rows, np.bool_))
        return cls(
            np.array(order, np.int32),
            words,
            _summary(words),
            tuple(wild),
            tuple(wish),
            tuple(shun),
            Mask.of(np.ones(len(lines), np.bool_)),
            np.zeros(max(len(lines), 1), np.int32),
            tuple({} for _ in DIMENSIONS),
        )

    def picks(self, traits: Traits) -> npt.NDArray[np.int32]:
        """Answer the rows an opportunity's traits stand for, as `find_lines` takes them.

        What a dimension's values stand for is remembered: most requests share most of theirs.
        """
        parts: list[bytes] = []
        for place, values in enumerate(traits):
            memory = self._memories[place]
            part = memory.get(values)
            if part is None:
                if len(memory) >= _REMEMBERED:
                    memory.clear()
                part = memory[values] = self._look_up(place, values)
            parts.append(part)
        return np.frombuffer(b"".join(parts), np.int32)

    def _look_up(self, place: int, values: tuple[str, ...]) -> bytes:
        wish, shun = self._wish[place], self._shun[place]
        # A value asked for twice, or thousands of segments, must not cost more than they say.
        distinct = tuple(dict.fromkeys(values))[:_MOST_VALUES]
        rows = [wish[value] for value in distinct if value in wish] or [self._wild[place]]
        away = [-2 - shun[value] for value in distinct if value in shun]
        return np.array([*rows, *away, _END], np.int32).tobytes()

    def match(self, traits: Traits, mask: Mask | None = None) -> Lines:
        """Answer the numbers of the lines that want an opportunity, ascending; int32[m].

        The answer is a view that the next match overwrites.
        """
        mask = mask or self.everybody
        count = find_lines(
            self.rows, self.summaries, mask.words, mask.summary, self.picks(traits), self._out
        )
        return self._out[:count]


def _add(
    rows: list[npt.NDArray[np.bool_]],
    values: Sequence[Iterable[str]],
    base: npt.NDArray[np.bool_],
) -> dict[str, int]:
    """Add a row for each value: the lines that name it, and those of `base`."""
    named: dict[str, list[int]] = {}
    for line, own in enumerate(values):
        for value in own:
            named.setdefault(value, []).append(line)
    found: dict[str, int] = {}
    for value, at in named.items():
        row = base.copy()
        row[at] = True
        found[value] = len(rows)
        rows.append(row)
    return found


def _likeness(targeting: Targeting) -> tuple[object, ...]:
    """Order lines so that those which ask for the same places and sites lie together."""
    return (
        *(targeting.geos, targeting.exchanges, targeting.sites, targeting.segments),
        *(targeting.devices, targeting.systems, targeting.intent_bands, targeting.churn_bands),
    )
