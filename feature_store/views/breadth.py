"""The `breadth` view: how widely and how steadily an entity buys, and how it was served.

Purchases are net of refunds (see purchases.py). Distinct days and items, discounts, carts left
behind, refunds, support, ratings and terms, within the records a view may see. Knows nothing
of what any of it foretells.
"""

import math

import numpy as np
import numpy.typing as npt

from domain.clock import DAY_MS
from domain.events import Kind
from domain.money import MICROS
from feature_store.compiling import compiled
from feature_store.records import HAS_VALUE, Lifetime, Records
from feature_store.views.purchases import PURCHASE, REFUND, net_purchases
from feature_store.views.view import Field, Rows, View
from feature_store.views.window import is_act, open_row, visible_end

WINDOW_DAYS = (14, 28, 56, 112, 365)
HALF_LIVES = (7, 28, 90)
_WINDOWS = len(WINDOW_DAYS)
_LIVES = len(HALF_LIVES)
_ADD = int(Kind.add_to_cart)
_RATING = int(Kind.rating)
_SUPPORT = int(Kind.support)
_RENEW = int(Kind.renew)
_CANCEL = int(Kind.cancel)


@compiled
def _fill_orders(
    records: Records, start: int, end: int, as_of: int, kept: npt.NDArray[np.uint8]
) -> tuple[npt.NDArray[np.int64], int, npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Answer (order times, their number, distinct days a window, faded counts) of purchases."""
    times = np.empty(end - start, np.int64)
    days = np.zeros(_WINDOWS, np.int64)
    faded = np.zeros(_LIVES, np.float64)
    n = 0
    for k in range(start, end):
        if not kept[k - start]:
            continue
        at = records[k]["at"]
        if n and at == times[n - 1]:
            continue
        age = as_of - at
        for life in range(_LIVES):
            faded[life] += math.exp2(-age / (HALF_LIVES[life] * DAY_MS))
        for w in range(_WINDOWS):
            width = WINDOW_DAYS[w] * DAY_MS
            if age > width:
                continue
            # The day counts once: by its first order that lies within the window.
            if n == 0 or as_of - times[n - 1] > width or times[n - 1] // DAY_MS != at // DAY_MS:
                days[w] += 1
        times[n] = at
        n += 1
    return times, n, days, faded


@compiled
def _fill_gaps(times: npt.NDArray[np.int64], n: int, as_of: int, out: Rows, i: int) -> None:
    """Write how the gaps between n order times are spread, and where the silence lies in them."""
    row = out[i]
    row["gap_median"] = -1.0
    row["gap_max"] = -1.0
    row["silence"] = -1.0
    if n < 2:
        return
    gaps = np.empty(n - 1, np.int64)
    silence = as_of - times[n - 1]
    shorter = 0
    for k in range(1, n):
        gaps[k - 1] = times[k] - times[k - 1]
        shorter += gaps[k - 1] < silence
    gaps.sort()
    row["gap_median"] = (gaps[(n - 2) // 2] + gaps[(n - 1) // 2]) / 2 / DAY_MS
    row["gap_max"] = gaps[n - 2] / DAY_MS
    row["silence"] = shorter / (n - 1)


@compiled
def _fill_lines(
    records: Records,
    start: int,
    end: int,
    kept: npt.NDArray[np.uint8],
    left: npt.NDArray[np.int64],
    out: Rows,
    i: int,
) -> tuple[int, int]:
    """Write what concerns lines and items; answer (lines, value in micros)."""
    slots = 16
    while slots < 2 * (end - start):
        slots *= 2
    keys = np.zeros(slots, np.uint64)
    lines = 0
    named = 0
    repeated = 0
    distinct = 0
    discounted = 0
    quantity = 0.0
    value = np.int64(0)
    for k in range(start, end):
        if not kept[k - start]:
            continue
        lines += 1
        value += left[k - start]
        quantity += records[k]["quantity"]
        discounted += records[k]["campaign"] != 0
        item = records[k]["item"]
        if item == 0:
            continue
        named += 1
        slot = np.int64(item & np.uint64(slots - 1))
        while keys[slot] != 0 and keys[slot] != item:
            slot = (slot + 1) & (slots - 1)
        if keys[slot] == 0:
            keys[slot] = item
            distinct += 1
        else:
            repeated += 1
    row = out[i]
    row["items"] = distinct
    row["repeat_share"] = repeated / named if named else 0.0
    row["quantity"] = quantity / lines if lines else 0.0
    row["price"] = value / MICROS / quantity if quantity > 0 else 0.0
    row["discount_share"] = discounted / lines if lines else 0.0
    return lines, int(value)


@compiled
def _fill_carts(records: Records, start: int, end: int, out: Rows, i: int) -> None:
    """Write how many lines were put in the cart, and which share was not bought afterwards.

    Walks backwards, so that an add finds the purchases after it in the table.
    """
    slots = 16
    while slots < 2 * (end - start):
        slots *= 2
    bought = np.zeros(slots, np.uint64)
    adds = 0
    followed = 0
    for back in range(end - start):
        k = end - 1 - back
        kind = records[k]["kind"]
        item = records[k]["item"]
        if item == 0 or (kind != _ADD and kind != PURCHASE):
            continue
        slot = np.int64(item & np.uint64(slots - 1))
        while bought[slot] != 0 and bought[slot] != item:
            slot = (slot + 1) & (slots - 1)
        if kind == PURCHASE:
            bought[slot] = item
        else:
            adds += 1
            followed += bought[slot] == item
    out[i]["carts"] = adds
    out[i]["cart_abandonment"] = 1.0 - followed / adds if adds else -1.0


@compiled
def _fill_channels(records: Records, start: int, end: int, out: Rows, i: int) -> None:
    """Write how many distinct channels the acts came through."""
    seen = np.empty(end - start, np.uint32)
    n = 0
    for k in range(start, end):
        if is_act(records[k]["kind"]) and records[k]["channel"] != 0:
            seen[n] = records[k]["channel"]
            n += 1
    seen = seen[:n]
    seen.sort()
    distinct = 0
    for k in range(n):
        distinct += k == 0 or seen[k] != seen[k - 1]
    out[i]["channels"] = distinct


@compiled
def _fill_service(records: Records, start: int, end: int, as_of: int, out: Rows, i: int) -> None:
    """Write refunds, support, ratings, renewals and cancellations."""
    purchases = 0
    counts = np.zeros(5, np.int64)
    lasts = np.full(5, -1.0)
    rated = np.int64(0)
    last_rating = np.int64(-MICROS)
    for k in range(start, end):
        kind = records[k]["kind"]
        place = -1
        if kind == PURCHASE:
            purchases += 1
        elif kind == REFUND:
            place = 0
        elif kind == _SUPPORT:
            place = 1
        elif kind == _RATING and records[k]["flags"] & HAS_VALUE:
            place = 2
            rated += records[k]["value"]
            last_rating = records[k]["value"]
        elif kind == _RENEW:
            place = 3
        elif kind == _CANCEL:
            place = 4
        if place >= 0:
            counts[place] += 1
            lasts[place] = (as_of - records[k]["at"]) / DAY_MS
    row = out[i]
    row["refund_share"] = counts[0] / (counts[0] + purchases) if counts[0] else 0.0
    row["refund_recency"] = lasts[0]
    row["support"] = counts[1]
    row["support_recency"] = lasts[1]
    row["ratings"] = counts[2]
    row["rating_mean"] = rated / MICROS / counts[2] if counts[2] else -1.0
    row["rating_last"] = last_rating / MICROS
    row["renewals"] = counts[3]
    row["renewal_recency"] = lasts[3]
    row["cancels"] = counts[4]
    row["cancel_recency"] = lasts[4]


@compiled
def fill(records: Records, lifetime: Lifetime, as_of: int, cap: int, out: Rows, i: int) -> None:
    """Write one row; see View."""
    end = visible_end(records, as_of)
    start = max(0, end - cap)
    open_row(records, end, as_of, out, i)
    kept, left, _, _ = net_purchases(records, start, end)
    times, n, days, faded = _fill_orders(records, start, end, as_of, kept)
    row = out[i]
    for w in range(_WINDOWS):
        row["days"][w] = days[w]
    for life in range(_LIVES):
        row["faded"][life] = faded[life]
    _fill_gaps(times, n, as_of, out, i)
    lines, value = _fill_lines(records, start, end, kept, left, out, i)
    last = np.int64(0)
    for k in range(start, end):
        if kept[k - start] and records[k]["at"] == times[n - 1]:
            last += left[k - start]
    row["basket"] = lines / n if n else 0.0
    row["order_value"] = value / MICROS / n if n else 0.0
    row["order_value_last"] = last / MICROS
    _fill_channels(records, start, end, out, i)
    _fill_carts(records, start, end, out, i)
    _fill_service(records, start, end, as_of, out, i)


@compiled
def fill_all(
    records: Records,
    starts: npt.NDArray[np.int64],
    ends: npt.NDArray[np.int64],
    lifetimes: npt.NDArray[np.int64],
    as_ofs: npt.NDArray[np.int64],
    cap: int,
    out: Rows,
) -> None:
    """Write all rows; see View."""
    for i in range(len(starts)):
        fill(records[starts[i] : ends[i]], lifetimes[i], as_ofs[i], cap, out, i)


_DAYS = tuple(f"{days}d" for days in WINDOW_DAYS)
_FADES = tuple(f"{days}d" for days in HALF_LIVES)
_NEVER = "; -1 when there is none"

BREADTH = View(
    name="breadth",
    version=1,
    description="breadth and steadiness of purchases, carts left behind, service received",
    own_fields=(
        Field("days", "<i4", "days", "distinct days (UTC) with a purchase", labels=_DAYS),
        Field(
            "faded",
            "<f8",
            "orders",
            "orders, each weighing half as much every so many days",
            labels=_FADES,
        ),
        Field("gap_median", "<f8", "days", "median gap between orders; -1 with fewer than two", -1),
        Field("gap_max", "<f8", "days", "longest gap between orders; -1 with fewer than two", -1),
        Field(
            "silence",
            "<f8",
            "share",
            "share of the gaps between orders that were shorter than the time since the last; "
            "-1 with fewer than two orders",
            -1,
        ),
        Field("items", "<i4", "items", "distinct items bought"),
        Field("repeat_share", "<f8", "share", "purchases of an item that was bought before"),
        Field("quantity", "<f8", "units", "mean quantity of a purchase"),
        Field("price", "<f8", "house currency", "mean value of a unit, net of refunds"),
        Field("basket", "<f8", "purchases", "mean purchases an order"),
        Field("order_value", "<f8", "house currency", "mean value of an order, net of refunds"),
        Field("order_value_last", "<f8", "house currency", "value of the last order"),
        Field("discount_share", "<f8", "share", "purchases that carry a campaign"),
        Field("channels", "<i4", "channels", "distinct channels of acts"),
        Field("carts", "<i4", "events", "items put in the cart"),
        Field(
            "cart_abandonment",
            "<f8",
            "share",
            "items put in the cart and not bought afterwards" + _NEVER,
            -1,
        ),
        Field("refund_share", "<f8", "share", "refunds among purchases and refunds"),
        Field("refund_recency", "<f8", "days", "since the last refund" + _NEVER, -1),
        Field("support", "<i4", "events", "contacts with support"),
        Field("support_recency", "<f8", "days", "since the last contact with support" + _NEVER, -1),
        Field("ratings", "<i4", "events", "ratings given with a value"),
        Field("rating_mean", "<f8", "rating", "mean of their values" + _NEVER, -1),
        Field("rating_last", "<f8", "rating", "value of the last rating" + _NEVER, -1),
        Field("renewals", "<i4", "events", "renewals of a term"),
        Field("renewal_recency", "<f8", "days", "since the last renewal" + _NEVER, -1),
        Field("cancels", "<i4", "events", "cancellations of a term"),
        Field("cancel_recency", "<f8", "days", "since the last cancellation" + _NEVER, -1),
    ),
    fill=fill,
    fill_all=fill_all,
)
