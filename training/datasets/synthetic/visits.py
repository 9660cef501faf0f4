"""Drawing the visits of simulated shoppers from the laws of a world.

Everything here is simulated. Knows nothing of inference: what a shopper hides stays hidden.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from domain.clock import HOUR_MS, SECOND_MS
from domain.events import Kind
from training.datasets.synthetic.world import CELL, GAPS, LONGEST, TIERS, World

I64 = npt.NDArray[np.int64]
DAY_HOURS = 24.0
PAUSE_HOURS = 1.0
"""Between two visits there is at least this much."""

_SEARCH = int(Kind.search)
_ADD = int(Kind.add_to_cart)
_BUY = int(Kind.purchase)
_BOUNDS = np.array(GAPS, np.float64)
_TIERS = len(TIERS)


class Visits(NamedTuple):
    """n events of m visits of u shoppers, each shopper's in order of time. users: int64[u+1],
    where each one's visits begin. offsets: int64[m+1], where each visit's events begin. kinds:
    int8[n]. items: int64[n], places 0 … ITEMS - 1, -1 none. ats: int64[n], ms from the start."""

    users: I64
    offsets: I64
    kinds: npt.NDArray[np.int8]
    items: I64
    ats: I64


class Hidden(NamedTuple):
    """What no one sees: types: int64[u]. gone: bool[u], never to come back. needs: bool[m]."""

    types: I64
    gone: npt.NDArray[np.bool_]
    needs: npt.NDArray[np.bool_]


@njit(cache=True)
def _seed(seed: int) -> None:
    np.random.seed(seed)


@njit(cache=True)
def _draw(shares: Any) -> Any:
    """Draw a place by its share of the whole."""
    left = np.random.random() * shares.sum()
    for place in range(len(shares)):
        left -= shares[place]
        if left < 0:
            return place
    return len(shares) - 1


@njit(cache=True)
def _item(world: World, kind: int, phase: int, last: int) -> int:
    """Draw the item of an event of a shopper of type `kind`; last: the item before, -1 none."""
    cell = CELL * _TIERS
    if last >= 0 and np.random.random() < world.stay[phase]:
        if np.random.random() < world.again[phase]:
            return last
        category = last // cell
    else:
        category = _draw(world.taste[kind])
        while last >= 0 and category == last // cell:
            category = _draw(world.taste[kind])
    while True:
        item = category * cell + _draw(world.tier[kind]) * CELL + np.random.randint(CELL)
        if item != last:
            return item


@njit(cache=True)
def _visit(
    world: World, kind: int, need: Any, at: Any, kinds: Any, items: Any, ats: Any
) -> tuple[int, bool, bool]:
    """Draw one visit into arrays of LONGEST; answer (events, carted, bought)."""
    phase: Any = _draw(world.start[need])
    left: Any = 1 + _draw(world.lasts[phase])
    last: Any = -1
    carted = False
    for k in range(LONGEST):
        if k:
            bounds = _BOUNDS[_draw(world.gaps[phase])]
            seconds = bounds[0] + np.random.random() * (bounds[1] - bounds[0])
            at += np.int64(seconds * SECOND_MS)
        what = _draw(world.kinds[phase])
        kinds[k], ats[k], items[k] = what, at, -1
        if what != _SEARCH:
            last = _item(world, kind, phase, last)
            items[k] = last
        carted = carted or what == _ADD
        if what == _BUY:
            return k + 1, carted, True
        if np.random.random() < world.leave[phase] + world.fatigue * k:
            return k + 1, carted, False
        left -= 1
        if left == 0:
            phase = _draw(world.jump[need, phase])
            left = 1 + _draw(world.lasts[phase])
    return LONGEST, carted, False


@njit(cache=True)
def need_odds(world: World, kind: int, left_cart: bool, hours_since_purchase: float) -> float:
    """Answer the log-odds that a visit has a need; hours: infinite before the first purchase."""
    odds = world.need[kind] + world.cart * left_cart
    return odds + world.fresh * np.exp(-hours_since_purchase / DAY_HOURS / world.fresh_days)


@njit(cache=True)
def _shopper(
    world: World, kind: int, begin: float, end: float, buffers: Any, visits: Any
) -> tuple[int, int, bool]:
    """Draw one shopper's visits; answer (events, visits, gone). Times in hours."""
    kinds, items, ats = buffers
    starts, needs = visits
    n, m = 0, 0
    at, left_cart, bought_at = begin, False, -np.inf
    while at < end and m < len(starts) and n + LONGEST <= len(kinds):
        odds = need_odds(world, kind, left_cart, at - bought_at)
        need = np.int64(np.random.random() < 1 / (1 + np.exp(-odds)))
        starts[m], needs[m] = n, need
        m += 1
        room = (kinds[n:], items[n:], ats[n:])
        events, carted, bought = _visit(world, kind, need, np.int64(at * HOUR_MS), *room)
        n += events
        over = ats[n - 1] / HOUR_MS
        left_cart = carted and not bought
        if bought:
            bought_at = over
        if np.random.random() < world.churn[kind, np.int64(bought)]:
            return n, m, True
        at = over + PAUSE_HOURS + np.random.exponential(1 / world.visits[kind])
    return n, m, False


def draw_visits(world: World, users: int, days: float, seed: int = 0) -> tuple[Visits, Hidden]:
    """Draw the visits of shoppers who come first within the first half of `days`.

    Events at or after the end are not there, as in any log.
    """
    rng = np.random.default_rng(seed)
    _seed(int(rng.integers(2**31)))
    end = days * DAY_HOURS
    types = rng.integers(0, len(world.need), users)
    begins = rng.uniform(0, end / 2, users)
    most = max(8, int(end * world.visits.max() * 4))
    size = most * LONGEST
    buffers = (np.empty(size, np.int8), np.empty(size, np.int64), np.empty(size, np.int64))
    marks = (np.empty(most, np.int64), np.empty(most, np.int64))
    gone, parts, lengths, needs, counts = np.zeros(users, np.bool_), [], [], [], []
    for user in range(users):
        n, m, gone[user] = _shopper(world, int(types[user]), begins[user], end, buffers, marks)
        inside = int(np.searchsorted(buffers[2][:n], end * HOUR_MS))
        starts = np.append(marks[0][:m], n)
        m = int(np.searchsorted(starts[:-1], inside))
        lengths.append(np.diff(np.append(starts[:m], inside)))
        needs.append(marks[1][:m].copy())
        parts.append([buffer[:inside].copy() for buffer in buffers])
        counts.append(m)
    kinds, items, ats = (np.concatenate(column) for column in zip(*parts, strict=True))
    offsets = np.concatenate([[0], np.cumsum(np.concatenate(lengths))]).astype(np.int64)
    bounds = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    visits = Visits(bounds, offsets, kinds, items, ats)
    return visits, Hidden(types, gone, np.concatenate(needs).astype(np.bool_))
