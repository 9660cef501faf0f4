"""What an all-knowing statistician would say of the simulated shop: exact Bayes, event by event.

Knows the laws of the world and sees what everybody sees. After every event it holds the chance of
each type, need, phase and events left in the phase (forward algorithm for hidden semi-Markov
models, Yu 2010); intent is the expectation of a purchase later in the visit, found backwards.
Between visits only the type's chances are kept. Knows nothing of what was hidden when drawing.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from domain.clock import HOUR_MS, SECOND_MS
from domain.events import Kind
from training.datasets.synthetic.visits import PAUSE_HOURS, Visits, need_odds
from training.datasets.synthetic.world import CELL, GAPS, LONGEST, TIERS, World

F64 = npt.NDArray[np.float64]
_ADD = int(Kind.add_to_cart)
_BUY = int(Kind.purchase)
_ENDS = np.array([high * SECOND_MS for _, high in GAPS], np.int64)
_TIERS = len(TIERS)


class Optimum(NamedTuple):
    """intent: float64[n], the chance of a purchase later in the visit, after every event. types:
    float64[u, t], the chance of each type in the end. churn: float64[u], the chance of no visit
    within the horizon from the end. effect: float64[u], what contact would take off it."""

    intent: F64
    types: F64
    churn: F64
    effect: F64


@njit(cache=True)
def worth(world: World) -> F64:
    """Answer float64[LONGEST, 2, p, d]: the chance to buy later, of each state after event k.

    d is the events left in the phase, the one that has just happened not counted.
    """
    phases, most = world.lasts.shape
    out = np.zeros((LONGEST, 2, phases, most))
    for k in range(LONGEST - 2, -1, -1):
        for need in range(2):
            begun = np.zeros(phases)
            for phase in range(phases):
                for left in range(most):
                    buy = world.kinds[phase, _BUY]
                    later = buy + (1 - buy) * out[k + 1, need, phase, left]
                    begun[phase] += world.lasts[phase, left] * later
            for phase in range(phases):
                on = 1 - min(1.0, world.leave[phase] + world.fatigue * k)
                out[k, need, phase, 0] = on * (world.jump[need, phase] * begun).sum()
                buy = world.kinds[phase, _BUY]
                for left in range(1, most):
                    later = buy + (1 - buy) * out[k + 1, need, phase, left - 1]
                    out[k, need, phase, left] = on * later
    return out


@njit(cache=True)
def _likelihood(world: World, kind: int, item: int, last: int, gap: int, out: F64) -> None:
    """Write float64[t, p], how likely each type in each phase shows this event.

    last: the item before, -1 none. gap: ms since the event before, -1 for the first.
    """
    cell = CELL * _TIERS
    types, phases = out.shape
    for phase in range(phases):
        chance = world.kinds[phase, kind]
        if gap >= 0:
            # Within a class every pause is as likely in every phase.
            chance *= world.gaps[phase, min(np.searchsorted(_ENDS, gap, "right"), len(_ENDS) - 1)]
        for one in range(types):
            out[one, phase] = chance
            if item < 0:
                continue
            category, tier = item // cell, item // CELL % _TIERS
            fresh = world.tier[one, tier] / CELL
            taste = world.taste[one, category]
            if last < 0:
                out[one, phase] *= taste * fresh
            elif category != last // cell:
                other = 1 - world.taste[one, last // cell]
                out[one, phase] *= (1 - world.stay[phase]) * taste / other * fresh
            elif item == last:
                out[one, phase] *= world.stay[phase] * world.again[phase]
            else:
                others = 1 - world.tier[one, last // CELL % _TIERS] / CELL
                chance_new = (1 - world.again[phase]) * fresh / others
                out[one, phase] *= world.stay[phase] * chance_new


@njit(cache=True)
def _begin(world: World, types: F64, needs: F64, out: F64) -> None:
    """Write float64[t, 2, p, d], the chances of each state at the first event."""
    phases, most = world.lasts.shape
    for one in range(len(types)):
        for need in range(2):
            chance = types[one] * (needs[one] if need else 1 - needs[one])
            for phase in range(phases):
                for left in range(most):
                    out[one, need, phase, left] = (
                        chance * world.start[need, phase] * world.lasts[phase, left]
                    )


@njit(cache=True)
def _step(world: World, k: int, now: F64, out: F64) -> None:
    """Write the chances of each state at event k + 1, given that the visit goes on after k."""
    phases, most = world.lasts.shape
    out[:] = 0
    for one in range(now.shape[0]):
        for need in range(2):
            for phase in range(phases):
                on = 1 - min(1.0, world.leave[phase] + world.fatigue * k)
                for left in range(1, most):
                    out[one, need, phase, left - 1] += on * now[one, need, phase, left]
                turning = on * now[one, need, phase, 0]
                if turning > 0:
                    for following in range(phases):
                        moved = turning * world.jump[need, phase, following]
                        for left in range(most):
                            out[one, need, following, left] += moved * world.lasts[following, left]


@njit(cache=True)
def _see(state: F64, likelihood: F64) -> None:
    total = 0.0
    for one in range(state.shape[0]):
        for need in range(2):
            for phase in range(state.shape[2]):
                for left in range(state.shape[3]):
                    state[one, need, phase, left] *= likelihood[one, phase]
                    total += state[one, need, phase, left]
    for one in range(state.shape[0]):
        for need in range(2):
            for phase in range(state.shape[2]):
                for left in range(state.shape[3]):
                    state[one, need, phase, left] /= total


@njit(cache=True)
def _mean(state: F64, values: F64) -> float:
    total = 0.0
    for one in range(state.shape[0]):
        for need in range(2):
            for phase in range(state.shape[2]):
                for left in range(state.shape[3]):
                    total += state[one, need, phase, left] * values[need, phase, left]
    return total


@njit(cache=True)
def _keep_types(world: World, state: F64, k: int, ended: bool, types: F64) -> None:
    """Write each type's chance; ended: whether the visit ended by leaving after event k."""
    total = 0.0
    for one in range(state.shape[0]):
        types[one] = 0.0
        for phase in range(state.shape[2]):
            share = min(1.0, world.leave[phase] + world.fatigue * k) if ended else 1.0
            for need in range(2):
                for left in range(state.shape[3]):
                    types[one] += share * state[one, need, phase, left]
        total += types[one]
    for one in range(state.shape[0]):
        types[one] /= total


