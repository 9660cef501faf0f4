"""What a user's earlier events say of a session that now begins, and of each of its events.

    prior    of the user, as of the session's first event
    echoes   of the item and category of each event of the session, as of the same moment, and
             beside them what everybody's events say of these (see renown)

Both look at the last PAST events before the session and at nothing later, so the answer is the
same whether the session has one event or a hundred. Knows nothing of stores or models.
"""

import numpy as np
import numpy.typing as npt
from numba import njit

from domain.clock import HOUR_MS
from domain.events import Kind
from models.intent.renown import RENOWN, Renown, write_renown

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]

PAST = 256
"""Earlier events that are looked at. With SESSION events of the session itself they fit in the
512 that the store keeps of a user, so live and replay see the same."""

SESSION = 256
"""Events of a session that are inputs; those after it are not scored any more."""

PRIOR = (
    "past_events",
    "past_sessions",
    "past_purchases",
    "past_carts",
    "past_marks",
    "past_items",
    "past_categories",
    "past_hours",
    "hours_since_event",
    "hours_since_purchase",
    "hours_since_cart",
    "events_last_day",
    "purchases_last_day",
    "carts_last_day",
    "events_last_session",
    "purchases_last_session",
    "carts_last_session",
    "buying_session_share",
    "purchases_per_event",
    "carts_per_event",
    "open_carts",
    "hours_since_open_cart",
    "session_events_mean",
    "purchase_value_mean",
    "top_category_share",
)
"""Columns of the prior. Counts are of the past window, hours before the session's start, values
in units of the house currency. Marks are favourites and other custom events. An open cart is an
item added and since then neither bought nor removed. All NaN without a past; a time is NaN
when its event never was."""

ECHOES = (
    "item_seen",
    "hours_since_item",
    "item_carted",
    "item_open",
    "item_bought",
    "category_seen",
    "hours_since_category",
    "category_carted",
    "category_bought",
    "item_kept",
    "category_kept",
    *RENOWN,
)
"""Columns of the echoes: first how often the past touched the same item or category and how,
the hours from the last touch to the session's start, and whether the item lies in the cart since
then: NaN without a past; item columns NaN without an item, category columns without a category.
Then whether item and category are those the session met last, NaN where it met none; and RENOWN.
These need no past."""

_KEPT = ECHOES.index("item_kept")
_OWN = len(ECHOES) - len(RENOWN)

_ADD = int(Kind.add_to_cart)
_REMOVE = int(Kind.remove_from_cart)
_BUY = int(Kind.purchase)
_CUSTOM = int(Kind.custom)
_MICROS = 1e6
_DAY_MS = 24 * HOUR_MS


@njit(cache=True, nogil=True, error_model="numpy")
def _runs(values: npt.NDArray[np.int64]) -> tuple[int, int]:
    """Answer (distinct values that are not 0, the length of the longest run) of a sorted array."""
    distinct, longest, run = 0, 0, 0
    for k in range(len(values)):
        if values[k] == 0:
            continue
        if k == 0 or values[k] != values[k - 1]:
            distinct += 1
            run = 0
        run += 1
        longest = max(longest, run)
    return distinct, longest


@njit(cache=True, nogil=True, error_model="numpy")
def _is_open(kinds: npt.NDArray[np.int8], items: Hashes, k: int, end: int) -> bool:
    """Tell whether event k put an item in the cart that was neither bought nor removed by end."""
    if kinds[k] != _ADD or items[k] == 0:
        return False
    for later in range(k + 1, end):
        same = items[later] == items[k]
        if same and (kinds[later] == _BUY or kinds[later] == _REMOVE or kinds[later] == _ADD):
            return False
    return True


@njit(cache=True, nogil=True, error_model="numpy")
def _sessions_before(
    kinds: npt.NDArray[np.int8], ats: I64, low: int, first: int, gap: int, out: F64
) -> None:
    """Write what concerns whole sessions of the past."""
    sessions, buying, bought = 1, 0, False
    began = low
    for k in range(low, first):
        if k > low and ats[k] - ats[k - 1] > gap:
            sessions += 1
            buying += bought
            bought = False
            began = k
        bought = bought or kinds[k] == _BUY
    buying += bought
    purchases, carts = 0, 0
    for k in range(began, first):
        purchases += kinds[k] == _BUY
        carts += kinds[k] == _ADD
    out[1] = sessions
    out[14] = first - began
    out[15] = purchases
    out[16] = carts
    out[17] = buying / sessions
    out[22] = (first - low) / sessions


