"""What logged answers say to a ranker: queries, beside those of held-out events.

A query is one thing taken and what was shown beside it and left. Members have learned strictly
before it, the history is that of the moment, what is taken where is known from before, and a
query counts by the chance that its place was examined. Knows nothing of what is learned.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from feature_store.history import History
from models.recommend.candidates import columns_of, features, scene_of
from models.recommend.model import RecommendModel
from models.recommend.scenery import KINDS, Scenery
from models.recommend.topk import top_k
from training.fit.answers import Answers, Pasts
from training.fit.examination import Examination, learn_examination
from training.fit.lambdarank import F32, F64, I64, Queries
from training.fit.scenes import Names, Taken, names_of, scenery_of, taken_of
from training.fit.settings import RankerSettings
from training.fit.shortlists import each_case

CHUNK = 1_000
MOST_TAKEN = 10
"""Queries of one answer."""
BLOCKS = 10
"""Parts in time; what items are taken where is known up to the begin of an answer's own part."""


class Told(NamedTuple):
    """Queries of answers in order of time: worth: float64[q], what each counts by its place, 1
    on average. folds, users: int64[q]."""

    queries: Queries
    worth: F64
    folds: I64


@dataclass(frozen=True)
class Answered:
    """The logged answers of a fit, and what is known from them.

    pasts: histories of the moment. taken: what scenes are learned from. names: devices and
    pages with a column. users: int64 of the number, among those of the interactions, of each of
    History.entities, -1 none. until: ms UTC; answers from then on are no queries.
    """

    answers: Answers
    pasts: Pasts
    taken: Taken
    names: Names
    examination: Examination
    users: I64
    until: int

    def scenery(self, at: int) -> Scenery:
        """Answer the scenery as it could be known at `at` (ms UTC)."""
        return scenery_of(self.taken, self.names, at)


def answered_of(
    answers: Answers,
    history: History,
    hashes: npt.NDArray[np.uint64],
    users: Sequence[str],
    until: int,
) -> Answered:
    """Answer what logged answers say of the items with hashes uint64[n].

    users: the entity of each user of the interactions. until: ms UTC; names of scenes,
    examination and queries rest on what had come by then. Later answers say no more than how
    items are taken where, in the model that is released.
    """
    pasts = Pasts(history, answers, hashes)
    until -= answers.window_ms
    early = answers.before(until)
    examination = learn_examination(early)
    taken = taken_of(answers, pasts.numbers(answers.items), examination, len(hashes))
    number = {name: place for place, name in enumerate(users)}
    owned = np.array([number.get(name, -1) for name in history.entities], np.int64)
    return Answered(answers, pasts, taken, names_of(early), examination, owned, until)


class Lesson(NamedTuple):
    """Members learned before `since` (ms UTC) and what was then known of items; answers from
    there up to `until` are asked of them."""

    model: RecommendModel
    facts: F32
    since: int
    until: int


