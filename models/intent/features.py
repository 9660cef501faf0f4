"""One row of numbers after every event of a session: what trees and lines read.

    kinds     how often each kind so far, the last three, time since the cart was filled
    tempo     position, pauses, time of day
    things    distinct items and categories, repeats, runs
    money     values seen and in the cart
    echoes    what the past says of this event's item and category, and of all so far
    prior     what the past says of the user

Row k is made of events 0 to k and of the past alone. Knows nothing of models.
"""

import numpy as np
import numpy.typing as npt
from numba import njit

from domain.clock import DAY_MS, HOUR_MS, MINUTE_MS
from domain.events import KINDS, Kind
from models.intent.past import ECHOES, PRIOR
from models.intent.renown import RENOWN

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
Kinds = npt.NDArray[np.int8]
Hashes = npt.NDArray[np.uint64]
Codes = npt.NDArray[np.int32]

_KINDS = (
    *(f"events_{kind.name}" for kind in Kind),
    "kind_last",
    "kind_second_last",
    "kind_third_last",
    "events_since_cart",
    "minutes_since_cart",
    "cart_items",
)
_TEMPO = (
    "position",
    "minutes_since_start",
    "gap_last",
    "gap_mean",
    "gap_longest",
    "gap_last_over_mean",
    "hour",
    "weekday",
)
_THINGS = (
    "items",
    "categories",
    "item_times",
    "category_times",
    "item_top",
    "category_top",
    "category_run",
    "item_same_as_last",
    "category_same_as_last",
    "items_per_event",
    "categories_per_event",
)
_MONEY = ("value_last", "value_mean", "value_highest", "value_in_cart")
_ECHO_SUMS = (
    "items_seen_before",
    "items_in_old_cart",
    "items_bought_before",
    "categories_seen_before",
    "categories_bought_before",
    "seen_before_share",
    "category_buy_rate_mean",
    "category_buy_rate_highest",
    "category_cart_rate_mean",
    "item_share_mean",
)
NAMES = (
    *_KINDS,
    *_TEMPO,
    *_THINGS,
    *_MONEY,
    *(f"now_{name}" for name in ECHOES),
    *_ECHO_SUMS,
    *PRIOR,
)
"""Columns. Gaps in minutes; hour and weekday (0 is Monday) in UTC; values in units of the house
currency, NaN where no event had one. `item_times` counts this event's item in the session so
far, `item_top` the item met most often, `category_run` the events in a row within this event's
category. `items_seen_before` … `categories_bought_before` count events, not distinct things. A
change of PRIOR, ECHOES or RENOWN moves columns: compiled kernels know it once this file changes."""

_AT_TEMPO = len(_KINDS)
_AT_THINGS = _AT_TEMPO + len(_TEMPO)
_AT_MONEY = _AT_THINGS + len(_THINGS)
_AT_ECHOES = _AT_MONEY + len(_MONEY)
_AT_SUMS = _AT_ECHOES + len(ECHOES)
_AT_PRIOR = _AT_SUMS + len(_ECHO_SUMS)
_AT_RENOWN = len(ECHOES) - len(RENOWN)
_WIDTH = len(NAMES)
_ADD = int(Kind.add_to_cart)
_REMOVE = int(Kind.remove_from_cart)
_BUY = int(Kind.purchase)
_MICROS = 1e6
_THURSDAY = 3
"""The weekday of 1970-01-01."""


@njit(cache=True, nogil=True, error_model="numpy")
def _fill_kinds(kinds: Kinds, ats: I64, out: F64) -> None:
    counts = np.zeros(KINDS, np.int64)
    carted = -1
    cart = 0
    for k in range(len(kinds)):
        row = out[k]
        kind = kinds[k]
        if 0 <= kind < KINDS:
            counts[kind] += 1
        if kind == _ADD:
            carted = k
            cart += 1
        elif kind == _REMOVE:
            cart = max(0, cart - 1)
        elif kind == _BUY:
            cart = 0
        for place in range(KINDS):
            row[place] = counts[place]
        for back in range(3):
            if k >= back:
                row[KINDS + back] = kinds[k - back]
        if carted >= 0:
            row[KINDS + 3] = k - carted
            row[KINDS + 4] = (ats[k] - ats[carted]) / MINUTE_MS
        row[KINDS + 5] = cart


