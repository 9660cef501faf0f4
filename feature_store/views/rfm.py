"""The `rfm` view: recency, frequency and value of purchases, in windows and over a lifetime.

Purchases are net of refunds (see purchases.py); purchases at the same millisecond are one
order, as the lines of one basket are. Sums are integer micros of the house currency, so their
order cannot matter; amounts in other currencies are not summed.
"""

import numpy as np
import numpy.typing as npt

from domain.clock import DAY_MS
from domain.money import MICROS
from feature_store.compiling import compiled
from feature_store.records import H_COUNT, H_FIRST, H_VALUE, Lifetime, Records
from feature_store.views.purchases import PURCHASE, REFUND, net_purchases
from feature_store.views.view import Field, Rows, View
from feature_store.views.window import open_row, visible_end

WINDOW_DAYS = (1, 7, 28, 90, 180)
_WINDOWS = len(WINDOW_DAYS)


@compiled
def trend(now: int, before: int) -> float:
    """Answer (now - before) / (|now| + |before|), in -1 … 1; 0 when both are 0."""
    size = abs(now) + abs(before)
    return (now - before) / size if size else 0.0


@compiled
def _fill_windows(
    records: Records, start: int, end: int, as_of: int, out: Rows, i: int
) -> tuple[int, int]:
    """Write what the records tell; answer (purchases undone, micros undone without a price)."""
    kept, left, undone, unpriced = net_purchases(records, start, end)
    orders = np.zeros((2, _WINDOWS), np.int64)
    bought = np.zeros(_WINDOWS, np.int64)
    value = np.zeros((2, _WINDOWS), np.int64)
    last = np.int64(-1)
    for k in range(start, end):
        if not kept[k - start]:
            continue
        at = records[k]["at"]
        age = as_of - at
        first_line = np.int64(at != last)
        last = at
        # Windows widen, so what is too old for the two of one may still be in the next.
        for back in range(_WINDOWS):
            w = _WINDOWS - 1 - back
            width = WINDOW_DAYS[w] * DAY_MS
            if age > 2 * width:
                break
            part = 0 if age <= width else 1
            value[part, w] += left[k - start]
            orders[part, w] += first_line
            bought[w] += 1 - part
    row = out[i]
    row["recency"] = (as_of - last) / DAY_MS if last >= 0 else -1.0
    for w in range(_WINDOWS):
        row["orders"][w] = orders[0, w]
        row["purchases"][w] = bought[w]
        row["value"][w] = value[0, w] / MICROS
        row["orders_trend"][w] = trend(orders[0, w], orders[1, w])
        row["value_trend"][w] = trend(value[0, w], value[1, w])
    return undone, unpriced


@compiled
def fill(records: Records, lifetime: Lifetime, as_of: int, cap: int, out: Rows, i: int) -> None:
    """Write one row; see View."""
    end = visible_end(records, as_of)
    open_row(records, end, as_of, out, i)
    undone, unpriced = _fill_windows(records, max(0, end - cap), end, as_of, out, i)
    events = np.int64(0)
    for kind in range(H_VALUE - H_COUNT):
        events += lifetime[H_COUNT + kind]
    purchases = lifetime[H_COUNT + PURCHASE]
    refunds = lifetime[H_COUNT + REFUND]
    paid = lifetime[H_VALUE + PURCHASE]
    returned = lifetime[H_VALUE + REFUND]
    for k in range(end, len(records)):
        kind = records[k]["kind"]
        amount = records[k]["value"] if records[k]["currency"] == 0 else 0
        events -= 1
        if kind == PURCHASE:
            purchases -= 1
            paid -= amount
        elif kind == REFUND:
            refunds -= 1
            returned -= amount
    row = out[i]
    first = lifetime[H_FIRST]
    row["tenure"] = (as_of - first) / DAY_MS if end > 0 and first < as_of else -1.0
    row["lifetime_events"] = events
    row["lifetime_purchases"] = purchases - undone
    row["lifetime_refunds"] = refunds
    row["lifetime_value"] = (paid - abs(returned) - unpriced) / MICROS


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


_LABELS = tuple(f"{days}d" for days in WINDOW_DAYS)
_TREND = "(this window - the one before) / (|this| + |the one before|), 0 when both are 0: "

RFM = View(
    name="rfm",
    version=1,
    description="recency, frequency and net value of purchases",
    own_fields=(
        Field("recency", "<f8", "days", "since the last purchase; -1 when there is none", -1),
        Field("orders", "<i4", "orders", "distinct purchase times", labels=_LABELS),
        Field("purchases", "<i4", "events", "purchases not undone", labels=_LABELS),
        Field("value", "<f8", "house currency", "value net of refunds", labels=_LABELS),
        Field("orders_trend", "<f4", "share", _TREND + "orders", labels=_LABELS),
        Field("value_trend", "<f4", "share", _TREND + "value", labels=_LABELS),
        Field("tenure", "<f8", "days", "since the first event ever; -1 when there is none", -1),
        Field("lifetime_events", "<i8", "events", "events of every kind ever"),
        Field(
            "lifetime_purchases",
            "<i8",
            "events",
            "purchases ever, less those within the history that were undone",
        ),
        Field("lifetime_refunds", "<i8", "events", "refunds ever"),
        Field(
            "lifetime_value",
            "<f8",
            "house currency",
            "value of purchases less refunds ever; refunds count by magnitude, whatever their "
            "sign, and one without a value takes what it undoes",
        ),
    ),
    fill=fill,
    fill_all=fill_all,
)
