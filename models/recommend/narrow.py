"""Narrow scoring: members propose a few items each, and only those are scored, by all members.

Members with item vectors propose by an index, others from what they say anything of, and what is
the same for everybody by its head. Scores are those of a pass over all items; what nobody
proposed has none. Knows nothing of questions, or of how the index was made.
"""

from collections import Counter
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np
from numba import njit

from models.recommend.blend import Blend, Scored
from models.recommend.candidates import Scene
from models.recommend.cells import Cells
from models.recommend.member import Floats, Ints, Past, frozen
from models.recommend.ranker import Ranker
from models.recommend.topk import top_k
from models.recommend.touched import Asked, Asking, Touched, Touching, products_of

Flags = np.ndarray
INDEXED, LISTED, WHOLE = "indexed", "listed", "whole"


class Reach(NamedTuple):
    """How many items are looked at.

    proposed: items that every member proposes at most. enough: with fewer items left that may
    be shown, all are scored; an answer holds up to 500, and the decision must not hang on how
    many places are asked for. few: where no more items may be shown than this, all of those are
    scored. head: of what is the same for everybody, so many are gone through for some that may
    be shown. told: of the best, so many are told in their order; who asks for more looks through
    all items. most: where this share of all items may be shown, proposals are not asked for it.
    """

    proposed: int = 300
    enough: int = 650
    few: int = 4_000
    head: int = 20_000
    told: int = 100
    most: float = 0.9


DEFAULT_REACH: Final = Reach()


@njit(cache=True, nogil=True, error_model="numpy")
def _first_of(head: np.ndarray, allowed: np.ndarray, most: int) -> np.ndarray:
    """Answer the first `most` of int32[h] items that bool[n] allows."""
    out = np.empty(most, np.int32)
    size = 0
    for item in head:
        if size == most:
            break
        out[size] = item
        size += allowed[item]
    return out[:size]


@njit(cache=True, nogil=True, error_model="numpy")
def _distinct(ordered: np.ndarray) -> np.ndarray:
    """Answer the different ones of sorted int32[e]."""
    size = 0
    for i in range(ordered.shape[0]):
        if size == 0 or ordered[size - 1] != ordered[i]:
            ordered[size] = ordered[i]
            size += 1
    return ordered[:size]


@dataclass(frozen=True, eq=False)
class Found:
    """The scores of some of n items; `total` and `parts` are those of blend.Scored.

    total: float32[n], minus infinity where an item was not scored. rows: int32[u], the scored
    items, ascending. few: their scores, numbered as they stand in `rows`. middle: the mean of
    all n totals. best: the items of the highest totals that may be shown, in their order.
    """

    total: Floats
    rows: Ints
    few: Scored
    middle: float
    best: Ints

    def parts(self, rows: Ints) -> Floats:
        """Answer float32[voices, k]: what each voice added to int32[k] of the scored items."""
        return self.few.parts(np.searchsorted(self.rows, rows).astype(np.int32))


