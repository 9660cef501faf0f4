"""Replay in rounds under a controller of what a click costs, and how soon it settles.

Every round's limit on the price of a click is set from the rounds before it; an auction is won when
its price is below limit × chance of a click at that price. Knows nothing of how gains are chosen
but for trying them on resampled rounds.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from models.bidding.control import Gains, State, controlled

F64 = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class Rounds(NamedTuple):
    """Auctions by round, each round's sorted by what a click costs at the margin.

    margin: float64[rounds, n], log ticks a click, padded with infinity. cost, clicks:
    float64[rounds, n+1], sums of those before.
    """

    margin: F64
    cost: F64
    clicks: F64


class Trace(NamedTuple):
    """Sums after each round: cost in ticks, clicks; both float64[rounds]."""

    cost: F64
    clicks: F64


def rounds_of(prices: F64, clicks: F64, chance: F64, count: int) -> Rounds:
    """Part auctions in `count` rounds in the order they came.

    chance: of a click of each auction at its own price; where it grows slower than the price,
    "price below limit × chance" is what one bid at the crossing would win.
    """
    margins = np.log(np.maximum(prices, 1.0)) - np.log(chance)
    parts = np.array_split(np.arange(len(prices)), count)
    most = max(len(part) for part in parts)
    margin = np.full((count, most), np.inf)
    cost, clicked = np.zeros((count, most + 1)), np.zeros((count, most + 1))
    for number, part in enumerate(parts):
        order = part[np.argsort(margins[part], kind="stable")]
        n = len(part)
        margin[number, :n] = margins[order]
        cost[number, 1 : n + 1] = np.cumsum(prices[order])
        clicked[number, 1 : n + 1] = np.cumsum(clicks[order])
    return Rounds(margin, cost, clicked)


@njit(cache=True, nogil=True, error_model="numpy")
def run_rounds(rounds: Rounds, order: Ints, gains: Gains, reference: float) -> Trace:
    """Replay the rounds in `order` under control; the first is bid at the start's limit."""
    n = order.shape[0]
    cost, clicks = np.zeros(n), np.zeros(n)
    spent, seen = 0.0, 0.0
    state = State(0.0, 0.0, 0.0)
    for turn in range(n):
        limit = np.log(reference) + gains.start + state.phi
        won = np.searchsorted(rounds.margin[order[turn]], limit)
        spent += rounds.cost[order[turn], won]
        seen += rounds.clicks[order[turn], won]
        cost[turn], clicks[turn] = spent, seen
        state = controlled(gains, state, reference, spent, seen)
    return Trace(cost, clicks)


def settles_at(trace: Trace, reference: float, extra: float = 0.0, band: float = 0.1) -> int:
    """Answer the first round (from 0) from which the cost a click stays in the band.

    extra: clicks added to those seen, 1 as in the paper's code. As many as there are rounds
    when it never does.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = trace.cost / (trace.clicks + extra) / reference
    outside = np.flatnonzero(~(np.abs(ratio - 1) <= band))
    return int(outside[-1]) + 1 if len(outside) else 0


class Tuned(NamedTuple):
    """The gains chosen, the share of made-up orders of rounds in which they hold, mean clicks."""

    gains: Gains
    holds: float
    clicks: float


def worlds_of(count: int, drawn: int, seed: int) -> list[Ints]:
    """Answer orders of rounds: drawn with replacement, and the true order begun elsewhere."""
    rng = np.random.default_rng(seed)
    turned = [np.roll(np.arange(count), start) for start in range(0, count, 4)]
    return [*(rng.integers(0, count, count) for _ in range(drawn)), *turned]


def tune(
    rounds: Rounds,
    reference: float,
    tried: Sequence[Gains],
    worlds: Sequence[Ints],
    *,
    by: int,
    least: int,
) -> Tuned:
    """Answer the gains that settle by round `by` with `least` clicks in the most worlds.

    Both ways of counting must settle; among equals the one with the most clicks is taken.
    """
    best = Tuned(tried[0], -1.0, 0.0)
    for gains in tried:
        held, clicks = 0, 0.0
        for order in worlds:
            trace = run_rounds(rounds, order, gains, reference)
            last = max(settles_at(trace, reference), settles_at(trace, reference, 1.0))
            held += last <= by and trace.clicks[-1] >= least
            clicks += float(trace.clicks[-1])
        found = Tuned(gains, held / len(worlds), clicks / len(worlds))
        best = max(best, found, key=lambda one: (one.holds, one.clicks))
    return best
