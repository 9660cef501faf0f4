"""What to bid: less than the value in a first-price auction, the value itself in a second.

The best first-price bid maximises (value − bid) · P(win | bid). With the laws used here P is
log-concave, so there is one best bid, where the two slopes of the logarithm meet. Amounts are cpm
micros. Knows nothing of budgets or of how the value came about.
"""

import math
from typing import NamedTuple

from numba import njit

from models.bidding.landscape import win_chance
from models.bidding.laws import slope_below

FIRST_PRICE, SECOND_PRICE, FIXED_PRICE = 1, 2, 3
"""Auction types as OpenRTB numbers them (`at`)."""

_STEPS = 40
_NEAR = 1e-9


class Priced(NamedTuple):
    """bid: whole cpm micros, 0 for none. chance: of winning with it. surplus: expected, in cpm
    micros for each auction; in a second-price auction it is left at what the bid would pay."""

    bid: int
    chance: float
    surplus: float


@njit(cache=True, nogil=True, error_model="numpy")
def best_first_price(law: int, value: float, location: float, scale: float) -> float:
    """Answer the bid that maximises (value − bid) · P(win | bid), above 0 and below value.

    Newton's steps on the slope of the logarithm by u = log(bid), kept inside a bracket that
    halves when they leave it: −e^u / (value − e^u) + P'(u) / P(u) falls from above 0 to −∞.
    """
    top = math.log(value)
    # At this far below, the chance's slope exceeds what a lower price can save.
    low, high = min(top, location) - 40.0 * max(scale, 1.0), top
    u = min(top - math.log1p(scale), high - _NEAR)
    for _ in range(_STEPS):
        bid = math.exp(u)
        room = value - bid
        if room <= 0.0:
            high = u
            u = 0.5 * (low + high)
            continue
        z = (u - location) / scale
        ratio = slope_below(law, z)
        slope = ratio / scale - bid / room
        if slope > 0.0:
            low = u
        else:
            high = u
        bend = ratio * (1.0 - ratio) if law == 0 else ratio * (z + ratio)
        curve = -bend / (scale * scale) - bid * value / (room * room)
        step = u - slope / curve
        step = step if low < step < high else 0.5 * (low + high)
        if abs(step - u) < _NEAR:
            return math.exp(step)
        u = step
    return math.exp(u)


@njit(cache=True, nogil=True, error_model="numpy")
def whole(amount: float) -> int:
    """Round down to whole micros: a bid is never above what was worked out."""
    return math.floor(min(max(amount, 0.0), 9e15))


@njit(cache=True, nogil=True, error_model="numpy")
def priced(
    at: int, value: float, floor: float, cap: float, law: int, location: float, scale: float
) -> Priced:
    """Answer the bid for an impression worth `value`, and what it is expected to bring.

    at: 1 first price, 2 and all others second price, 3 the floor itself. value, floor, cap: cpm
    micros. Without a room between floor and min(value, cap), or for figures that are no
    numbers, there is no bid. The bid is a whole number, at least the floor, at most cap and
    value.
    """
    most = whole(min(value, cap))
    least = max(math.ceil(min(max(floor, 0.0), 9e15)), 1)
    if not (0.0 < value < 9e15 and cap > 0.0 and floor < 9e15) or most < least or not scale > 0.0:
        return Priced(0, 0.0, 0.0)
    if at == FIRST_PRICE:
        bid = min(max(whole(best_first_price(law, value, location, scale)), least), most)
    elif at == FIXED_PRICE:
        bid = least
    else:
        bid = most
    chance = win_chance(law, float(bid), location, scale)
    return Priced(bid, chance, (value - bid) * chance)
