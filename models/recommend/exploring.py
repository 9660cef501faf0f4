"""Exploration: a few of the last places are filled to learn, each with a known probability.

A share of all places. Half of them go to new items, evenly, so that every new item that may be
shown has a fair chance until it was placed often enough; a quarter to what suits by content
alone; the rest to items that just missed the list, those least wanted so far first. Chance is an
argument; knows nothing of requests.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from domain.slates import Fallback, Slate, Source, Sources
from models.recommend.ask import Ask, Asker
from models.recommend.controls import NO_CONTROLS
from models.recommend.desk import Desk
from models.recommend.hearing import COUNTS_AS_SEEN
from models.recommend.lookup import Hashes, Indices
from models.recommend.suiting import proposals, suited

NEAR: Final = 10
"""Items after the last place that an exploration may fall on."""
NEW_SHARE: Final = 0.5
"""Share of the explorations that go to new items, where there are any."""
SUITING_SHARE: Final = 0.25
"""Share of them that go to what content proposes, where it proposes anything."""
MOST_SHARE: Final = 0.5
"""No more than half of an answer is explored."""
EXPLORED: Final = "explored"
_BRIEFLY: Final = Sources((Source(EXPLORED, 1.0),))
_TOLD: Final = Sources((Source(EXPLORED, 1.0, (), "Shown to learn how it is liked"),))
_MASK: Final = (1 << 64) - 1


class Dice:
    """Uniform numbers in [0, 1) from a seed: splitmix64 (Steele, Lea and Flood 2014)."""

    __slots__ = ("_state",)

    def __init__(self, seed: int) -> None:
        self._state = seed & _MASK

    def roll(self) -> float:
        """Answer the next number."""
        self._state = state = (self._state + 0x9E3779B97F4A7C15) & _MASK
        state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & _MASK
        return ((state ^ (state >> 31)) >> 11) / (1 << 53)


@dataclass(frozen=True, slots=True)
class Newcomers:
    """Items that the model has not learned and that were not placed often enough yet.

    rows: int32[f], their indices in one catalogue, ascending.
    """

    rows: Indices

    @classmethod
    def of(cls, known: int, hashes: Hashes, often: Hashes) -> "Newcomers":
        """Answer those of a catalogue whose first `known` items the model has learned.

        hashes: uint64 of all later ones, in order. often: of those placed often enough.
        """
        return cls((known + np.flatnonzero(~np.isin(hashes, often))).astype(np.int32))


_NO_ROWS: Final[Indices] = np.zeros(0, np.int32)
NO_NEWCOMERS: Final = Newcomers(_NO_ROWS)


class Question(NamedTuple):
    """What `models.recommend.policy.recommend` takes."""

    desk: Desk
    ask: Ask
    asker: Asker
    as_of: int


class Plan(NamedTuple):
    """How many of the last places to explore: `certain`, and one more with chance `odds`, which
    came true if `more`."""

    certain: int
    odds: float
    more: bool

    @property
    def count(self) -> int:
        """How many places are to be explored."""
        return self.certain + self.more


class Explored(NamedTuple):
    """An answer, which of its places (from 0) were filled to learn, and of every place the
    probability with which it was filled as it is, given the places explored below it."""

    slate: Slate
    places: tuple[int, ...]
    propensities: tuple[float, ...]


def planned(share: float, ask: Ask, dice: Dice) -> Plan:
    """Answer how many places of an answer to explore, `share` of them on average.

    The whole part of share · k is certain, the rest is drawn. Nothing for questions with
    controls: who steers an answer gets what was asked for.
    """
    wanted = min(max(share, 0.0), MOST_SHARE) * ask.k if ask.controls is NO_CONTROLS else 0.0
    certain = int(wanted)
    odds = wanted - certain
    return Plan(certain, odds, odds > 0.0 and dice.roll() < odds)


def room_for(plan: Plan, ask: Ask) -> int:
    """Answer how many more places to ask for, so that near misses are known; none where more
    places would make another list of the first ones. One tells whether there are any."""
    if ask.diversity > 0:
        return 0
    return NEAR if plan.count else int(plan.odds > 0.0)


def explore(
    question: Question, slate: Slate, newcomers: Newcomers, plan: Plan, dice: Dice
) -> Explored:
    """Fill the last places as planned; `slate` may be longer than ask.k by what `room_for` said.

    From the last place up, each without those drawn before: a new item with chance NEW_SHARE,
    all that may be shown alike; what suits by content with chance SUITING_SHARE, all proposals
    alike; else one that just missed the list, with a weight of 1 / (1 + its rank by popularity),
    the least popular first. The share of a kind of which nothing is left goes to the last one
    that has any. An answer of fewer places than were asked for is not explored.
    """
    desk, ask, k, size = question.desk, question.ask, question.ask.k, len(slate.ids)
    propensities = [1.0] * min(k, size)
    if size < k or not (plan.count or plan.odds):
        return Explored(_cut(slate, k), (), tuple(propensities))
    pools = _Pools(question, newcomers, slate, wanted=plan.count > 0)
    drawn: dict[int, tuple[int, int]] = {}
    for step in range(plan.count):
        shares = pools.shares()
        if shares is None:
            break
        place = k - 1 - step
        chance = 1.0 if step < plan.certain else plan.odds
        drawn[place], odds = pools.draw(shares, dice)
        propensities[place] = chance * odds
    if plan.odds and not plan.more and pools.shares() is not None:
        # It might have been explored; where nothing is left to explore with, it could not.
        propensities[k - 1 - plan.certain] = 1.0 - plan.odds
    if not drawn:
        return Explored(_cut(slate, k), (), tuple(propensities))
    return Explored(_placed(desk, ask, slate, drawn), tuple(sorted(drawn)), tuple(propensities))


class _Pools:
    """What one answer may be explored with: new items, what suits, near misses."""

    def __init__(
        self, question: Question, newcomers: Newcomers, slate: Slate, *, wanted: bool
    ) -> None:
        """`wanted`: whether anything is to be drawn; else it is enough to know that one could."""
        desk, ask, asker, as_of = question
        self._question, self._taken = question, slate.ids
        self._near = list(range(ask.k, len(slate.ids)))
        self._weights = _weights(desk, slate.ids[ask.k :]) if wanted else []
        look = wanted or not self._near
        self._fresh = _open(question, newcomers, slate.ids) if look else _NO_ROWS
        self._suits = suited(desk, ask, asker, as_of, len(slate.ids)) if look else None
        self._suiting: list[int] | None = None
        """What suits, once somebody drew of it: most answers do not."""

    def shares(self) -> tuple[float, float] | None:
        """Answer with what chance a new item and what suits are drawn; None when all is gone."""
        suits = self._suits is not None and (self._suiting is None or len(self._suiting) > 0)
        new, suiting = NEW_SHARE * (self._fresh.size > 0), SUITING_SHARE * suits
        if not self._near:
            if suits:
                suiting = 1.0 - new
            elif self._fresh.size:
                new = 1.0
            else:
                return None
        return new, suiting

    def draw(self, shares: tuple[float, float], dice: Dice) -> tuple[tuple[int, int], float]:
        """Answer what was drawn, a near miss's place or else a row, and with what chance."""
        (new, suiting), roll = shares, dice.roll()
        if roll < new:
            fresh, at = self._fresh, int(dice.roll() * self._fresh.size)
            self._fresh = np.delete(fresh, at)
            return (-1, int(fresh[at])), new / fresh.size
        if roll < new + suiting and self._suits is not None:
            rows = self._suiting
            if rows is None:
                desk, ask, asker, _ = self._question
                rows = proposals(desk, ask, asker, self._suits, self._taken).tolist()
                self._suiting = rows
            odds = suiting / len(rows)
            return (-1, rows.pop(int(dice.roll() * len(rows)))), odds
        weights = self._weights
        at = _draw(weights, dice.roll())
        odds = (1.0 - new - suiting) * weights[at] / sum(weights)
        del weights[at]
        return (self._near.pop(at), -1), odds


