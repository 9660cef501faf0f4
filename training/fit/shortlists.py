"""Short lists: of every case the best items of every member with all members' scores, kept.

Any weighting of the members can then be judged without scoring a catalogue again, since an item
that a blend ranks high is ranked high by one of its members; the winner is still checked by full
ranking. Knows nothing of what a weighting is chosen for.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from models.recommend.model import RecommendModel
from models.recommend.topk import select
from training.splits import Cases, Interactions

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
K = 10
"""What is climbed is NDCG at this."""


class Shortlists(NamedTuple):
    """Of c cases, the candidates in the rows offsets[i]:offsets[i + 1] (int64[c + 1]).

    scores: float32[r, m], the members' standard scores, a case's rows by item number, so that
    ties go to the lower number. wanted: bool[r], the case's targets. targets: int64[c], how many
    targets the case has, on its list or not. users: int64[c].
    """

    offsets: I64
    scores: F32
    wanted: npt.NDArray[np.bool_]
    targets: I64
    users: I64

    def __len__(self) -> int:
        return len(self.targets)


def each_case(count: int, threads: int, do: Callable[[int], None]) -> None:
    """Do for every case number below `count`, in some threads; kernels let go of the lock."""
    parts = np.array_split(np.arange(count), max(1, min(threads, count)))

    def some(part: I64) -> None:
        for case in part.tolist():
            do(case)

    with ThreadPoolExecutor(len(parts)) as pool:
        list(pool.map(some, parts))


@njit(cache=True, nogil=True, error_model="numpy")
def _shorten(
    rows: np.ndarray,
    targets: np.ndarray,
    allowed: np.ndarray,
    best: np.ndarray,
    listed: np.ndarray,
    wanted: np.ndarray,
) -> int:
    """Write the items that any row of float32[m, n] ranks among its best; answer how many.

    best: int32[k], room. listed: int32[m * k]. wanted: bool[m * k].
    """
    mine = np.zeros(rows.shape[1], np.bool_)
    for m in range(rows.shape[0]):
        for place in range(select(rows[m], allowed, best)):
            mine[best[place]] = True
    size = 0
    for item in range(rows.shape[1]):
        if mine[item]:
            listed[size], wanted[size] = item, False
            for t in range(targets.shape[0]):
                if targets[t] == item:
                    wanted[size] = True
            size += 1
    return size


def shortlists(
    model: RecommendModel, full: Interactions, cases: Cases, each: int, threads: int
) -> Shortlists:
    """Answer the short lists of every case, the best `each` items of every member on them.

    Items of a case's history are left out unless the model allows repeats.
    """
    n, m = len(model), len(model.members)
    scores: list[F32] = [np.zeros((0, m), np.float32)] * len(cases)
    flags: list[npt.NDArray[np.bool_]] = [np.zeros(0, np.bool_)] * len(cases)

    def one(case: int) -> None:
        mine = slice(int(cases.starts[case]), int(cases.ends[case]))
        items = full.items[mine]
        past = model.past(items, full.kinds[mine], full.ats[mine], int(cases.as_of[case]))
        rows = np.empty((m, n), np.float32)
        for row, member in enumerate(model.scorers):
            member.score(past, rows[row])
        allowed = np.ones(n, np.bool_)
        if not model.repeats:
            allowed[items] = False
        best, listed = np.empty(min(each, n), np.int32), np.empty(m * min(each, n), np.int32)
        wanted = np.empty(len(listed), np.bool_)
        targets = cases.targets[cases.target_offsets[case] : cases.target_offsets[case + 1]]
        size = _shorten(rows, targets, allowed, best, listed, wanted)
        scores[case], flags[case] = rows[:, listed[:size]].T.copy(), wanted[:size].copy()

    each_case(len(cases), threads, one)
    return Shortlists(
        np.cumsum([0, *map(len, flags)], dtype=np.int64),
        np.concatenate([np.zeros((0, m), np.float32), *scores]),
        np.concatenate([np.zeros(0, np.bool_), *flags]),
        np.diff(cases.target_offsets),
        cases.users,
    )


def joined(lists: Sequence[Shortlists]) -> Shortlists:
    """Answer the short lists of several lessons, one after the other."""
    sizes = np.concatenate([np.diff(one.offsets) for one in lists])
    return Shortlists(
        np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)]),
        np.concatenate([one.scores for one in lists]),
        np.concatenate([one.wanted for one in lists]),
        np.concatenate([one.targets for one in lists]),
        np.concatenate([one.users for one in lists]),
    )


@njit(cache=True, nogil=True, error_model="numpy")
def _ndcg(total: np.ndarray, wanted: np.ndarray, targets: int, k: int) -> float:
    """Answer the NDCG at k of one case; ties go to the earlier row."""
    gained, ideal = 0.0, 0.0
    for place in range(min(targets, k)):
        ideal += 1 / np.log2(place + 2.0)
    for t in range(total.shape[0]):
        if wanted[t]:
            place = 0
            for i in range(total.shape[0]):
                if total[i] > total[t] or (total[i] == total[t] and i < t):
                    place += 1
                    if place == k:
                        break
            if place < k:
                gained += 1 / np.log2(place + 2.0)
    return gained / max(ideal, 1e-12)


@njit(cache=True, nogil=True, error_model="numpy")
def _judge(
    offsets: np.ndarray,
    scores: np.ndarray,
    wanted: np.ndarray,
    targets: np.ndarray,
    chosen: np.ndarray,
    weights: np.ndarray,
    k: int,
    out: np.ndarray,
) -> None:
    for c in range(chosen.shape[0]):
        first, last = offsets[chosen[c]], offsets[chosen[c] + 1]
        if not wanted[first:last].any():
            out[:, c] = 0.0
            continue
        total = np.empty(last - first, np.float32)
        for g in range(weights.shape[0]):
            total[:] = 0.0
            for m in range(scores.shape[1]):
                weight = weights[g, m]
                if weight != 0.0:
                    for i in range(first, last):
                        total[i - first] += weight * scores[i, m]
            out[g, c] = _ndcg(total, wanted[first:last], int(targets[chosen[c]]), k)


def judged(lists: Shortlists, weights: F32, chosen: I64 | None = None) -> F64:
    """Answer float64[g, c]: NDCG at K of the chosen cases under weightings float32[g, m]."""
    cases = np.arange(len(lists)) if chosen is None else chosen
    out = np.empty((len(weights), len(cases)))
    _judge(
        lists.offsets, lists.scores, lists.wanted, lists.targets, cases,
        np.ascontiguousarray(weights, np.float32), K, out,
    )  # fmt: skip
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def _judge_along(
    lists: tuple,
    chosen: np.ndarray,
    weights: np.ndarray,
    place: int,
    values: np.ndarray,
    k: int,
    out: np.ndarray,
) -> None:
    """Write to float64[v] the mean NDCG of the chosen cases with each value at a place.

    What the other members say is added up once. lists: offsets, scores, wanted, targets.
    """
    offsets, scores, wanted, targets = lists
    out[:] = 0.0
    for c in range(chosen.shape[0]):
        first, last = offsets[chosen[c]], offsets[chosen[c] + 1]
        if not wanted[first:last].any():
            continue
        others = np.zeros(last - first, np.float32)
        for m in range(scores.shape[1]):
            weight = weights[m]
            if weight != 0.0 and m != place:
                for i in range(first, last):
                    others[i - first] += weight * scores[i, m]
        total = np.empty(last - first, np.float32)
        for v in range(values.shape[0]):
            for i in range(first, last):
                total[i - first] = others[i - first] + values[v] * scores[i, place]
            out[v] += _ndcg(total, wanted[first:last], int(targets[chosen[c]]), k)
    out /= max(chosen.shape[0], 1)


def judged_along(lists: Shortlists, chosen: I64, weights: F32, place: int, values: F32) -> F64:
    """Answer float64[v]: mean NDCG at K of the chosen cases, each value at a place of weights."""
    out = np.empty(len(values))
    given = lists.offsets, lists.scores, lists.wanted, lists.targets
    _judge_along(given, chosen, weights, place, values, K, out)
    return out


STEPS = (0.0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.55, 0.75, 1.0, 1.4, 2.0)
"""Weights tried for a member, as a multiple of the heaviest."""
ROUNDS = 6


def climb(
    lists: Shortlists, chosen: I64, order: Sequence[int], more: Callable[[], bool] = lambda: True
) -> tuple[F32, float]:
    """Answer (weights float32[m], NDCG at K over the chosen cases): coordinate ascent.

    order: the members by place, the one to start from first. Weights are 0 or more and the
    largest is 1; equal weights are nowhere assumed. Ties keep the smaller weight: a member that
    adds nothing is left out. more: asked before each member; once it says no, what was found
    so far is answered.
    """
    weights = np.zeros(lists.scores.shape[1], np.float32)
    weights[order[0]] = 1.0
    best = float(judged(lists, weights[None], chosen).mean()) if len(chosen) else 0.0
    for turn in range(ROUNDS if len(chosen) else 0):
        before = weights.copy()
        for place in order[1:] if turn == 0 else order:
            if not more():
                break
            values = np.array(STEPS, np.float32) * weights.max()
            if not np.delete(weights, place).any():
                # Somebody must be heard.
                values = values[values > 0]
            scores = judged_along(lists, chosen, weights, place, values)
            winner = int(scores.argmax())
            if scores[winner] > best:
                best, weights[place] = float(scores[winner]), values[winner]
        if np.array_equal(before, weights):
            break
    return weights / weights.max(), best
