"""Demand by segment, shrunk to everybody's: few events say little, many say what they say.

What a segment wants of each item is (its own demand + k * everybody's share) / (its own total +
k), the mean of a Dirichlet posterior round everybody; k, in people, is what the segments' own
counts say of how unlike everybody a segment is (empirical Bayes; by moments, as Brier, 1980,
estimates overdispersion). Knows nothing of who is in a segment.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from models.recommend.catalogue import Catalogue, Scores

Floats = npt.NDArray[np.float64]
LEAST_WEIGHT = 20.0
"""People that everybody's demand counts for at least: no handful speaks for itself alone."""


class Part(NamedTuple):
    """What a segment wants: ids, demand now and people of each, float64[n]."""

    items: Sequence[str]
    demand: Floats
    people: Floats


class Counts(Protocol):
    """What was counted of one segment; feature_store.trends.Trends is such."""

    @property
    def items(self) -> Sequence[str]: ...
    @property
    def by_others(self) -> Floats: ...
    @property
    def people(self) -> Floats | None: ...


def parts_of(counted: Mapping[str, Counts]) -> dict[str, Part]:
    """Answer what segments want by name, of what was counted under `name@version`."""
    return {
        key.partition("@")[0]: Part(one.items, one.by_others, one.people)
        for key, one in counted.items()
        if one.people is not None
    }


def weight_of_all(part: Floats, whole: Floats) -> float:
    """Answer k: for how many people everybody's shares count beside those of a segment.

    part, whole: people of each item, float64[n], in the segment and in all; infinite where the
    segment differs no more than chance would have it.
    """
    n, total = float(part.sum()), float(whole.sum())
    known = whole > 0
    if n <= 1 or total <= 0 or np.count_nonzero(known) < 2:
        return np.inf
    expected = n * whole[known] / total
    spread = float(((part[known] - expected) ** 2 / expected).sum()) / (len(expected) - 1)
    if spread <= 1:
        return np.inf
    return max((n - spread) / (spread - 1), LEAST_WEIGHT)


class Wanted(NamedTuple):
    """Demand in a segment for what rises with everybody: rows: int64[r], the catalogue's indices,
    ascending; `scores` float32[r], on everybody's scale; `own` bool[r], where the segment itself
    speaks for the item."""

    rows: npt.NDArray[np.int64]
    scores: Scores
    own: npt.NDArray[np.bool_]


class BySegment:
    """Every segment's demand over one catalogue, worked out when first asked for.

    Few items rise, of however many: all others cost a segment neither time nor room.
    """

    def __init__(
        self, catalogue: Catalogue, demand: Scores, people: Floats, parts: Mapping[str, Part]
    ) -> None:
        """Take everybody's demand (0 where an item may not rise) and people, by index, and what
        each segment wants."""
        self._catalogue, self._size = catalogue, len(demand)
        self._rows = np.flatnonzero(demand > 0)
        self._demand, self._people = demand[self._rows], people[self._rows]
        self._parts = parts
        self._made: dict[str, Wanted] = {}

    @property
    def names(self) -> frozenset[str]:
        """The segments that were counted."""
        return frozenset(self._parts)

    def wanted(self, name: str) -> Wanted | None:
        """Answer what a segment wants; None where nobody counted it.

        Only what rises with everybody may rise in a segment.
        """
        if name not in self._made:
            part = self._parts.get(name)
            if part is None:
                return None
            self._made[name] = self._work_out(part)
        return self._made[name]

    def _work_out(self, part: Part) -> Wanted:
        size = len(self._rows)
        own, people = np.zeros(size), np.zeros(size)
        rows = np.array([self._catalogue.index(item) for item in part.items], np.int64)
        at = np.searchsorted(self._rows, rows)
        kept = np.flatnonzero(at < size)
        kept = kept[self._rows[at[kept]] == rows[kept]]
        own[at[kept]], people[at[kept]] = part.demand[kept], part.people[kept]
        whole = self._demand.astype(np.float64)
        total, mine, heads = whole.sum(), own.sum(), people.sum()
        weight = weight_of_all(people, self._people)
        if not np.isfinite(weight) or mine <= 0 or heads <= 0:
            return Wanted(self._rows, self._demand, np.zeros(size, np.bool_))
        # People are weighed as they say in this segment: purchases more than clicks.
        prior = weight * mine / heads
        shares = (own + prior * whole / total) / (mine + prior)
        scores = (total * shares).astype(np.float32)
        return Wanted(self._rows, scores, (own > 0) & (scores >= self._demand))

    def mixed(self, names: Sequence[str]) -> tuple[Scores, list[str]] | None:
        """Answer the mean demand of the segments that were counted, float32[m] by the
        catalogue's index, and their names; None where none of them says anything of its own."""
        told = [name for name in names if (one := self.wanted(name)) and one.own.any()]
        if not told:
            return None
        stacked = np.stack([self._made[name].scores for name in told])
        scores = np.zeros(self._size, np.float32)
        scores[self._rows] = stacked.mean(axis=0, dtype=np.float64)
        return scores, told

    def speaker(self, names: Sequence[str], row: int) -> str:
        """Answer which of the segments wants an item most beyond everybody, "" for none."""
        at = int(np.searchsorted(self._rows, row))
        if at == len(self._rows) or self._rows[at] != row:
            return ""
        found = [(float(self._made[name].scores[at]), name) for name in names
                 if self._made[name].own[at]]  # fmt: skip
        return max(found, default=(0.0, ""))[1]
