"""Learning the ranker: LambdaRank on candidates of held-out events, judged out of fold.

A query is a case that one of the members' candidates answers; members have learned strictly
before it. Cases whose targets are not among the candidates teach nothing and score what they
score. Folds part the users (Burges, From RankNet to LambdaRank to LambdaMART, 2010). Knows
nothing of the blend but its candidates.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import lightgbm as lgb
import numpy as np
import numpy.typing as npt

from domain.clock import DAY_MS
from models.forest import Forest, forest_from_dump
from models.recommend.candidates import ITEM, columns_of, features, scene_of
from models.recommend.model import RecommendModel
from models.recommend.topk import top_k
from training.fit.settings import RankerSettings
from training.fit.shortlists import K, each_case
from training.splits import Cases, Interactions

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]


class Queries(NamedTuple):
    """q queries; rows: float32[r, f] of all candidates, sizes: int64[q] of each.

    gains: uint8[r], 1 for a target. users: int64[q]. cases: int64[q], which case it is.
    targets: int64[q], how many targets the case has, among the candidates or not. A query's
    candidates come best of the blend first.
    """

    rows: F32
    sizes: I64
    gains: npt.NDArray[np.uint8]
    users: I64
    cases: I64
    targets: I64


def item_facts(known: Interactions, as_of: int) -> F32:
    """Answer float32[n, len(ITEM)]: what is known of each item as of `as_of` (ms UTC).

    How wanted: the logarithm of one plus its events' weight. How much more of late: the share of
    the last tenth of the events over its share of all, as a logarithm. Age and days since the
    last event, as logarithms of one plus; not-a-number for an item without events.
    """
    n = known.n_items
    out = np.full((n, len(ITEM)), np.nan, np.float32)
    count = np.bincount(known.items, known.weights, n)
    out[:, 0] = np.log1p(count)
    if not len(known.ats):
        return out
    late = known.ats >= np.quantile(known.ats, 0.9)
    of_late = np.bincount(known.items[late], known.weights[late], n)
    usual = count * of_late.sum() / max(count.sum(), 1e-12)
    out[:, 1] = np.log((of_late + 1) / (usual + 1))
    first = np.full(n, np.iinfo(np.int64).max)
    last = np.full(n, np.iinfo(np.int64).min)
    np.minimum.at(first, known.items, known.ats)
    np.maximum.at(last, known.items, known.ats)
    met = np.bincount(known.items, minlength=n) > 0
    out[met, 2] = np.log1p(np.maximum(as_of - first[met], 0) / DAY_MS)
    out[met, 3] = np.log1p(np.maximum(as_of - last[met], 0) / DAY_MS)
    return out


def queries_of(
    model: RecommendModel,
    facts: F32,
    full: Interactions,
    cases: Cases,
    most: int,
    threads: int,
) -> Queries:
    """Answer the queries of the cases that have a target among their candidates.

    model: members learned before the cases, with the blend whose candidates are ranked.
    """
    n = len(model)
    found: list[tuple[F32, npt.NDArray[np.uint8]] | None] = [None] * len(cases)

    def one(case: int) -> None:
        mine = slice(int(cases.starts[case]), int(cases.ends[case]))
        items, as_of = full.items[mine], int(cases.as_of[case])
        past = model.past(items, full.kinds[mine], full.ats[mine], as_of)
        scored = model.blended(past)
        allowed = np.ones(n, np.bool_)
        if not model.repeats:
            allowed[items] = False
        chosen = top_k(scored.total, most, allowed)
        targets = cases.targets[cases.target_offsets[case] : cases.target_offsets[case + 1]]
        gains = np.isin(chosen, targets)
        if gains.any():
            rows = features(chosen, past, scored, facts, scene_of(as_of))
            found[case] = rows.astype(np.float32), gains.astype(np.uint8)

    each_case(len(cases), threads, one)
    kept = np.array([case for case, one in enumerate(found) if one is not None], np.int64)
    pairs = [one for one in found if one is not None]
    width = len(columns_of(model.voices))
    return Queries(
        np.concatenate([np.zeros((0, width), np.float32), *(rows for rows, _ in pairs)]),
        np.array([len(gains) for _, gains in pairs], np.int64),
        np.concatenate([np.zeros(0, np.uint8), *(gains for _, gains in pairs)]),
        cases.users[kept],
        kept,
        np.diff(cases.target_offsets)[kept],
    )


def merged(parts: Sequence[Queries]) -> Queries:
    """Answer the queries of all parts, one after the other."""
    return parts[0] if len(parts) == 1 else Queries(*map(np.concatenate, zip(*parts, strict=True)))


def ndcg_of(queries: Queries, worth: F64) -> F64:
    """Answer float64[q]: NDCG at K of the candidates by worth, ties in the blend's order."""
    out = np.zeros(len(queries.sizes))
    discounts = 1 / np.log2(np.arange(K) + 2)
    ends = np.cumsum(queries.sizes)
    for q, (size, end) in enumerate(zip(queries.sizes.tolist(), ends.tolist(), strict=True)):
        order = np.argsort(-worth[end - size : end], kind="stable")[:K]
        gains = queries.gains[end - size : end][order]
        out[q] = gains @ discounts[: len(gains)]
        out[q] /= discounts[: min(K, int(queries.targets[q]))].sum()
    return out