@njit(cache=True, nogil=True, error_model="numpy")
def _fill_tempo(ats: I64, out: F64) -> None:
    longest = np.int64(0)
    for k in range(len(ats)):
        row = out[k, _AT_TEMPO:]
        row[0] = k + 1
        row[1] = (ats[k] - ats[0]) / MINUTE_MS
        if k:
            last = ats[k] - ats[k - 1]
            longest = max(longest, last)
            mean = (ats[k] - ats[0]) / k
            row[2] = last / MINUTE_MS
            row[3] = mean / MINUTE_MS
            row[4] = longest / MINUTE_MS
            if mean > 0:
                row[5] = last / mean
        row[6] = (ats[k] % DAY_MS) / HOUR_MS
        row[7] = (ats[k] // DAY_MS + _THURSDAY) % 7


@njit(cache=True, nogil=True, error_model="numpy")
def _fill_things(items: Hashes, categories: Codes, out: F64) -> None:
    distinct_items, distinct_categories, top_item, top_category, run = 0, 0, 0, 0, 0
    for k in range(len(items)):
        row = out[k, _AT_THINGS:]
        item, category = items[k], categories[k]
        item_times, category_times = 0, 0
        for past in range(k + 1):
            item_times += items[past] == item
            category_times += categories[past] == category
        if item != 0:
            distinct_items += item_times == 1
            top_item = max(top_item, item_times)
            row[2] = item_times
        if category != 0:
            distinct_categories += category_times == 1
            top_category = max(top_category, category_times)
            row[3] = category_times
        run = run + 1 if k and category == categories[k - 1] else 1
        row[0], row[1] = distinct_items, distinct_categories
        row[4], row[5] = top_item, top_category
        if category != 0:
            row[6] = run
        if k:
            row[7] = item != 0 and item == items[k - 1]
            row[8] = category != 0 and category == categories[k - 1]
        row[9] = distinct_items / (k + 1)
        row[10] = distinct_categories / (k + 1)


@njit(cache=True, nogil=True, error_model="numpy")
def _fill_money(kinds: Kinds, values: I64, out: F64) -> None:
    seen, total, highest, cart = 0, 0.0, 0.0, 0.0
    last = np.nan
    for k in range(len(values)):
        row = out[k, _AT_MONEY:]
        if values[k] != 0:
            last = values[k] / _MICROS
            seen += 1
            total += last
            highest = max(highest, last)
            if kinds[k] == _ADD:
                cart += last
            elif kinds[k] == _REMOVE:
                cart = max(0.0, cart - last)
        if kinds[k] == _BUY:
            cart = 0.0
        if seen:
            row[0], row[1], row[2] = last, total / seen, highest
            row[3] = cart


@njit(cache=True, nogil=True, error_model="numpy")
def _fill_past(prior: F64, echoes: F64, out: F64) -> None:
    sums = np.zeros(5, np.int64)
    for k in range(len(echoes)):
        echo = echoes[k]
        sums[0] += echo[0] > 0
        sums[1] += echo[3] > 0
        sums[2] += echo[4] > 0
        sums[3] += echo[5] > 0
        sums[4] += echo[8] > 0
        out[k, _AT_ECHOES:_AT_SUMS] = echo
        # Without a past nothing was seen before, but nothing was known either.
        if prior[0] > 0:
            for place in range(5):
                out[k, _AT_SUMS + place] = sums[place]
            out[k, _AT_SUMS + 5] = sums[3] / (k + 1)
        out[k, _AT_PRIOR:] = prior


@njit(cache=True, nogil=True, error_model="numpy")
def _fill_renown(echoes: F64, out: F64) -> None:
    coded, shared = 0, 0
    buy, cart, share, highest = 0.0, 0.0, 0.0, 0.0
    for k in range(len(echoes)):
        renown = echoes[k, _AT_RENOWN:]
        row = out[k, _AT_SUMS + 6 :]
        if renown[0] == renown[0]:
            coded += 1
            buy += renown[0]
            cart += renown[1]
            highest = max(highest, renown[0])
        if renown[5] == renown[5]:
            shared += 1
            share += renown[5]
        if coded:
            row[0], row[1], row[2] = buy / coded, highest, cart / coded
        if shared:
            row[3] = share / shared


@njit(cache=True, nogil=True, error_model="numpy")
def fill(
    kinds: Kinds,
    items: Hashes,
    categories: Codes,
    values: I64,
    ats: I64,
    prior: F64,
    echoes: F64,
    out: F64,
) -> None:
    """Write the row after every event of one session of n events, in order of time.

    kinds: int8[n]. items: uint64[n], 0 none. categories: int32[n], 0 none. values: int64[n],
    micros. ats: int64[n], ms UTC. prior: float64[PRIOR]. echoes: float64[n, ECHOES]. out:
    float64[n, NAMES]. See models.intent.past for the last two.
    """
    out[:] = np.nan
    _fill_kinds(kinds, ats, out)
    _fill_tempo(ats, out)
    _fill_things(items, categories, out)
    _fill_money(kinds, values, out)
    _fill_past(prior, echoes, out)
    _fill_renown(echoes, out)


@njit(cache=True, nogil=True, error_model="numpy")
def _fill_all(
    offsets: I64,
    columns: tuple[Kinds, Hashes, Codes, I64, I64],
    prior: F64,
    echoes: F64,
    out: F64,
) -> None:
    kinds, items, categories, values, ats = columns
    for s in range(len(offsets) - 1):
        a, b = offsets[s], offsets[s + 1]
        fill(
            kinds[a:b],
            items[a:b],
            categories[a:b],
            values[a:b],
            ats[a:b],
            prior[s],
            echoes[a:b],
            out[a:b],
        )


def rows(
    offsets: I64,
    columns: tuple[Kinds, Hashes, Codes, I64, I64],
    prior: F64,
    echoes: F64,
) -> F64:
    """Answer float64[n, NAMES], the row after every event of s sessions of n events in all.

    offsets: int64[s+1]. columns: kinds, items, categories, values, ats as for `fill`. prior:
    float64[s, PRIOR]. echoes: float64[n, ECHOES].
    """
    out = np.empty((len(columns[4]), _WIDTH))
    _fill_all(offsets, columns, prior, echoes, out)
    return out
