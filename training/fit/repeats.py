"""Learning how readily own things are had again: a logistic regression on the log's own past.

The known events are cut once more: what was had before the cut, and how, against what was had
after it within a horizon, or as the very next thing. So nothing is learned from validation or
test, and what is learned fits how far ahead is asked. Knows nothing of serving.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from domain.clock import DAY_MS
from models.recommend.repeats import FACTS, FEATURES, HALF_LIVES, Repeats, own_rows
from training.splits import Cases, Interactions, session_split, time_split

F64 = npt.NDArray[np.float64]
PRIOR = {"often": 1.0, "within_120": 1.0, "since": -0.3, "log_rate": 0.5}
"""Coefficients where the log is too short to learn any: frequency, recency, readiness."""

SMOOTHING = 10.0
"""Events of the average item that every item is given when its rate of repeats is taken."""

RECENT_DAYS = 14.0
_CAP = 8_192
_MOST_ROWS, _LEAST_ROWS, _LEAST_HITS = 150_000, 500, 50
_MOST_CASES = 20_000
_WINDOWS = 3
_PENALTY = 1.0


def facts_of_items(known: Interactions, as_of: int) -> npt.NDArray[np.float32]:
    """Answer float32[n, len(FACTS)] of the events before `as_of` (ms UTC).

    log_rate: of the share of an item's events that were not the user's first, drawn to the
    mean. log_recent: of one plus the decayed events. log_gap: the mean logarithm of the days
    between two events of one user.
    """
    n, items = known.n_items, known.items
    events = np.bincount(items, minlength=n)
    pair = known.users * n + items
    order = np.argsort(pair, kind="stable")
    same = pair[order][1:] == pair[order][:-1]
    again = items[order][1:][same]
    overall = len(again) / max(len(items), 1)
    repeated = np.bincount(again, minlength=n)
    rates = (repeated + SMOOTHING * overall) / (events + SMOOTHING)
    ages = np.maximum(as_of - known.ats, 0) / DAY_MS
    recent = np.bincount(items, known.weights * np.exp2(-ages / RECENT_DAYS), n)
    gaps = np.log(np.diff(known.ats[order])[same] / DAY_MS + 0.5)
    usual = float(gaps.mean()) if len(gaps) else 0.0
    sums = np.bincount(again, gaps, n) + 5.0 * usual
    found = (np.log(np.maximum(rates, 1e-4)), np.log1p(recent), sums / (repeated + 5.0))
    assert len(found) == len(FACTS)
    return np.stack(found, axis=1).astype(np.float32)


def _questions(known: Interactions, as_of: int, days: float) -> list[tuple[Cases, int]]:
    """Answer (cases, when they are asked) within the known events; `days` 0 asks what is next."""
    if days > 0:
        cuts = [int(as_of - (window + 1) * days * DAY_MS) for window in range(_WINDOWS)]
        ends = [int(cut + days * DAY_MS) for cut in cuts]
        return [
            (time_split(known, cut, end, _CAP, True).cases, cut)
            for cut, end in zip(cuts, ends, strict=True)
        ]
    share = max(0.0, 1 - _MOST_CASES / max(len(known.items), 1))
    cut = int(np.quantile(known.ats, share, method="higher")) if len(known.items) else as_of
    endless = np.iinfo(np.int64).max // 2
    return [(session_split(known, cut, as_of, _CAP, endless, True).cases, cut)]


def rows_of(
    known: Interactions, cases: Cases, facts: npt.NDArray[np.float32], rng: np.random.Generator
) -> tuple[F64, F64]:
    """Answer float64[r, f] of every own item of the cases, and float64[r]: 1 where it was wanted.

    Cases are drawn until there are enough rows.
    """
    half_lives = np.array(HALF_LIVES)
    rows: list[F64] = [np.empty((0, len(FEATURES)))]
    wanted: list[F64] = [np.empty(0)]
    size = 0
    slots = np.zeros(len(facts), np.float32)
    for case in rng.permutation(len(cases)).tolist():
        mine = slice(int(cases.starts[case]), int(cases.ends[case]))
        days = np.maximum(cases.as_of[case] - known.ats[mine], 0) / DAY_MS
        indices = known.items[mine]
        items, some = own_rows(
            indices, known.weights[mine], days.astype(np.float32), half_lives, facts, slots
        )
        slots[items] = 0.0
        targets = cases.targets[cases.target_offsets[case] : cases.target_offsets[case + 1]]
        rows.append(some.copy())
        wanted.append(np.isin(items, targets).astype(float))
        size += len(items)
        if size >= _MOST_ROWS:
            break
    return np.concatenate(rows), np.concatenate(wanted)


def logistic(x: F64, y: F64) -> F64:
    """Answer float64[1 + f]: the coefficients of a ridge logistic regression in own units.

    A column that hardly varies tells nothing, and gets 0: in its own units even a small
    coefficient would be huge.
    """
    means, scales = x.mean(axis=0), x.std(axis=0)
    live = scales > 1e-4 * (1 + np.abs(means))
    scales = np.where(live, scales, 1.0)
    z = np.column_stack([np.ones(len(x)), np.where(live, (x - means) / scales, 0.0)])
    start = np.zeros(z.shape[1])
    share = float(np.clip(y.mean(), 1e-6, 1 - 1e-6))
    start[0] = np.log(share / (1 - share))
    penalty = np.full(z.shape[1], _PENALTY / len(y))
    penalty[0] = 0.0

    def loss(w: F64) -> tuple[float, F64]:
        odds = z @ w
        p = 1 / (1 + np.exp(-np.clip(odds, -50, 50)))
        value = np.logaddexp(0, odds) - y * odds
        return float(value.mean() + penalty @ (w * w) / 2), z.T @ (p - y) / len(y) + penalty * w

    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 200}).x
    out = found.copy()
    out[1:] /= scales
    out[0] -= float(out[1:] @ means)
    return out


def fit_repeats(known: Interactions, as_of: int, params: dict[str, Any], seed: int) -> Repeats:
    """Learn the odds from the known events before `as_of` (ms UTC).

    params: horizon_days (0 asks for the very next event), lift (see Repeats). Memory: 200 bytes
    for each of at most 150,000 rows.
    """
    rng = np.random.default_rng(seed)
    rows: list[F64] = [np.empty((0, len(FEATURES)))]
    wanted: list[F64] = [np.empty(0)]
    for cases, cut in _questions(known, as_of, float(params["horizon_days"])):
        if sum(map(len, rows)) >= _MOST_ROWS or not len(cases):
            break
        then = known.until(known.places_before(cut))
        x, y = rows_of(known, cases, facts_of_items(then, cut), rng)
        rows.append(x)
        wanted.append(y)
    x, y = np.concatenate(rows), np.concatenate(wanted)
    if len(y) >= _LEAST_ROWS and min(y.sum(), len(y) - y.sum()) >= _LEAST_HITS:
        coefficients = logistic(x, y)
    else:
        coefficients = np.array([0.0, *(PRIOR.get(name, 0.0) for name in FEATURES)])
    return Repeats(facts_of_items(known, as_of), coefficients, params["lift"])
