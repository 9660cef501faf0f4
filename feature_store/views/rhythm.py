"""The `rhythm` view: how regularly an entity acts and buys, and when.

Gaps lie between days (UTC) with at least one act, and between orders (see rfm.py). Profiles
are shares of acts by hour and by weekday in UTC; local time is whoever reads them's business.
"""

import math

import numpy as np
import numpy.typing as npt

from domain.clock import DAY_MS, HOUR_MS
from feature_store.compiling import compiled
from feature_store.records import Lifetime, Records
from feature_store.views.purchases import net_purchases
from feature_store.views.view import Field, Rows, View
from feature_store.views.window import is_act, open_row, visible_end

_THURSDAY = 3
"""1970-01-01 was a Thursday, and weeks start on Monday."""


@compiled
def gap_figures(times: npt.NDArray[np.int64], n: int) -> tuple[float, float, float]:
    """Answer (mean, population deviation, last) of the gaps between n rising times, in days.

    With fewer than two times there is no gap: all are -1.
    """
    if n < 2:
        return -1.0, -1.0, -1.0
    mean = (times[n - 1] - times[0]) / (n - 1) / DAY_MS
    squares = 0.0
    for k in range(1, n):
        off = (times[k] - times[k - 1]) / DAY_MS - mean
        squares += off * off
    return mean, math.sqrt(squares / (n - 1)), (times[n - 1] - times[n - 2]) / DAY_MS


@compiled
def _fill_orders(records: Records, start: int, end: int, as_of: int, out: Rows, i: int) -> None:
    kept, _, _, _ = net_purchases(records, start, end)
    times = np.empty(end - start, np.int64)
    n = 0
    for k in range(start, end):
        if kept[k - start] and (n == 0 or records[k]["at"] != times[n - 1]):
            times[n] = records[k]["at"]
            n += 1
    mean, deviation, last = gap_figures(times, n)
    row = out[i]
    row["orders"] = n
    row["order_gap_mean"] = mean
    row["order_gap_deviation"] = deviation
    row["order_gap_last"] = last
    row["order_overdue"] = (as_of - times[n - 1]) / DAY_MS / mean if n > 1 else -1.0


@compiled
def fill(records: Records, lifetime: Lifetime, as_of: int, cap: int, out: Rows, i: int) -> None:
    """Write one row; see View."""
    end = visible_end(records, as_of)
    start = max(0, end - cap)
    open_row(records, end, as_of, out, i)
    hours = np.zeros(24, np.int64)
    weekdays = np.zeros(7, np.int64)
    days = np.empty(end - start, np.int64)
    acts = 0
    n = 0
    last_act = np.int64(0)
    for k in range(start, end):
        if not is_act(records[k]["kind"]):
            continue
        last_act = records[k]["at"]
        day = last_act // DAY_MS
        acts += 1
        hours[last_act // HOUR_MS % 24] += 1
        weekdays[(day + _THURSDAY) % 7] += 1
        if n == 0 or days[n - 1] != day * DAY_MS:
            days[n] = day * DAY_MS
            n += 1
    mean, deviation, last = gap_figures(days, n)
    row = out[i]
    row["active_days"] = n
    row["gap_mean"] = mean
    row["gap_deviation"] = deviation
    row["gap_last"] = last
    row["overdue"] = (as_of - last_act) / DAY_MS / mean if n > 1 else -1.0
    share = 1.0 / acts if acts else 0.0
    for hour in range(24):
        row["hours"][hour] = hours[hour] * share
    for weekday in range(7):
        row["weekdays"][weekday] = weekdays[weekday] * share
    _fill_orders(records, start, end, as_of, out, i)


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


_NO_GAP = "; -1 with fewer than two"
_OVERDUE = "time since the last, over the mean gap; -1 with fewer than two"

RHYTHM = View(
    name="rhythm",
    version=1,
    description="gaps between active days and between orders; hour and weekday profile",
    own_fields=(
        Field("active_days", "<i4", "days", "days (UTC) with at least one act"),
        Field("gap_mean", "<f8", "days", "mean gap between active days" + _NO_GAP, -1),
        Field("gap_deviation", "<f8", "days", "population deviation of it" + _NO_GAP, -1),
        Field("gap_last", "<f8", "days", "the last gap between active days" + _NO_GAP, -1),
        Field("overdue", "<f8", "ratio", "active days: " + _OVERDUE, -1),
        Field("orders", "<i4", "orders", "distinct purchase times within the history"),
        Field("order_gap_mean", "<f8", "days", "mean gap between orders" + _NO_GAP, -1),
        Field("order_gap_deviation", "<f8", "days", "population deviation of it" + _NO_GAP, -1),
        Field("order_gap_last", "<f8", "days", "the last gap between orders" + _NO_GAP, -1),
        Field("order_overdue", "<f8", "ratio", "orders: " + _OVERDUE, -1),
        Field(
            "hours",
            "<f4",
            "share",
            "share of acts in each hour of the day, UTC",
            labels=tuple(f"{hour:02}" for hour in range(24)),
        ),
        Field(
            "weekdays",
            "<f4",
            "share",
            "share of acts on each weekday, UTC",
            labels=("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"),
        ),
    ),
    fill=fill,
    fill_all=fill_all,
)