@njit(cache=True)
def _follow(world: World, values: F64, types: F64, needs: F64, events: Any, intent: F64) -> None:
    """Write the intent after every event of one visit; `types` becomes what it is afterwards."""
    kinds, items, ats = events
    phases, most = world.lasts.shape
    state = np.zeros((len(types), 2, phases, most))
    ahead = np.zeros_like(state)
    likelihood = np.empty((len(types), phases))
    last = -1
    for k in range(len(kinds)):
        if k:
            _step(world, k - 1, state, ahead)
            state, ahead = ahead, state
        else:
            _begin(world, types, needs, state)
        gap = ats[k] - ats[k - 1] if k else -1
        _likelihood(world, kinds[k], items[k], last, gap, likelihood)
        _see(state, likelihood)
        if items[k] >= 0:
            last = items[k]
        # A purchase ends the visit: none follows it.
        intent[k] = 0.0 if kinds[k] == _BUY else _mean(state, values[k])
    end = len(kinds) - 1
    _keep_types(world, state, end, kinds[end] != _BUY and end < LONGEST - 1, types)


@njit(cache=True)
def _user(
    world: World, values: F64, offsets: Any, events: Any, intent: F64, types: F64
) -> tuple[bool, float]:
    """Follow one shopper through all visits; answer (bought last, hours at which that ended)."""
    kinds, items, ats = events
    left_cart, bought_at, over, bought = False, -np.inf, -np.inf, False
    needs = np.empty(len(types))
    for visit in range(len(offsets) - 1):
        a, b = offsets[visit], offsets[visit + 1]
        begin = ats[a] / HOUR_MS
        for one in range(len(types)):
            odds = need_odds(world, one, left_cart, begin - bought_at)
            needs[one] = 1 / (1 + np.exp(-odds))
            if visit:
                back = (1 - world.churn[one, np.int64(bought)]) * world.visits[one]
                types[one] *= back * np.exp(-world.visits[one] * (begin - over - PAUSE_HOURS))
        types /= types.sum()
        part = (kinds[a:b], items[a:b], ats[a:b])
        _follow(world, values, types, needs, part, intent[a:b])
        bought = kinds[b - 1] == _BUY
        carted = False
        for k in range(a, b):
            carted = carted or kinds[k] == _ADD
        left_cart = carted and not bought
        over = ats[b - 1] / HOUR_MS
        if bought:
            bought_at = over
    return bought, over


@njit(cache=True)
def _silence(
    world: World, types: F64, bought: bool, waited: float, horizon: float
) -> tuple[float, float]:
    """Answer the chance of no visit within the horizon, and what contact takes off it.

    waited: hours since a visit was possible again. `types` becomes what the silence makes of it.
    """
    ahead, contacted = 0.0, 0.0
    for one in range(len(types)):
        gone = world.churn[one, np.int64(bought)]
        there = (1 - gone) * np.exp(-world.visits[one] * waited)
        silent = np.exp(-world.visits[one] * horizon)
        won, annoyed = world.contact[one]
        ahead += types[one] * (gone + there * silent)
        lost = gone * (1 - won) + there * annoyed
        contacted += types[one] * (lost + (gone * won + there * (1 - annoyed)) * silent)
        types[one] *= gone + there
    total = types.sum()
    types /= total
    return ahead / total, (ahead - contacted) / total


def optimum(world: World, visits: Visits, days: float, horizon_days: float = 28.0) -> Optimum:
    """Answer what can be known of visits drawn over `days`, no better and no worse.

    A visit that the log's end cuts off counts as one that ended there.
    """
    values = worth(world)
    people, kinds = len(visits.users) - 1, len(world.need)
    intent = np.zeros(len(visits.ats))
    types = np.full((people, kinds), 1 / kinds)
    churn, effect = np.zeros(people), np.zeros(people)
    for user in range(people):
        mine = visits.offsets[visits.users[user] : visits.users[user + 1] + 1]
        a, b = mine[0], mine[-1]
        events = (visits.kinds[a:b], visits.items[a:b], visits.ats[a:b])
        bought, over = _user(world, values, mine - a, events, intent[a:b], types[user])
        waited = max(0.0, days * 24 - over - PAUSE_HOURS)
        horizon = horizon_days * 24 - max(0.0, over + PAUSE_HOURS - days * 24)
        churn[user], effect[user] = _silence(world, types[user], bought, waited, horizon)
    return Optimum(intent, types, churn, effect)
