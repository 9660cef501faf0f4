"""Why an item is shown: which member proposed it, on which events it rests, in one sentence.

Worked out for the items shown and no others; the members always, the rest when asked for.
Knows nothing of how a slate was filled.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from domain.events import Kind
from domain.slates import Fallback, Source, Sources
from models.recommend.catalogue import Catalogue
from models.recommend.lookup import Indices
from models.recommend.model import RecommendModel

Parts = npt.NDArray[np.float32]

MOST = 3
"""How many members, and how many events of a history, are named at most."""
LEAST_SHARE = 0.05
"""A member, or an event, that adds less than this share is not named."""
RECENT = 64
"""How many of the last events are looked at; older ones have faded."""
_BASE = 4_096
"""Above 101 times the members there may be."""
_ROOM = 65_536

DEEDS: dict[int, str] = {
    Kind.impression: "were shown {}",
    Kind.seen: "saw {}",
    Kind.click: "viewed {}",
    Kind.add_to_cart: "put {} into your cart",
    Kind.remove_from_cart: "took {} out of your cart",
    Kind.purchase: "bought {}",
    Kind.refund: "returned {}",
    Kind.rating: "rated {}",
    Kind.search: "looked for {}",
    Kind.subscribe: "subscribed to {}",
    Kind.renew: "renewed {}",
}
"""Kind → what one did with an item."""
CHOSE = "chose {}"
"""Any other kind."""
AS_A_WHOLE = "From your history as a whole"

IMPERSONAL: dict[str, str] = {
    "popularity": "Popular with everyone",
    "trend": "In demand of late",
}
"""Members that say the same to everyone, and what they say."""

SENTENCES: dict[str, str] = {
    "factors": "Fits your taste: you {}",
    "ease": "Goes with what you chose: you {}",
    "filter": "Liked by those who chose the same: you {}",
    "neighbours": "As in visits like yours: you {}",
    "transformer": "The next step after yours: you {}",
    "content": "Of the same kind: you {}",
}
"""Members that say it their own way; `{}` is what one did with which items."""
BECAUSE = "Because you {}"
"""Any other member."""

SIMILAR = "similar"
REPEATS = "repeats"
"""The member that speaks of the item itself."""
BLEND = "blend"
"""What is named where no member adds anything: the place is the least bad."""

FALLBACKS: dict[Fallback, tuple[str, str]] = {
    Fallback.segment: ("segment", "Popular with people like you"),
    Fallback.trending: ("trending", "Trending now"),
    Fallback.popular: ("popularity", "Popular with everyone"),
    Fallback.newest: ("newest", "Among the newest"),
}
"""Fallback → the member it names and what that says."""


class Past(NamedTuple):
    """The events an answer rests on, oldest first: item indices, kinds, UTC milliseconds."""

    rows: Indices
    kinds: npt.NDArray[np.uint8]
    ats: npt.NDArray[np.int64]


BRIEFLY: dict[Fallback, Sources] = {
    fallback: Sources((Source(member, 1.0),)) for fallback, (member, _) in FALLBACKS.items()
}
BRIEFLY_SIMILAR = Sources((Source(SIMILAR, 1.0),))


def and_list(parts: Sequence[str]) -> str:
    """Join as people do: "a", "a and b", "a, b and c"."""
    if len(parts) < 2:
        return "".join(parts)
    return ", ".join(parts[:-1]) + " and " + parts[-1]


def plain_source(fallback: Fallback) -> Sources:
    """Answer the source of an item that was not proposed for anyone in particular."""
    member, text = FALLBACKS[fallback]
    return Sources((Source(member, 1.0, (), text),))


def segment_source(name: str) -> Sources:
    """Answer the source of an item shown for what the segment `name` wants."""
    member, _ = FALLBACKS[Fallback.segment]
    return Sources((Source(member, 1.0, (), f"Popular with {name}"),))


def similar_source(catalogue: Catalogue, target: int) -> Sources:
    """Answer the source of an item shown for its likeness to the item `target`."""
    text = f"Goes with {catalogue.title(target)}"
    return Sources((Source(SIMILAR, 1.0, (catalogue.ids[target],), text),))


@njit(cache=True, nogil=True, error_model="numpy")
def _strongest(parts: np.ndarray, codes: np.ndarray) -> None:
    """Write to int64[k] the strongest members of each column, MOST digits of base _BASE.

    A digit is 1 + member * 101 + percent, the strongest in the lowest place; 0 where there are
    fewer. Ties go to the earlier member.
    """
    for i in range(codes.shape[0]):
        whole = np.float32(0)
        for m in range(parts.shape[0]):
            whole += max(parts[m, i], np.float32(0))
        limit, last = np.float32(np.inf), -1
        code, base = np.int64(0), np.int64(1)
        for _ in range(MOST):
            best, most = -1, np.float32(0)
            for m in range(parts.shape[0]):
                added = parts[m, i]
                left = added < limit or (added == limit and m > last)
                if left and added > most and added >= LEAST_SHARE * whole:
                    best, most = m, added
            if best < 0:
                break
            code += base * (1 + best * 101 + np.int64(np.rint(100 * most / whole)))
            base *= _BASE
            limit, last = most, best
        codes[i] = code


class _Ready(dict[int, Sources]):
    """The sources of every code met so far: an answer looks its own up."""

    def __init__(self, members: tuple[str, ...]) -> None:
        self._members = members
        self._ones: dict[int, Source] = {}

    def __missing__(self, code: int) -> Sources:
        if len(self) >= _ROOM:
            self.clear()
        named: list[Source] = []
        left = code
        while left:
            left, digit = divmod(left, _BASE)
            named.append(self._ones.get(digit) or self._one(digit))
        self[code] = found = Sources(named or (Source(BLEND, 1.0),))
        return found

    def _one(self, digit: int) -> Source:
        """Answer one member with its share: there are few of them, however they are combined."""
        member, percent = divmod(digit - 1, 101)
        self._ones[digit] = one = Source(self._members[member], percent / 100)
        return one


@lru_cache(maxsize=16)
def _ready(members: tuple[str, ...]) -> _Ready:
    return _Ready(members)


def brief_sources(members: tuple[str, ...], parts: Parts) -> list[Sources]:
    """Answer the members that speak for each of k items, strongest first, no reasons.

    members: names of the rows of `parts`, what each added to each item, float32[v, k].
    Shares are of what was added above 0, to a hundredth. The same sources are the same object,
    mostly.
    """
    codes = np.empty(parts.shape[1], np.int64)
    _strongest(parts, codes)
    ready = _ready(members)
    return [ready[code] for code in codes.tolist()]


def personal_sources(
    model: RecommendModel,
    catalogue: Catalogue,
    parts: Parts,
    rows: Indices,
    past: Past,
    as_of: int,
) -> list[Sources]:
    """Answer the members that speak for each of int32[k] rows, and on which events they rest.

    parts: float32[v, k], what each of the model's voices added to each.
    """
    found: list[Sources] = []
    named = brief_sources(model.voices, parts)
    events = _told(model, rows, past, as_of)
    for row, members, told in zip(rows.tolist(), named, events, strict=True):
        because = tuple([catalogue.ids[one] for one, _ in told])
        deeds = _deeds(catalogue, row, told)
        sources: list[Source] = []
        for member, share, _, _ in members:
            if member in IMPERSONAL:
                sources.append(Source(member, share, (), IMPERSONAL[member]))
            else:
                text = _again(model, row, past) if member == REPEATS else _sentence(member, deeds)
                sources.append(Source(member, share, because, text))
        found.append(Sources(sources))
    return found


@njit(cache=True, nogil=True, error_model="numpy")
def _loudest(
    speaks: np.ndarray, rows: np.ndarray, kinds: np.ndarray, slots: np.ndarray, named: np.ndarray
) -> None:
    """Write (item, kind) of what speaks most for each target, int64[t, MOST, 2], -1 for none.

    slots: int64[h], events of the same item share one, numbered by item from 0 on.
    """
    count = slots.max() + 1
    weight = np.empty(count, np.float64)
    most = np.empty(count, np.float32)
    event = np.empty(count, np.int64)
    for t in range(speaks.shape[0]):
        weight[:] = 0.0
        most[:] = 0.0
        for j in range(slots.shape[0]):
            if speaks[t, j] > 0:
                slot = slots[j]
                weight[slot] += speaks[t, j]
                louder = speaks[t, j] > most[slot]
                if louder or (speaks[t, j] == most[slot] and kinds[j] > kinds[event[slot]]):
                    most[slot], event[slot] = speaks[t, j], j
        least = LEAST_SHARE * weight.sum()
        for place in range(named.shape[1]):
            best = weight.argmax()
            named[t, place] = -1
            if weight[best] > 0 and weight[best] >= least:
                named[t, place, 0] = rows[event[best]]
                named[t, place, 1] = kinds[event[best]]
                weight[best] = 0.0


def told_sources(
    catalogue: Catalogue, member: str, targets: Indices, past: Past, speaks: Parts
) -> list[Sources]:
    """Answer `member` as the one source of each of int32[t] items, and on what it rests.

    speaks: float32[t, h], what each event adds to each; the events may be of any item we know.
    """
    found: list[Sources] = []
    for row, told in zip(targets.tolist(), _events(speaks, past.rows, past.kinds), strict=True):
        because = tuple([catalogue.ids[one] for one, _ in told])
        text = _sentence(member, _deeds(catalogue, row, told))
        found.append(Sources((Source(member, 1.0, because, text),)))
    return found


def _told(
    model: RecommendModel, targets: Indices, past: Past, as_of: int
) -> list[list[tuple[int, int]]]:
    """Answer (item, kind) of the events that speak most for each target, an item once."""
    rows, kinds = past.rows[-RECENT:], past.kinds[-RECENT:]
    speaks = model.influences(targets, rows, kinds, past.ats[-RECENT:], as_of)
    return _events(speaks, rows, kinds)


def _events(
    speaks: Parts, rows: Indices, kinds: npt.NDArray[np.uint8]
) -> list[list[tuple[int, int]]]:
    named = np.empty((len(speaks), MOST, 2), np.int64)
    _loudest(speaks, rows, kinds, np.unique(rows, return_inverse=True)[1], named)
    return [[(row, kind) for row, kind in one if row >= 0] for one in named.tolist()]


def _deeds(catalogue: Catalogue, row: int, told: list[tuple[int, int]]) -> str:
    """Say what was done with the events' items, "" for no events; `row` is the item explained."""
    grouped: dict[tuple[str, bool], list[str]] = {}
    for one, kind in told:
        group = grouped.setdefault((DEEDS.get(kind, CHOSE), one == row), [])
        group.append("it" if one == row else catalogue.title(one))
    return and_list(
        [
            deed.format(and_list(titles)) + (" before" if own else "")
            for (deed, own), titles in grouped.items()
        ]
    )


def _again(model: RecommendModel, row: int, past: Past) -> str:
    """Say what was done with the item itself: of all its events the one that weighs most."""
    own = past.kinds[past.rows == row]
    if not own.size:
        return AS_A_WHOLE
    kind = int(own[model.kind_weights[own].argmax()])
    return f"Because you {DEEDS.get(kind, CHOSE).format('it')} before"


def _sentence(member: str, deeds: str) -> str:
    if not deeds or member == BLEND:
        return AS_A_WHOLE
    return SENTENCES.get(member, BECAUSE).format(deeds)