class Narrow:
    """A blend over n items with an index for its members that have item vectors.

    tally: how often members proposed (indexed), all that may be shown were scored (listed), or
    too few were left and all items had to be (whole).
    """

    def __init__(
        self,
        blend: Blend,
        cells: Mapping[str, Cells],
        reach: Reach = DEFAULT_REACH,
        tally: Counter[str] | None = None,
    ) -> None:
        """Take the blend, and the index of every one of its members that has item vectors.

        Raises ValueError where one is of other items, KeyError where one is missing.
        """
        self._blend, self._cells, self._reach = blend, dict(cells), reach
        self.tally: Counter[str] = Counter() if tally is None else tally
        names = blend.voices[len(blend.voices) - len(blend.moving) :]
        self._asking: dict[int, tuple[str, Asking]] = {}
        self._touching: dict[int, Touching] = {}
        for place, (name, member) in enumerate(zip(names, blend.moving, strict=True)):
            if isinstance(member, Asking):
                self._asking[place] = name, member
                vectors = member.told_by[0]
                if self._cells[name].size != len(vectors):
                    raise ValueError(f"the index of {name} is of other items")
            elif isinstance(member, Touching):
                self._touching[place] = member
            else:
                raise ValueError(f"{name} scores all items or none")
        standing = [*blend.standing, blend.base]
        self._heads = tuple(top_k(row, reach.head) for row in standing)
        # By the code that filters ask for, so that nobody waits until it is compiled.
        everything = np.ones(blend.base.shape[0], np.bool_)
        first = [_first_of(head, everything, reach.proposed) for head in self._heads]
        self._first = _distinct(np.sort(np.concatenate(first)))
        self._middle = float(blend.base.mean(dtype=np.float64))

    def find(self, past: Past, allowed: Flags | None) -> Found | None:
        """Score what members propose for a history; None where that leaves too few to show.

        allowed: bool[m], m ≥ n, what may be shown; None for everything.
        """
        n, few = self._blend.base.shape[0], self._reach.few
        count = n if allowed is None else int(np.count_nonzero(allowed[:n]))
        may = None if allowed is None else allowed[:n]
        asked = {place: member.asked(past) for place, (_, member) in self._asking.items()}
        touched = {place: member.touch(past) for place, member in self._touching.items()}
        if count <= few:
            some = [np.arange(n, dtype=np.int32) if may is None else _true(may)]
        else:
            masked = count < self._reach.most * n
            some = self._proposed(asked, touched, may if masked else None)
        rows = _distinct(np.sort(np.concatenate([*some, past.indices])))
        left = len(rows) if may is None else int(np.count_nonzero(may[rows]))
        if count > few and left < self._reach.enough:
            self.tally[WHOLE] += 1
            return None
        self.tally[INDEXED if count > few else LISTED] += 1
        scored = self._scored(asked, touched, rows)
        total = np.full(n, -np.inf, np.float32)
        total[rows] = scored.total
        best = self._best(scored, rows, None if may is None else may[rows])
        return Found(total, rows, scored, self._middle, best)

    def reorder(
        self, found: Found, ranker: Ranker, past: Past, allowed: Flags | None, scene: Scene
    ) -> Found:
        """Put the best in the ranker's order, in `found.total` itself."""
        rows = found.rows
        own = past._replace(indices=np.searchsorted(rows, past.indices).astype(np.int32))
        may = None if allowed is None else allowed[rows]
        few = among(ranker, rows).reorder(found.few, own, may, scene)
        found.total[rows] = few.total
        return replace(found, few=few, best=self._best(few, rows, may))

    def peak(self, name: str, asked: Asked) -> float:
        """Answer the largest product of a member's item vectors with a vector, by its index."""
        _, values = self._cells[name].nearest(asked.vector, 1)
        return float(values[0])

    def _proposed(
        self, asked: dict[int, Asked], touched: dict[int, Touched], may: Flags | None
    ) -> list[Ints]:
        """Answer what every member proposes of what may be shown; None for everything."""
        some, most = [self._first], self._reach.proposed
        if may is not None:
            some = [_first_of(head, may, most) for head in self._heads]
        some += [one.best(most, may) for one in touched.values()]
        for place, (name, _) in self._asking.items():
            if asked[place].scale > 0:
                vector = asked[place].vector
                some.append(self._cells[name].nearest(vector, most, allowed=may)[0])
        return some

    def _scored(self, asked: dict[int, Asked], touched: dict[int, Touched], rows: Ints) -> Scored:
        count = len(asked) + len(touched)
        raw = np.empty((count, len(rows)), np.float32)
        means, scales = np.empty(count, np.float32), np.empty(count, np.float32)
        for place, one in touched.items():
            one.at(rows, raw[place])
            means[place], scales[place] = one.mean, one.scale
        for place, (_, member) in self._asking.items():
            one = asked[place]
            products_of(member, one.vector, rows, raw[place])
            means[place], scales[place] = one.mean, one.scale
        return self._blend.few(rows, raw, means, scales)

    def _best(self, few: Scored, rows: Ints, may: Flags | None) -> Ints:
        return rows[top_k(few.total, self._reach.told, may)]


def _true(flags: Flags) -> Ints:
    return np.flatnonzero(flags).astype(np.int32)


def among(ranker: Ranker, rows: Ints) -> Ranker:
    """Answer the ranker for int32[u] of its items alone, numbered as they stand there."""
    scenery = ranker.scenery
    if scenery is not None:
        devices, pages = (
            frozen(lifts[:, rows] if lifts.shape[1] else lifts, np.float32)
            for lifts in scenery.lifts
        )
        scenery = replace(scenery, lifts=(devices, pages))
    found = copy(ranker)
    # It has been looked at as a whole: looking again takes longer than making it.
    object.__setattr__(found, "facts", frozen(ranker.facts.take(rows, axis=0), np.float32))
    object.__setattr__(found, "scenery", scenery)
    return found