def _open(question: Question, newcomers: Newcomers, taken: Collection[str]) -> Indices:
    """Answer the new items that may be shown in this answer, as ascending catalogue rows."""
    desk, ask, asker, as_of = question
    rows, catalogue, chosen = newcomers.rows, desk.catalogue, ask.chosen
    if not rows.size or chosen.allow is not None or chosen.deny:
        return _NO_ROWS
    may = catalogue.live(as_of, chosen.available)[rows]
    choice = desk.masks.choose(chosen, ask.rules)
    if choice is not None:
        may &= choice.allowed[rows]
    rows = rows[may]
    out = [catalogue.index(name) for name in (*taken, ask.item) if name]
    if asker.items.size:
        seen = asker.items[COUNTS_AS_SEEN[asker.kinds]]
        out += catalogue.indices(seen).tolist()
    # There may be a hundred thousand: none is looked at one by one.
    unwanted = np.array(out, np.int32)
    at = np.searchsorted(rows, unwanted)
    there = at < rows.size
    at, unwanted = at[there], unwanted[there]
    return np.delete(rows, at[rows[at] == unwanted])


def _weights(desk: Desk, ids: Sequence[str]) -> list[float]:
    """Answer the weight of each item that just missed the list."""
    popular = desk.popular
    rows = [desk.catalogue.index(name) for name in ids]
    if popular is None:
        return [1.0] * len(rows)
    worth = [float(popular[row]) if 0 <= row < popular.size else -np.inf for row in rows]
    out = [0.0] * len(rows)
    for rank, at in enumerate(sorted(range(len(rows)), key=worth.__getitem__)):
        out[at] = 1.0 / (1.0 + rank)
    return out