def queries_told(
    found: Answered,
    lessons: Sequence[Lesson],
    folds: I64,
    settings: RankerSettings,
    threads: int,
) -> Told:
    """Answer the queries of all lessons' answers, the latest: at most settings.queries answers,
    and about as many rows as so many held-out queries have.

    A row has the columns of `ranked_columns`; candidates that were not shown lend their places
    to the columns and are not in the query. folds: int64[u], of the interactions' users;
    whoever has no interaction has one by number.
    """
    answers, owners = found.answers, found.answers.owners
    numbers = found.taken.numbers
    usable = np.bincount(owners[answers.taken & (numbers >= 0)], minlength=len(answers)) > 0
    usable &= answers.plain & (answers.entities >= 0)
    chosen: list[tuple[int, Lesson]] = []
    for lesson in lessons:
        until = min(lesson.until, found.until)
        inside = usable & (answers.ats >= lesson.since) & (answers.ats < until)
        chosen += [(one, lesson) for one in np.flatnonzero(inside).tolist()]
    chosen = sorted(chosen, key=lambda one: one[0])[-settings.queries :]
    starts = [part[0] for part in np.array_split(np.arange(len(chosen)), BLOCKS) if len(part)]
    begun = [int(answers.ats[chosen[start][0]]) for start in starts]
    sceneries = [found.scenery(at) for at in begun]
    parts: list[list[tuple[F32, int, int]]] = [[] for _ in chosen]

    def one(place: int) -> None:
        answer, lesson = chosen[place]
        block = int(np.searchsorted(starts, place, "right")) - 1
        parts[place] = _rows_of(found, answer, lesson, sceneries[block], settings.most)

    room, rest = settings.queries * settings.most, len(chosen)
    while rest and room > 0:
        first = max(0, rest - CHUNK)
        each_case(rest - first, threads, lambda place, first=first: one(first + place))
        room -= sum(len(rows) for part in parts[first:rest] for rows, _, _ in part)
        rest = first
    people = answers.people[np.array([answer for answer, _ in chosen], np.int64)]
    width = len(columns_of(lessons[0].model.voices)) + len(KINDS) + sum(map(len, found.names))
    told = _told(found, parts, people, width)
    users = found.users[told.queries.users]
    count = settings.folds
    return told._replace(folds=np.where(users >= 0, folds[users], told.queries.users % count))


def _rows_of(
    found: Answered, answer: int, lesson: Lesson, scenery: Scenery, most: int
) -> list[tuple[F32, int, int]]:
    """Answer of each thing taken (rows, its place among them, its place in the answer)."""
    answers, model = found.answers, lesson.model
    items, kinds, ats = found.pasts.of(answer)
    as_of = int(answers.as_ofs[answer])
    past = model.past(items, kinds, ats, as_of)
    mine = slice(int(answers.offsets[answer]), int(answers.offsets[answer + 1]))
    shown, taken = found.taken.numbers[mine], answers.taken[mine]
    places = np.flatnonzero(shown >= 0)[:most]
    shown, taken = shown[places], taken[places]
    if not past.indices.size or not taken.any() or taken.all():
        return []
    scored = model.blended(past)
    allowed = np.ones(len(model), np.bool_)
    if not model.repeats:
        allowed[items[items >= 0]] = False
    # As when serving: places are counted among all candidates, whatever was shown of them.
    best = top_k(scored.total, most, allowed)
    union = np.concatenate([shown, best[~np.isin(best, shown)]]).astype(np.int32)
    scene = scene_of(as_of, answers.devices[answer], answers.pages[answer])
    rows = np.hstack(
        [features(union, past, scored, lesson.facts, scene), scenery.tell(union, scene)]
    )[: len(shown)].astype(np.float32)
    order = np.argsort(-scored.total[shown], kind="stable")
    told: list[tuple[F32, int, int]] = []
    for hit in np.flatnonzero(taken).tolist()[:MOST_TAKEN]:
        # What else was taken is neither better nor worse than this.
        kept = order[(order == hit) | ~taken[order]]
        told.append((rows[kept], int(np.flatnonzero(kept == hit)[0]), int(places[hit])))
    return told


def _told(
    found: Answered, parts: Sequence[list[tuple[F32, int, int]]], people: I64, width: int
) -> Told:
    flat = [(who, one) for who, part in zip(people.tolist(), parts, strict=True) for one in part]
    sizes = np.array([len(rows) for _, (rows, _, _) in flat], np.int64)
    gains = np.zeros(int(sizes.sum()), np.uint8)
    gains[np.cumsum(sizes) - sizes + np.array([hit for _, (_, hit, _) in flat], np.int64)] = 1
    worth = found.examination.worth(np.array([place for _, (_, _, place) in flat], np.int64))
    queries = Queries(
        np.concatenate([np.zeros((0, width), np.float32), *(rows for _, (rows, _, _) in flat)]),
        sizes,
        gains,
        np.array([who for who, _ in flat], np.int64),
        np.arange(len(flat)),
        np.ones(len(flat), np.int64),
    )
    return Told(queries, worth / max(worth.mean(), 1e-12) if len(flat) else worth, sizes)
