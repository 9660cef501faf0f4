"""Parting item vectors into cells, and telling how many of them a question must look through.

Lloyd's algorithm on a sample; then every item goes to the nearest centre. How many cells are
looked through is told by real questions: the fewest with which what is found holds enough of
what a pass over all items finds. Knows nothing of serving.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from models.recommend.cells import Cells
from models.recommend.member import Past
from models.recommend.model import RecommendModel
from models.recommend.narrow import DEFAULT_REACH
from models.recommend.products import Whole
from models.recommend.rounded import rounded, scale_for
from models.recommend.touched import Asking
from training.fit.settings import RecommendSettings
from training.splits import Interactions

PER_CELL = 384
"""Items of a cell on average: three blocks of the products' lanes."""
_SAMPLE = 48
"""Vectors drawn for each cell to place its centre by."""
_ROUNDS = 8
_CHUNK = 8_192
_LEAST = 4
_ASKED = 200
"""Users whose questions say how many cells must be looked through."""

Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Indexing:
    """From how many items on a model is indexed, and how well.

    recall: share of the best `most` of a pass over all items that a member must find.
    """

    least_items: int = 80_000
    recall: float = 0.985
    most: int = DEFAULT_REACH.proposed // 2
    seed: int = 20


def nearest_centres(vectors: Vectors, centres: Vectors) -> npt.NDArray[np.int64]:
    """Answer int[n], the centre nearest to each of float32[n, d]."""
    half = (centres * centres).sum(axis=1) / 2
    labels = np.empty(len(vectors), np.int64)
    for first in range(0, len(vectors), _CHUNK):
        part = slice(first, first + _CHUNK)
        np.argmax(vectors[part] @ centres.T - half, axis=1, out=labels[part])
    return labels


def centres_of(vectors: Vectors, count: int, seed: int) -> Vectors:
    """Answer float32[count, d] centres of float32[n, d], n at least `count` (Lloyd, 1982).

    An empty cell's centre goes to a vector drawn at random.
    """
    rng = np.random.default_rng(seed)
    size = min(len(vectors), _SAMPLE * count)
    sample = vectors[rng.choice(len(vectors), size, replace=False)]
    centres = sample[:count].copy()
    for _ in range(_ROUNDS):
        labels = nearest_centres(sample, centres)
        order = np.argsort(labels, kind="stable")
        held = np.bincount(labels, minlength=count)
        starts = np.cumsum(held) - held
        full = np.flatnonzero(held)
        sums = np.add.reduceat(sample[order], starts[full], axis=0)
        centres[full] = sums / held[full, None]
        empty = np.flatnonzero(held == 0)
        centres[empty] = sample[rng.integers(0, size, len(empty))]
    return centres


def part(vectors: Vectors, seed: int, per_cell: int = PER_CELL) -> Cells:
    """Part float32[n, d], d even, into cells of about so many; all are looked through so far."""
    count = max(1, len(vectors) // per_cell)
    centres = centres_of(vectors, count, seed)
    labels = nearest_centres(vectors, centres)
    squares = np.zeros(count)
    for first in range(0, len(vectors), _CHUNK):
        mine = slice(first, first + _CHUNK)
        apart = vectors[mine] - centres[labels[mine]]
        squares += np.bincount(labels[mine], (apart * apart).sum(axis=1), count)
    spreads = np.sqrt(squares / np.maximum(np.bincount(labels, minlength=count), 1))
    rows = rounded(vectors, scale_for(vectors))
    return Cells.of(rows, labels, (centres, spreads.astype(np.float32)))


def probes_for(cells: Cells, questions: Sequence[Whole], most: int, recall: float) -> int:
    """Answer the fewest cells that hold `recall` of the best `most`, over int16[d] questions.

    Among powers of two and their middles; all cells where nothing less will do.
    """
    every = len(cells)
    truth = [set(cells.nearest(one, most, every)[0].tolist()) for one in questions]
    probes, step = min(_LEAST, every), _LEAST
    while probes < every:
        kept = [
            len(held & set(cells.nearest(one, most, probes)[0].tolist())) / max(len(held), 1)
            for one, held in zip(questions, truth, strict=True)
        ]
        if np.mean(kept) >= recall:
            return probes
        step = probes // 2
        probes = min(every, probes + max(step, 1))
    return every


def indexed_beside(
    model: RecommendModel,
    full: Interactions,
    settings: RecommendSettings,
    step: Callable[[str], None],
) -> tuple[RecommendModel, dict[str, Any]]:
    """Answer the model of a fit with an index, where it has so many items, and what that cost.

    full: what it was learned from; histories of some of its users say how well it must be looked
    through.
    """
    numbers = Indexing(settings.index_items, settings.index_recall, seed=settings.seed)
    if len(model) < numbers.least_items:
        return model, {}
    rng = np.random.default_rng(settings.seed)
    count = len(full.offsets) - 1
    pasts: list[Past] = []
    for user in rng.choice(count, min(count, _ASKED), replace=False).tolist():
        first, end = int(full.offsets[user]), int(full.offsets[user + 1])
        mine = slice(max(first, end - settings.cap), end)
        as_of = int(full.ats[end - 1]) + 1
        pasts.append(model.past(full.items[mine], full.kinds[mine], full.ats[mine], as_of))
    with threadpool_limits(settings.threads, user_api="blas"):
        model, told = indexed(model, pasts, numbers, step)
    return model, {"index": told} if told else {}


def indexed(
    model: RecommendModel, pasts: Sequence[Past], settings: Indexing, step: Callable[[str], None]
) -> tuple[RecommendModel, dict[str, Any]]:
    """Answer a model with an index for its members that have item vectors, and what it took.

    pasts: histories whose questions say how many cells must be looked through. step: called as
    each member's index is done. A model of fewer items than are worth it is answered as it is.
    """
    told: dict[str, Any] = {}
    if len(model) < settings.least_items:
        return model, told
    index: dict[str, Cells] = {}
    for name, member in zip(model.members, model.scorers, strict=True):
        if not isinstance(member, Asking):
            continue
        since = time.monotonic()
        cells = part(member.told_by[0], settings.seed)
        asked = [one.vector for one in map(member.asked, pasts) if one.scale > 0]
        if asked:
            cells.probes = probes_for(cells, asked, settings.most, settings.recall)
        index[name] = cells
        seconds = round(time.monotonic() - since, 1)
        told[name] = {"cells": len(cells), "probes": cells.probes, "seconds": seconds}
        step(f"index {name}")
    return replace(model, index=index), told
