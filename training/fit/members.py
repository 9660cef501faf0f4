"""How each member is learned: one visible line a member, with what is tried on validation.

Knows nothing of the blend or of what the candidates will be judged by.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from domain.clock import DAY_MS
from models.recommend.member import Member
from models.recommend.neighbours import Nearness
from models.recommend.popularity import Popularity
from training.fit.category import fit_category
from training.fit.content import fit_content
from training.fit.ease import fit_ease
from training.fit.factors import fit_factors
from training.fit.facts import ItemFacts
from training.fit.graph import fit_graph
from training.fit.graph_filter import fit_graph_filter
from training.fit.neighbours import fit_neighbours
from training.fit.repeats import fit_repeats
from training.fit.sequence import settings as transformer
from training.splits import Interactions


class Lesson(NamedTuple):
    """What a member is learned from: events before `as_of` (ms UTC), and how to go about it.

    items: what the catalogue says of the items, None when there is none to ask.
    """

    known: Interactions
    as_of: int
    repeats: bool
    seed: int
    threads: int
    items: ItemFacts | None = None


Params = dict[str, Any]


@dataclass(frozen=True)
class MemberFit:
    """How one member is learned.

    `start` are the first numbers, `tried` the candidates for each, tuned one after the other in
    this order. `free` are numbers that only serving uses: changing them needs no new learning.
    `reads_items`: whether it learns from what the catalogue says of items. `moving`: whether what
    it knows is of the moment, and learned in no time: before every lesson anew.
    """

    learn: Callable[[Lesson, Params], Member]
    start: Params
    tried: dict[str, tuple[Any, ...]]
    free: frozenset[str] = frozenset()
    only_repeats: bool = False
    reads_items: bool = False
    moving: bool = False


def _popularity(lesson: Lesson, params: Params) -> Member:
    known, half_life = lesson.known, params["half_life_days"]
    values = known.weights.astype(np.float64)
    if half_life is not None:
        values *= np.exp2(-np.maximum(lesson.as_of - known.ats, 0) / DAY_MS / half_life)
    return Popularity(np.bincount(known.items, values, known.n_items), half_life)


def _category(lesson: Lesson, params: Params) -> Member:
    return fit_category(lesson.known, lesson.items, lesson.as_of, params)


def _graph(lesson: Lesson, params: Params) -> Member:
    return fit_graph(lesson.known, lesson.as_of, {**params, "own": lesson.repeats}, lesson.threads)


def _ease(lesson: Lesson, params: Params) -> Member:
    return fit_ease(lesson.known, lesson.as_of, params, lesson.threads)


def _filter(lesson: Lesson, params: Params) -> Member:
    return fit_graph_filter(lesson.known, {**params, "own": lesson.repeats}, lesson.seed)


def _neighbours(lesson: Lesson, params: Params) -> Member:
    return fit_neighbours(lesson.known, lesson.as_of, params, float(lesson.repeats))


def _factors(lesson: Lesson, params: Params) -> Member:
    return fit_factors(lesson.known, params, lesson.seed, lesson.threads)


def _transformer(lesson: Lesson, params: Params) -> Member:
    # On demand: a fit without it needs no torch.
    from training.fit.sequence.fit import fit_transformer

    how = {"repeats": lesson.repeats, "seed": lesson.seed, "threads": lesson.threads}
    return fit_transformer(lesson.known, params, items=lesson.items, **how)


def _content(lesson: Lesson, params: Params) -> Member:
    return fit_content(lesson.known, lesson.items, lesson.as_of, params, lesson.seed)


def _repeats(lesson: Lesson, params: Params) -> Member:
    return fit_repeats(lesson.known, lesson.as_of, params, lesson.seed)


MEMBER_FITS: dict[str, MemberFit] = {
    "popularity": MemberFit(
        _popularity,
        {"half_life_days": None},
        {"half_life_days": (None, 360.0, 90.0, 30.0)},
        moving=True,
    ),
    "trend": MemberFit(
        _popularity,
        {"half_life_days": 14.0},
        {"half_life_days": (14.0, 7.0, 3.0, 1.0)},
        moving=True,
    ),
    "category": MemberFit(
        _category,
        {"half_life_days": 30.0, "power": 1.0, "edges": 400, "decay": 0.9},
        {
            "decay": (0.5, 0.8, 0.9, 0.98),
            "power": (1.0, 0.5),
            "half_life_days": (None, 30.0, 7.0, 3.0),
        },
        free=frozenset({"decay"}),
        moving=True,
    ),
    "graph": MemberFit(
        _graph,
        {
            "window": 10,
            "decay": 0.8,
            "reverse": 0.0,
            "row_power": 0.5,
            "column_power": 0.0,
            "half_life_days": None,
            "edges": 150,
        },
        {
            "decay": (0.5, 0.65, 0.8, 0.9, 0.95, 0.98, 1.0),
            "reverse": (0.0, 0.5, 1.0),
            "column_power": (0.0, 0.25, 0.5),
            "row_power": (0.5, 0.25, 0.75, 1.0),
            "window": (10, 3, 30),
            "half_life_days": (None, 180.0, 60.0),
        },
        free=frozenset({"decay"}),
    ),
    "factors": MemberFit(
        _factors,
        {
            "factors": 48,
            "iterations": 10,
            "regularisation": 10.0,
            "confidence": 10.0,
            "decay": 0.95,
        },
        {
            "decay": (0.6, 0.8, 0.9, 0.95, 0.98, 1.0),
            "regularisation": (10.0, 1.0, 30.0, 100.0),
            "confidence": (3.0, 10.0, 30.0),
        },
        free=frozenset({"decay"}),
    ),
    "ease": MemberFit(
        _ease,
        {
            "regularisation": 100.0,
            "both": 4.0,
            "fading": 0.8,
            "half_life_days": None,
            "sources": 100,
            "edges": 200,
            "own": False,
            "decay": 0.8,
        },
        {
            "decay": (0.5, 0.65, 0.8, 0.9, 0.95, 0.98, 1.0),
            "both": (4.0, 1.0, 12.0, 30.0),
            "regularisation": (100.0, 30.0, 300.0, 1000.0),
            "fading": (0.8, 0.65, 0.9),
        },
        free=frozenset({"decay"}),
    ),
    "filter": MemberFit(
        _filter,
        {"item_power": 0.5, "mix": 0.3, "factors": 64, "edges": 200, "decay": 0.8},
        {
            "decay": (0.5, 0.65, 0.8, 0.9, 0.95, 0.98, 1.0),
            "mix": (0.3, 0.0, 1.0),
            "item_power": (0.5, 0.3),
        },
        free=frozenset({"decay"}),
    ),
    "neighbours": MemberFit(
        _neighbours,
        {
            "gap_minutes": None,
            "longest": 200,
            "recent": 500,
            "neighbours": 100,
            "decay": 0.8,
            "rarity": 0.5,
            "near": 0.8,
            "reverse": 0.25,
            "half_life_days": None,
            "length_power": 0.5,
            "target_power": 0.25,
        },
        {
            "gap_minutes": (None, 30.0),
            "decay": (0.5, 0.65, 0.8, 0.9, 0.95, 1.0),
            "near": (0.6, 0.8, 0.9, 1.0),
            "reverse": (0.0, 0.25, 0.5, 1.0),
            "length_power": (0.0, 0.25, 0.5, 1.0),
            "target_power": (0.0, 0.25),
            "rarity": (0.0, 0.5, 1.0),
            "neighbours": (50, 100, 200, 500),
            "half_life_days": (None, 180.0, 30.0, 7.0),
        },
        free=frozenset({name for name in Nearness._fields if name != "own"}),
    ),
    "repeats": MemberFit(
        _repeats,
        {"horizon_days": 28.0, "lift": 3.0},
        {"horizon_days": (28.0, 7.0, 1.0, 0.0)},
        free=frozenset({"lift"}),
        only_repeats=True,
    ),
    "content": MemberFit(
        _content,
        {"dimensions": 64, "ridge": 5.0, "decay": 0.9, "trust": 0.3},
        {"decay": (0.65, 0.8, 0.9, 0.95, 1.0)},
        free=frozenset({"decay", "trust"}),
        reads_items=True,
    ),
    "transformer": MemberFit(
        _transformer,
        transformer.START,
        {"dropout": (0.4, 0.25), "days": (180.0, None)},
        free=frozenset({"days"}),
        reads_items=True,
    ),
}
"""Every member's fit by name, in the order of the blend. A new member adds its line here."""


class Learner:
    """Learns members from one lesson and keeps what it learned, so that tuning is not slow."""

    def __init__(self, lesson: Lesson) -> None:
        """Take the lesson."""
        self.lesson = lesson
        self._kept: dict[str, tuple[Params, Member]] = {}

    def member(self, name: str, params: Params) -> Member:
        """Answer the member learned with `params`; only the last of each name is kept."""
        how = MEMBER_FITS[name]
        bound = {key: value for key, value in params.items() if key not in how.free}
        kept = self._kept.get(name)
        if kept is None or kept[0] != bound:
            kept = (bound, how.learn(self.lesson, params))
            self._kept[name] = kept
        return varied(name, kept[1], params)


def varied(name: str, member: Member, params: Params) -> Member:
    """Answer the member with other numbers that only serving uses; nothing is learned."""
    free = {key: params[key] for key in MEMBER_FITS[name].free}
    return type(member).from_parts(member.arrays(), {**member.params(), **free})