@dataclass(frozen=True)
class Ranked:
    """A learned forest, and out of fold float64[q]: NDCG at K of each query it was not shown."""

    forest: Forest
    trees: int
    out_of_fold: F64


def _boost(
    data: lgb.Dataset, settings: RankerSettings, count: int, seed: int, threads: int
) -> lgb.Booster:
    params: dict[str, Any] = {
        "objective": "lambdarank",
        "metric": "None",
        "lambdarank_truncation_level": settings.truncation,
        "num_leaves": settings.leaves,
        "learning_rate": settings.rate,
        "min_data_in_leaf": settings.least_rows,
        "lambda_l2": settings.ridge,
        "feature_fraction": settings.columns,
        "num_threads": threads,
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
        "verbosity": -1,
    }
    return lgb.train(params, data, count)


def learn_ranker(
    queries: Queries,
    folds: I64,
    settings: RankerSettings,
    *,
    seed: int = 0,
    threads: int = 1,
    step: Callable[[str], None] = lambda _: None,
) -> Ranked:
    """Learn the forest from all queries; int64[q] `folds` say which are judged together.

    How many trees is what does best on average over the queries out of fold.
    """
    params = {"max_bin": settings.bins, "verbosity": -1, "num_threads": threads}
    data = lgb.Dataset(
        queries.rows, queries.gains, group=queries.sizes, params=params, free_raw_data=False
    ).construct()
    grid = range(settings.every, settings.trees + 1, settings.every)
    found = np.zeros((len(grid), len(queries.sizes)))
    for fold in np.unique(folds):
        judged = folds == fold
        rows = np.repeat(judged, queries.sizes)
        own = data.subset(np.flatnonzero(~rows).tolist(), params)
        booster = _boost(own, settings, settings.trees, seed, threads)
        asked, worth = queries.rows[rows], np.zeros(int(rows.sum()))
        part = Queries(
            asked[:, :0],
            queries.sizes[judged],
            queries.gains[rows],
            queries.users[judged],
            queries.cases[judged],
            queries.targets[judged],
        )
        for place, first in enumerate(range(0, settings.trees, settings.every)):
            more = booster.predict(
                asked, start_iteration=first, num_iteration=settings.every, raw_score=True
            )
            worth += np.asarray(more)
            found[place, judged] = ndcg_of(part, worth)
        step(f"ranker, part {int(fold) + 1}")
    best = int(found.mean(axis=1).argmax())
    trees = grid[best]
    whole = _boost(data, settings, trees, seed, threads)
    step("ranker")
    return Ranked(forest_from_dump(whole.dump_model()), trees, found[best])
