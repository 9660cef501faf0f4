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
from training.fit.budget import Budget
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


class Grower:
    """Grows forests on queries; weights: float64[q], what a query counts, 0: it is only judged."""

    def __init__(
        self, queries: Queries, weights: F64, settings: RankerSettings, seed: int, threads: int
    ) -> None:
        """Take the queries; bins are made of those that count."""
        self.queries, self.settings, self.seed, self.threads = queries, settings, seed, threads
        self._own = weights > 0
        rows = np.repeat(self._own, queries.sizes)
        self._place = np.cumsum(rows) - 1
        self._bins = {"max_bin": settings.bins, "verbosity": -1, "num_threads": threads}
        even = bool((weights[self._own] == 1).all())
        self._data = lgb.Dataset(
            queries.rows[rows],
            queries.gains[rows],
            # LightGBM weighs rows: the same for all of a query, so that its pairs weigh it.
            weight=None if even else np.repeat(weights, queries.sizes)[rows],
            group=queries.sizes[self._own],
            params=self._bins,
            free_raw_data=False,
        ).construct()

    def grow(
        self,
        trees: int,
        without: npt.NDArray[np.bool_] | None = None,
        budget: Budget | None = None,
    ) -> lgb.Booster:
        """Grow a forest on all queries that count, or on all but bool[q] `without`.

        It has fewer trees where the budget ends before, at least one.
        """
        settings, data = self.settings, self._data
        if without is not None:
            rows = np.repeat(self._own & ~without, self.queries.sizes)
            data = data.subset(self._place[rows].tolist(), self._bins)
        params: dict[str, Any] = {
            "objective": "lambdarank",
            "metric": "None",
            "lambdarank_truncation_level": settings.truncation,
            "num_leaves": settings.leaves,
            "learning_rate": settings.rate,
            "min_data_in_leaf": settings.least_rows,
            "lambda_l2": settings.ridge,
            "feature_fraction": settings.columns,
            "num_threads": self.threads,
            "seed": self.seed,
            "deterministic": True,
            "force_row_wise": True,
            "verbosity": -1,
        }

        def stop(env: Any) -> None:
            if budget is not None and budget.left() <= 0:
                raise lgb.callback.EarlyStopException(env.iteration, [])

        return lgb.train(params, data, trees, callbacks=[stop])

    def forest(self, trees: int, budget: Budget | None = None) -> Forest:
        """Grow a forest on all queries that count, as it is served; see `grow`."""
        return forest_from_dump(self.grow(trees, budget=budget).dump_model())

    def judged(
        self, booster: lgb.Booster, asked: npt.NDArray[np.bool_], ends: Sequence[int]
    ) -> F64:
        """Answer float64[ends, queries asked]: NDCG by the first so many trees, ends ascending."""
        queries = self.queries
        rows = np.repeat(asked, queries.sizes)
        part = Queries(
            queries.rows[rows],
            queries.sizes[asked],
            queries.gains[rows],
            queries.users[asked],
            queries.cases[asked],
            queries.targets[asked],
        )
        found, worth, first = np.zeros((len(ends), int(asked.sum()))), np.zeros(len(part.gains)), 0
        for place, end in enumerate(ends):
            more = booster.predict(
                part.rows, start_iteration=first, num_iteration=end - first, raw_score=True
            )
            worth += np.asarray(more)
            found[place], first = ndcg_of(part, worth), end
        return found


def _partners(parts: Sequence[int]) -> list[tuple[int, int]]:
    """Pair the folds up; the last of an odd number goes with the first."""
    pairs = list(zip(parts[::2], parts[1::2], strict=False))
    return pairs if len(parts) % 2 == 0 else [*pairs, (parts[-1], parts[0])]


class Lengths(NamedTuple):
    """How many trees: by fold, of the forest that is judged on it; whole, of one grown on all."""

    by_fold: dict[int, int]
    whole: int


def lengths_of(
    grower: Grower,
    folds: I64,
    weights: F64,
    step: Callable[[str], None],
    budget: Budget | None = None,
) -> Lengths:
    """Answer how many trees to grow; no fold has a say in how many are judged on it.

    A forest grown without two folds is stopped for one of them where it does best on the other.
    The whole is stopped where all of those do best together. 0 where the budget, of which as
    much is left for each forest to come, has no time for as many as `every`.
    """
    settings, budget = grower.settings, budget or Budget()
    parts = np.unique(folds).tolist()
    # Without two of only two folds nothing would be left to learn from.
    pairs = _partners(parts) if len(parts) > 2 else []
    found = dict.fromkeys(parts, settings.trees)
    sums = np.zeros(settings.trees // settings.every)
    for place, (one, other) in enumerate(pairs):
        own = budget.share(1 / (len(pairs) - place + len(parts) + 1))
        booster = grower.grow(settings.trees, np.isin(folds, (one, other)), own)
        ends = range(settings.every, booster.current_iteration() + 1, settings.every)
        sums = sums[: len(ends)]
        for mine, told in ((one, other), (other, one)):
            asked = (folds == told) & (weights > 0)
            values = grower.judged(booster, asked, ends) @ weights[asked]
            # The last of an odd number borrows the first, which has a partner already.
            if mine == one or mine != parts[0]:
                found[mine] = ends[int(values.argmax())] if len(ends) else 0
            sums = sums + values[: len(sums)]
        step(f"length of the ranker, parts {one + 1} and {other + 1}")
    if not pairs:
        return Lengths(found, settings.trees)
    return Lengths(found, (int(sums.argmax()) + 1) * settings.every if len(sums) else 0)


def judge_ranker(
    grower: Grower,
    folds: I64,
    weights: F64,
    step: Callable[[str], None] = lambda _: None,
    budget: Budget | None = None,
) -> tuple[int, F64]:
    """Answer how many trees to grow, and float64[q]: NDCG of each query out of fold.

    folds: int64[q], which are judged together. Neither a forest nor its length has seen the
    fold it is judged on. No trees where the budget has no time for as many as `every`.
    """
    budget = budget or Budget()
    lengths, found = lengths_of(grower, folds, weights, step, budget), np.zeros(len(folds))
    for place, (fold, trees) in enumerate(lengths.by_fold.items()):
        if not (trees and lengths.whole):
            return 0, found
        mine = folds == fold
        own = budget.share(1 / (len(lengths.by_fold) - place + 1))
        booster = grower.grow(trees, mine, own)
        found[mine] = grower.judged(booster, mine, [booster.current_iteration()])[0]
        step(f"ranker, part {fold + 1}")
    return lengths.whole, found


def learn_ranker(
    queries: Queries,
    folds: I64,
    settings: RankerSettings,
    *,
    weights: F64 | None = None,
    seed: int = 0,
    threads: int = 1,
    step: Callable[[str], None] = lambda _: None,
    budget: Budget | None = None,
) -> Ranked | None:
    """Learn the forest from all queries; int64[q] `folds` say which are judged together.

    weights: float64[q], what each counts, 0: it is only judged; None: all count alike. None where
    the budget has time for fewer trees than `every`.
    """
    weights = np.ones(len(folds)) if weights is None else weights
    grower = Grower(queries, weights, settings, seed, threads)
    trees, found = judge_ranker(grower, folds, weights, step, budget)
    if trees < min(settings.every, settings.trees):
        return None
    forest = grower.forest(trees, budget)
    step("ranker")
    # Fewer than were judged would be another ranker.
    return Ranked(forest, trees, found) if 2 * len(forest) > trees else None
