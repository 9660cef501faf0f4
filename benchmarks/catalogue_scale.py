"""The `catalogue-scale` benchmark: what an answer costs over 300,000 and a million items.

The model released on the Beauty log, its items copied (see catalogue_copies); the whole answer,
`policy.recommend`, k=20, for users of the log, one after another, on one core: with the index and
by a pass over all items. recall_at_50: the share of the 50 best of the pass over all that the
index finds too, the same ranker behind both. Thread time, medians; --catalogue for one size.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks.beauty import Beauty, beauty_home
from benchmarks.catalogue_copies import SEED, copied
from benchmarks.harness import Arguments, Bar, Outcome, at_least
from benchmarks.servers import cores, pinned
from domain.clock import DAY_MS
from domain.errors import TooLittleData
from domain.events import Kind
from models.bundle import current_bundle, open_bundle
from models.recommend.ask import Ask, Asker, Origin
from models.recommend.catalogue import Catalogue
from models.recommend.desk import Desk
from models.recommend.member import Past
from models.recommend.model import RecommendModel
from models.recommend.policy import recommend
from training.fit.cells import Indexing, indexed

SIZES = (300_000, 1_000_000)
USERS = 200
LEARNED_FROM = 200
"""Histories that say how many cells are looked through; others than those that are timed."""
Histories = Sequence[Sequence[str]]
AS_OF = 1_760_000_000_000
LEAST_RECALL, LEAST_SPEEDUP = 0.98, 2.0


def askers(model: RecommendModel, histories: Histories, seed: int) -> list[Asker]:
    """Answer who has had these items, each history in one copy of the items drawn at random."""
    rng = np.random.default_rng(seed)
    number = {item: place for place, item in enumerate(model.items)}
    copies = 1 + max(int(item.rpartition("-")[2]) for item in model.items[-1:])
    found: list[Asker] = []
    for history in histories:
        copy = int(rng.integers(copies))
        rows = [number[f"{item}-{copy}"] for item in history if f"{item}-{copy}" in number]
        ats = AS_OF - DAY_MS * np.arange(len(rows), 0, -1)
        kinds = np.full(len(rows), Kind.purchase, np.uint8)
        found.append(Asker(Origin.user, model.hashes[rows], kinds, ats))
    return found


def pasts(model: RecommendModel, who: Sequence[Asker]) -> list[Past]:
    """Answer what the model listens to of each history."""
    return [model.past(model.index_of(one.items), one.kinds, one.ats, AS_OF) for one in who]


def median_us(answer: Callable[[Any], object], questions: Sequence[Any]) -> float:
    """Answer the median thread time of one call, in microseconds; the first is not counted."""
    answer(questions[0])
    took: list[int] = []
    for question in questions:
        since = time.thread_time_ns()
        answer(question)
        took.append(time.thread_time_ns() - since)
    return float(np.median(took)) / 1000


def recall(desk: Desk, oracle: Desk, who: Sequence[Asker]) -> float:
    """Answer the mean share of the oracle's 50 best that the other desk answers too."""
    ask = Ask(k=50)
    kept = [
        len(set(recommend(desk, ask, one, AS_OF).ids) & set(recommend(oracle, ask, one, AS_OF).ids))
        for one in who
    ]
    return float(np.mean(kept)) / 50


def measure(
    model: RecommendModel, histories: Sequence[Sequence[str]], items: int
) -> dict[str, float]:
    """Answer the figures for at least so many items."""
    large = copied(model, items)
    learned = askers(large, histories[:LEARNED_FROM], 1)
    timed = askers(large, histories[LEARNED_FROM : LEARNED_FROM + USERS], 2)
    since = time.thread_time()
    found, told = indexed(large, pasts(large, learned), Indexing(least_items=1), _quietly)
    build = time.thread_time() - since
    catalogue = Catalogue(large.items, large.hashes)
    narrow, whole = Desk(catalogue, found), Desk(catalogue, large)
    ask = Ask(k=20)
    figures = {
        "items": float(len(large)),
        "index_us": median_us(lambda one: recommend(narrow, ask, one, AS_OF), timed),
        "exact_us": median_us(lambda one: recommend(whole, ask, one, AS_OF), timed[: USERS // 4]),
        "recall_at_50": recall(narrow, whole, timed[: USERS // 2]),
        "index_mb": sum(a.nbytes for c in found.index.values() for a in c.arrays().values()) / 1e6,
        "build_seconds": build,
        "probes": float(max(one["probes"] for one in told.values())),
    }
    figures["speedup"] = figures["exact_us"] / figures["index_us"]
    return figures


def _quietly(what: str) -> None:
    """Show nothing."""


def released(beauty: Beauty) -> RecommendModel:
    """Open the model that was released in a filled home; raises TooLittleData without one."""
    path = current_bundle(beauty.home / "bundles", "recommend")
    if path is None:
        raise TooLittleData("no recommender was released: there is nothing to measure")
    return RecommendModel.from_bundle(open_bundle(path))


def bars(sizes: Sequence[int], figures: dict[str, float]) -> list[Bar]:
    """Answer what must hold for each size."""
    found: list[Bar] = []
    for size in sizes:
        found.append(at_least(f"recall_at_50_of_{size}", figures, LEAST_RECALL))
        found.append(at_least(f"speedup_of_{size}", figures, LEAST_SPEEDUP))
    return found


def run(arguments: Arguments) -> Outcome:
    """Measure every size; raises TooLittleData without the log or a model of it."""
    sizes = (arguments.catalogue,) if arguments.catalogue else SIZES
    figures: dict[str, float] = {}
    with beauty_home(replace(arguments, catalogue=0)) as beauty:
        model = released(beauty)
        rng = np.random.default_rng(SEED)
        histories = [beauty.histories[user] for user in sorted(beauty.users)]
        histories = [histories[place] for place in rng.permutation(len(histories))]
        with pinned(cores()[0]):
            for size in sizes:
                told = measure(model, histories, size)
                figures |= {f"{name}_of_{size}": value for name, value in told.items()}
    notes = [
        "the model released on the Beauty log, its items copied with noise: synthetic, for cost "
        "and for what the index finds, not for quality",
        "the whole answer without HTTP and store, k=20, one core, medians of thread time; recall "
        "against the same answer by a pass over all items",
    ]
    return Outcome(figures, bars(sizes, figures), notes)
