"""Exact full ranking: every item is scored for every case by the code that serves.

Several weightings of the same members are ranked in one pass over the cases. Knows nothing of
where cases come from or of how members were learned.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
from numba import njit

from models.recommend.blend import standard_parts
from models.recommend.candidates import scene_of
from models.recommend.model import RecommendModel
from models.recommend.topk import select, top_k
from training.metrics import per_case
from training.splits import Cases, Interactions

Lists = npt.NDArray[np.int32]
Weights = npt.NDArray[np.float32]
BLEND = "blend"
"""Among contenders: what the model answers, with its ranker if it has one."""


@njit(cache=True, nogil=True, error_model="numpy")
def _rank(
    parts: np.ndarray, weights: np.ndarray, seen: np.ndarray, allowed: np.ndarray, out: np.ndarray
) -> None:
    """Write to int32[g, k] the best items under each row of `weights`, none of them in `seen`."""
    n = parts.shape[1]
    total = np.empty(n, np.float32)
    for j in range(seen.shape[0]):
        allowed[seen[j]] = False
    for g in range(weights.shape[0]):
        total[:] = 0.0
        for m in range(parts.shape[0]):
            weight, row = weights[g, m], parts[m]
            if weight != 0.0:
                for i in range(n):
                    total[i] += weight * row[i]
        select(total, allowed, out[g])
    for j in range(seen.shape[0]):
        allowed[seen[j]] = True


def rank(
    model: RecommendModel,
    weights: Weights,
    full: Interactions,
    cases: Cases,
    k: int,
    threads: int = 2,
) -> Lists:
    """Answer int32[g, c, k]: the k best items of every case under each of g weightings.

    weights: float32[g, m] in the order of `model.members`. Items of a case's history are left
    out unless the model allows repeats. -1 where fewer than k items are left.
    """
    n = len(model)
    out = np.full((len(weights), len(cases), k), -1, np.int32)
    needed = weights.max(axis=0)

    def some(places: npt.NDArray[np.int64]) -> None:
        allowed = np.ones(n, np.bool_)
        best = np.empty((len(weights), min(k, n)), np.int32)
        for case in places:
            mine = slice(int(cases.starts[case]), int(cases.ends[case]))
            items = full.items[mine]
            past = model.past(items, full.kinds[mine], full.ats[mine], int(cases.as_of[case]))
            parts = standard_parts(model.scorers, needed, past, n)
            best[:] = -1
            _rank(parts, weights, items[:0] if model.repeats else items, allowed, best)
            out[:, case, : best.shape[1]] = best

    chunks = np.array_split(np.arange(len(cases)), max(1, min(threads, len(cases))))
    with ThreadPoolExecutor(len(chunks)) as pool:
        list(pool.map(some, chunks))
    return out


def served(
    model: RecommendModel, full: Interactions, cases: Cases, k: int, threads: int = 2
) -> Lists:
    """Answer int32[c, k]: the k best items of every case as they would be answered, ranker and all.

    Items of a case's history are left out unless the model allows repeats. -1 as in `rank`.
    """
    out = np.full((len(cases), k), -1, np.int32)

    def some(places: npt.NDArray[np.int64]) -> None:
        allowed = np.ones(len(model), np.bool_)
        for case in places.tolist():
            mine, as_of = slice(int(cases.starts[case]), int(cases.ends[case])), cases.as_of[case]
            items = full.items[mine]
            past = model.past(items, full.kinds[mine], full.ats[mine], int(as_of))
            allowed[items] = model.repeats
            scored = model.score_past(past, allowed, scene_of(int(as_of)))
            best = top_k(scored.total, k, allowed)
            out[case, : len(best)] = best
            allowed[items] = True

    chunks = np.array_split(np.arange(len(cases)), max(1, min(threads, len(cases))))
    with ThreadPoolExecutor(len(chunks)) as pool:
        list(pool.map(some, chunks))
    return out


def contenders(
    model: RecommendModel,
    names: Sequence[str],
    full: Interactions,
    cases: Cases,
    k: int,
    threads: int = 2,
) -> dict[str, Lists]:
    """Answer int32[c, k] by contender: BLEND, what is served, comes first, then members `names`."""
    weights = member_weights(model, names if model.ranker else [BLEND, *names])
    lists = list(rank(model, weights, full, cases, k, threads)) if len(weights) else []
    if model.ranker:
        lists.insert(0, served(model, full, cases, k, threads))
    return dict(zip([BLEND, *names], lists, strict=True))


def mean_ndcg(
    model: RecommendModel,
    weights: Weights,
    full: Interactions,
    cases: Cases,
    k: int = 10,
    threads: int = 2,
) -> npt.NDArray[np.float64]:
    """Answer float64[g]: NDCG at k of each weighting; what tuning climbs."""
    lists = rank(model, weights, full, cases, k, threads)
    return np.array([_ndcg(one, cases, k) for one in lists])


def _ndcg(lists: Lists, cases: Cases, k: int) -> float:
    found = per_case(lists, cases.targets, cases.target_offsets, (k,))
    return float(found[f"ndcg_at_{k}"].mean()) if len(cases) else 0.0


def member_weights(model: RecommendModel, names: Sequence[str]) -> Weights:
    """Answer float32[g, m]: one row for each name, "blend" or a single member alone."""
    alone = np.eye(len(model.members), dtype=np.float32)
    own = {BLEND: model.weights, **dict(zip(model.members, alone, strict=True))}
    rows = [own[name] for name in names]
    return np.array(rows, np.float32).reshape(len(rows), len(model.members))