def _draw(weights: Sequence[float], roll: float) -> int:
    left = roll * sum(weights)
    for at, weight in enumerate(weights):
        left -= weight
        if left < 0.0:
            return at
    return len(weights) - 1


def _cut(slate: Slate, k: int) -> Slate:
    """Answer the first k places of a slate; its mark is the last place's."""
    if len(slate.ids) <= k:
        return slate
    return slate._replace(
        ids=slate.ids[:k],
        scores=slate.scores[:k],
        sources=slate.sources[:k],
        marks=slate.marks[:k],
        listed=slate.listed[:k],
        fallback=slate.marks[k - 1],
    )


def _placed(desk: Desk, ask: Ask, slate: Slate, drawn: Mapping[int, tuple[int, int]]) -> Slate:
    """Answer the first ask.k places with what was drawn: by place, that of one that just missed
    or else a row of the catalogue. The mark is that of the last place that was not explored."""
    k, catalogue = ask.k, desk.catalogue
    ids, scores, marks = list(slate.ids[:k]), list(slate.scores[:k]), list(slate.marks[:k])
    sources, listed = list(slate.sources[:k]), list(slate.listed[:k])
    for place, (near, row) in drawn.items():
        sources[place] = _TOLD if ask.explain else _BRIEFLY
        if near >= 0:
            ids[place], scores[place] = slate.ids[near], slate.scores[near]
            marks[place], listed[place] = slate.marks[near], slate.listed[near]
        elif row >= catalogue.known:
            ids[place], scores[place] = catalogue.ids[row], float(catalogue.recency()[row])
            marks[place], listed[place] = Fallback.newest, bool(catalogue.listed[row])
        else:
            # The members together never came to it: it stands below all that they did.
            ids[place], scores[place] = catalogue.ids[row], slate.scores[-1]
            marks[place], listed[place] = Fallback.similar, bool(catalogue.listed[row])
    kept = [mark for place, mark in enumerate(marks) if place not in drawn]
    return slate._replace(
        ids=tuple(ids),
        scores=tuple(scores),
        sources=tuple(sources),
        marks=tuple(marks),
        listed=tuple(listed),
        fallback=kept[-1] if kept else marks[-1],
    )