@njit(cache=True, nogil=True, error_model="numpy")
def _counts(
    kinds: npt.NDArray[np.int8], values: I64, ats: I64, low: int, first: int, out: F64
) -> None:
    """Write what concerns events of the past one by one."""
    start = ats[first]
    counts = np.zeros(128, np.int64)
    last_day = np.zeros(128, np.int64)
    last = np.full(128, -1, np.int64)
    spent = np.int64(0)
    for k in range(low, first):
        counts[kinds[k]] += 1
        last_day[kinds[k]] += start - ats[k] <= _DAY_MS
        last[kinds[k]] = ats[k]
        if kinds[k] == _BUY:
            spent += values[k]
    n = first - low
    out[0], out[2], out[3], out[4] = n, counts[_BUY], counts[_ADD], counts[_CUSTOM]
    out[11], out[12], out[13] = last_day.sum(), last_day[_BUY], last_day[_ADD]
    out[18] = counts[_BUY] / n
    out[19] = counts[_ADD] / n
    if last[_BUY] >= 0:
        out[9] = (start - last[_BUY]) / HOUR_MS
        out[23] = spent / counts[_BUY] / _MICROS
    if last[_ADD] >= 0:
        out[10] = (start - last[_ADD]) / HOUR_MS


@njit(cache=True, nogil=True, error_model="numpy")
def prior_of(
    kinds: npt.NDArray[np.int8],
    items: Hashes,
    categories: npt.NDArray[np.int32],
    values: I64,
    ats: I64,
    first: int,
    gap: int,
    out: F64,
) -> None:
    """Write PRIOR of the session that begins at event `first` of one user's events, in order.

    gap: the pause that parts sessions, ms. out: float64[len(PRIOR)].
    """
    out[:] = np.nan
    low = max(0, first - PAST)
    if low == first:
        return
    start = ats[first]
    _sessions_before(kinds, ats, low, first, gap, out)
    _counts(kinds, values, ats, low, first, out)
    out[5] = _runs(np.sort(items[low:first].view(np.int64)))[0]
    known, longest = _runs(np.sort(categories[low:first].astype(np.int64)))
    out[6] = known
    out[7] = (start - ats[low]) / HOUR_MS
    out[8] = (start - ats[first - 1]) / HOUR_MS
    out[20] = 0
    for k in range(low, first):
        if _is_open(kinds, items, k, first):
            out[20] += 1
            out[21] = (start - ats[k]) / HOUR_MS
    out[24] = longest / (first - low)


@njit(cache=True, nogil=True, error_model="numpy")
def _write_kept(
    items: Hashes, categories: npt.NDArray[np.int32], bounds: tuple[int, int], out: F64
) -> None:
    """Write whether each event keeps to the item and the category that the session met last."""
    first, last = bounds
    item, category = np.uint64(0), np.int32(0)
    for k in range(first, last):
        if items[k] != 0:
            if item != 0:
                out[k - first, _KEPT] = items[k] == item
            item = items[k]
        if categories[k] != 0:
            if category != 0:
                out[k - first, _KEPT + 1] = categories[k] == category
            category = categories[k]


@njit(cache=True, nogil=True, error_model="numpy")
def echoes_of(
    kinds: npt.NDArray[np.int8],
    items: Hashes,
    categories: npt.NDArray[np.int32],
    ats: I64,
    bounds: tuple[int, int],
    renown: Renown,
    out: F64,
) -> None:
    """Write ECHOES of the events first to last of one user's events, in order; bounds: both.

    out: float64[last - first, len(ECHOES)].
    """
    first, last = bounds
    out[:] = np.nan
    for k in range(first, last):
        write_renown(renown, items[k], categories[k], out[k - first, _OWN:])
    _write_kept(items, categories, bounds, out)
    low = max(0, first - PAST)
    if low == first:
        return
    start = ats[first]
    for k in range(first, last):
        row = out[k - first]
        item, category = items[k], categories[k]
        if item != 0:
            row[0], row[2], row[3], row[4] = 0, 0, 0, 0
        if category != 0:
            row[5], row[7], row[8] = 0, 0, 0
        for past in range(low, first):
            if item != 0 and items[past] == item:
                row[0] += 1
                row[1] = (start - ats[past]) / HOUR_MS
                row[2] += kinds[past] == _ADD
                row[4] += kinds[past] == _BUY
                if _is_open(kinds, items, past, first):
                    row[3] = 1
            if category != 0 and categories[past] == category:
                row[5] += 1
                row[6] = (start - ats[past]) / HOUR_MS
                row[7] += kinds[past] == _ADD
                row[8] += kinds[past] == _BUY
