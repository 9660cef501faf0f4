"""What an auction tells about the price to beat, in four kinds, as a likelihood with its slopes.

The price to beat is the highest of the others' bids and the floor. Its logarithm has a location
(a sum of weights) and a scale. One row a notice; see KINDS. Knows nothing of how weights are
learned or of which auctions they speak of.
"""

import math
from enum import IntEnum
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from models.bidding.laws import below_slopes, density_slopes, log_below, log_density

F64 = npt.NDArray[np.float64]


class Kind(IntEnum):
    """What was learned. The numbers are part of the stored format: append, never renumber.

    exact: a second price that was paid above the floor, or a price told; `low`. won: a
    first-price bid won, so the price to beat was at most `high` (left-censored). lost: it was
    above the bid `low` (right-censored). minimum: the least that would have won is known to
    within a step, between `low` and `high`.
    """

    exact = 0
    won = 1
    lost = 2
    minimum = 3


class Rows(NamedTuple):
    """n notices. places: int32[n, k], the weights that add up to each location. kind: uint8[n].
    low, high: float64[n], logarithms of prices; the side that a kind does not use is not read.
    """

    places: npt.NDArray[np.int32]
    kind: npt.NDArray[np.uint8]
    low: F64
    high: F64


_NARROW = 1e-4
"""Steps narrower than this, in scales, are taken as exact: differences of chances lose digits."""

MOST_Z = 40.0
"""Prices further out, in scales, are taken to be this far: one absurd notice must not rule."""


@njit(cache=True, nogil=True, error_model="numpy")
def _within(law: int, zl: float, zh: float) -> tuple[float, float, float, float, float, float]:
    """Answer log(F(zh) - F(zl)) and its slopes by zl, zh, twice zl, twice zh, and both."""
    if zl > 0.0:
        # Both laws are even; far up the tail the difference is exact only from the other side.
        value, dh, dl, dhh, dll, both = _within(law, -zh, -zl)
        return value, -dl, -dh, dll, dhh, both
    upper, lower = log_below(law, zh), log_below(law, zl)
    value = upper + math.log(-math.expm1(lower - upper))
    dh = math.exp(log_density(law, zh) - value)
    dl = -math.exp(log_density(law, zl) - value)
    dhh = dh * density_slopes(law, zh)[0] - dh * dh
    dll = dl * density_slopes(law, zl)[0] - dl * dl
    return value, dl, dh, dll, dhh, -dl * dh


@njit(cache=True, nogil=True, error_model="numpy")
def notice(
    law: int, kind: int, low: float, high: float, location: float, log_scale: float
) -> tuple[float, float, float, float, float, float]:
    """Answer a notice's log-likelihood and its slopes by location m and log-scale e.

    In order: value, by m, by e, twice m, once each, twice e. Densities are of the logarithm of
    the price.
    """
    scale = math.exp(log_scale)
    zl = min(max((low - location) / scale, -MOST_Z), MOST_Z)
    zh = min(max((high - location) / scale, -MOST_Z), MOST_Z)
    if kind == 3 and zh - zl > _NARROW:
        value, dl, dh, dll, dhh, both = _within(law, zl, zh)
        first, second = dl + dh, dll + dhh + 2.0 * both
        swung = dl * zl + dh * zh
        mixed = dll * zl + dhh * zh + both * (zl + zh)
        square = dll * zl * zl + dhh * zh * zh + 2.0 * both * zl * zh
        return (
            value,
            -first / scale,
            -swung,
            second / (scale * scale),
            (mixed + first) / scale,
            square + swung,
        )
    if kind == 1:
        z, value = zh, log_below(law, zh)
        d, dd = below_slopes(law, zh)
        of_scale = 0.0
    elif kind == 2:
        z, value = zl, log_below(law, -zl)
        d, dd = below_slopes(law, -zl)
        d, of_scale = -d, 0.0
    else:
        z = zl if kind == 0 else 0.5 * (zl + zh)
        value = log_density(law, z) - log_scale
        d, dd = density_slopes(law, z)
        of_scale = 1.0
    turned = d * z
    return (
        value,
        -d / scale,
        -of_scale - turned,
        dd / (scale * scale),
        (d + z * dd) / scale,
        turned + z * z * dd,
    )


@njit(cache=True, nogil=True, error_model="numpy")
def location_of(places: npt.NDArray[np.int32], weights: F64) -> float:
    """Answer the sum of a row's weights; the last weight is the log-scale and never among them."""
    total = 0.0
    for place in places:
        total += float(weights[place])
    return total


@njit(cache=True, nogil=True, error_model="numpy")
def summed(law: int, rows: Rows, weights: F64, weight: F64) -> tuple[float, F64, F64]:
    """Answer log-likelihood, slope float64[d] and curvature float64[d, d] of all rows.

    weights: float64[d], the log-scale last. weight: float64[n], how much each row counts.
    Curvature is the second derivative, so it is negative near the best weights.
    """
    d = weights.shape[0]
    total, slope, curvature = 0.0, np.zeros(d), np.zeros((d, d))
    last = d - 1
    for row in range(rows.kind.shape[0]):
        places, counts = rows.places[row], weight[row]
        location = location_of(places, weights)
        value, by_m, by_e, mm, me, ee = notice(
            law, rows.kind[row], rows.low[row], rows.high[row], location, float(weights[last])
        )
        total += counts * value
        slope[last] += counts * by_e
        curvature[last, last] += counts * ee
        for one in places:
            slope[one] += counts * by_m
            curvature[one, last] += counts * me
            curvature[last, one] += counts * me
            for other in places:
                curvature[one, other] += counts * mm
    return total, slope, curvature


def checked(rows: Rows, columns: int) -> Rows:
    """Answer the rows as kernels want them; raises ValueError for rows that are none.

    columns: how many weights a location may use.
    """
    n = len(rows.kind)
    places = np.ascontiguousarray(rows.places, np.int32)
    kind = np.ascontiguousarray(rows.kind, np.uint8)
    low, high = (np.ascontiguousarray(side, np.float64) for side in (rows.low, rows.high))
    if places.ndim != 2 or not len(places) == len(low) == len(high) == n:
        raise ValueError("notices have places, a kind and two sides each")
    if n and (places.min() < 0 or places.max() >= columns or kind.max() > max(Kind)):
        raise ValueError("notices name a place or a kind that is not there")
    uses_low, uses_high = kind != Kind.won, (kind == Kind.won) | (kind == Kind.minimum)
    if not (np.isfinite(low[uses_low]).all() and np.isfinite(high[uses_high]).all()):
        raise ValueError("the logarithm of a price is a finite number")
    if np.any(high[kind == Kind.minimum] < low[kind == Kind.minimum]):
        raise ValueError("the least price that wins lies between low and high")
    return Rows(places, kind, np.where(uses_low, low, 0.0), np.where(uses_high, high, 0.0))
