"""The features of churn: which numbers of which views, what each means, and how it is grouped.

One row of `rfm`, `rhythm` and `breadth` as of a time becomes one row of float64; absent is NaN.
Buy-till-you-die figures, the repute of what was bought (the `goods` view) and attributes of the
profile join as further blocks. Knows nothing of how rows are made or of what a model does with
them.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from models.btyd.features import Prospects, foretell_columns
from models.churn.gathering import Gatherer, Want
from models.churn.repute import COLUMNS as REPUTE

F64 = npt.NDArray[np.float64]
OWN = ("rfm", "rhythm", "breadth")
VIEWS = (*OWN, "goods")
"""The views that rows are taken from; those that columns of their own are made of come first."""

DAY_MS = 86_400_000.0
GROUPS = (
    "recency",
    "frequency",
    "value",
    "rhythm",
    "trend",
    "breadth",
    "discount",
    "service",
    "prospect",
    "assortment",
)
"""What a feature speaks of; reasons are given by group. `prospect` is buy-till-you-die,
`assortment` the repute of what was bought; each attribute is a group of its own,
`attribute.<name>`."""


class Feature(NamedTuple):
    """One column: its name, group and unit, and the field of a view (and place in it) it reads.

    A value equal to `absent` becomes NaN. Features without a view are derived, see `matrix`.
    """

    name: str
    group: str
    unit: str
    view: str = ""
    field: str = ""
    place: int = -1
    absent: float = np.nan


def _fields(view: str, group: str, unit: str, *names: str, absent: float = np.nan) -> list[Feature]:
    return [Feature(name, group, unit, view, name, -1, absent) for name in names]


def _windows(
    view: str, group: str, unit: str, field: str, labels: Sequence[tuple[str, int]]
) -> list[Feature]:
    return [Feature(f"{field}_{label}", group, unit, view, field, place) for label, place in labels]


_RFM = (("28d", 2), ("90d", 3), ("180d", 4))
_RFM_TREND = (("28d", 2), ("90d", 3))
_DAYS = (("14d", 0), ("28d", 1), ("56d", 2), ("112d", 3), ("365d", 4))
_FADES = (("7d", 0), ("28d", 1), ("90d", 2))

PLAIN: tuple[Feature, ...] = (
    *_fields("rfm", "recency", "days", "recency", absent=-1.0),
    *_fields("rhythm", "recency", "ratio", "order_overdue", absent=-1.0),
    *_fields("breadth", "recency", "share", "silence", absent=-1.0),
    *_windows("rfm", "frequency", "orders", "orders", _RFM),
    *_windows("breadth", "frequency", "days", "days", _DAYS),
    *_windows("breadth", "frequency", "orders", "faded", _FADES),
    *_fields("rhythm", "frequency", "orders", "orders"),
    *_fields("rfm", "frequency", "days", "tenure", absent=-1.0),
    *_windows("rfm", "value", "money", "value", _RFM),
    *_fields("rfm", "value", "money", "lifetime_value"),
    *_fields("breadth", "value", "money", "order_value", "order_value_last"),
    *_fields("breadth", "value", "purchases", "basket"),
    *_fields("breadth", "value", "units", "quantity"),
    *_fields("breadth", "value", "money", "price"),
    *_fields("rhythm", "rhythm", "days", "order_gap_mean", "order_gap_deviation", absent=-1.0),
    *_fields("rhythm", "rhythm", "days", "order_gap_last", absent=-1.0),
    *_fields("breadth", "rhythm", "days", "gap_median", "gap_max", absent=-1.0),
    *_windows("rfm", "trend", "share", "orders_trend", _RFM_TREND),
    *_windows("rfm", "trend", "share", "value_trend", _RFM_TREND),
    *_fields("breadth", "breadth", "items", "items"),
    *_fields("breadth", "breadth", "share", "repeat_share"),
    *_fields("breadth", "breadth", "channels", "channels"),
    *_fields("breadth", "discount", "share", "discount_share"),
    *_fields("breadth", "service", "events", "carts"),
    *_fields("breadth", "service", "share", "cart_abandonment", absent=-1.0),
    *_fields("breadth", "service", "share", "refund_share"),
    *_fields("breadth", "service", "days", "refund_recency", absent=-1.0),
    *_fields("breadth", "service", "events", "support"),
    *_fields("breadth", "service", "days", "support_recency", absent=-1.0),
    *_fields("breadth", "service", "rating", "rating_mean", "rating_last", absent=-1.0),
    *_fields("breadth", "service", "events", "renewals", "cancels"),
    *_fields("breadth", "service", "days", "renewal_recency", "cancel_recency", absent=-1.0),
)

DERIVED: tuple[Feature, ...] = (
    Feature("silent_days", "recency", "days"),
    Feature("recency_share", "recency", "share"),
    Feature("recency_over_longest", "recency", "ratio"),
    Feature("order_rate", "frequency", "orders a day"),
    Feature("gap_spread", "rhythm", "ratio"),
    Feature("last_order_ratio", "value", "ratio"),
)
"""Computed from plain ones: days since any event; recency over tenure; recency over the longest
gap; orders over the days from first event to now; deviation over mean of the gaps; value of the
last order over the mean order."""

FEATURES: tuple[Feature, ...] = (*PLAIN, *DERIVED)
NAMES: tuple[str, ...] = tuple(feature.name for feature in FEATURES)
_PLACE = {name: place for place, name in enumerate(NAMES)}


BTYD_GROUP = "prospect"
REPUTE_GROUP = "assortment"


def matrix(
    rows: Mapping[str, npt.NDArray[Any]],
    prospects: Prospects | None = None,
    extra: F64 | None = None,
    repute: F64 | None = None,
) -> F64:
    """Answer float64[n, f] of n rows of each view in VIEWS, as replay gives them.

    Columns in the order of `names_of`: plain and derived ones, those of `prospects` when it is
    given, `repute` (float64[n, REPUTE], see models.churn.repute), then `extra` (float64[n, k],
    encoded attributes).
    """
    blocks = [block for block in (repute, extra) if block is not None]
    told = 0 if prospects is None else prospects.width
    own = len(FEATURES) + told
    out = np.empty((len(rows[VIEWS[0]]), own + sum(block.shape[1] for block in blocks)))
    for view, gatherer in _GATHERERS.items():
        gatherer.write(rows[view], out)
    _derive(out, _RATIOS, _PLACE["silent_days"])
    if prospects is not None:
        _foretell(*prospects.packed, _ORDERS, out[:, len(FEATURES) : own], out)
    for block in blocks:
        out[:, own : own + block.shape[1]] = block
        own += block.shape[1]
    return out


def names_of(
    prospects: Prospects | None = None, extra: Sequence[str] = (), *, repute: bool = False
) -> tuple[str, ...]:
    """Answer the names of the columns that `matrix` answers."""
    prospect = () if prospects is None else prospects.names()
    return (*NAMES, *prospect, *(REPUTE if repute else ()), *extra)


def groups_of(
    prospects: Prospects | None = None, extra: Sequence[str] = (), *, repute: bool = False
) -> tuple[str, ...]:
    """Answer the group of each column that `matrix` answers; `extra` are those of attributes."""
    prospect = () if prospects is None else (BTYD_GROUP,) * len(prospects.names())
    assortment = (REPUTE_GROUP,) * len(REPUTE) if repute else ()
    return (*(feature.group for feature in FEATURES), *prospect, *assortment, *extra)


def units_of(
    prospects: Prospects | None = None, extra: int = 0, *, repute: bool = False
) -> tuple[str, ...]:
    """Answer the unit of each column that `matrix` answers; `extra` attributes have none."""
    told = () if prospects is None else prospects.names()
    prospect = tuple(
        "money" if "value" in name else "orders" if name.endswith("_expected") else "share"
        for name in told
    )
    plain = ("",) * (extra + (len(REPUTE) if repute else 0))
    return (*(feature.unit for feature in FEATURES), *prospect, *plain)


_ORDERS = np.array([_PLACE[one] for one in ("orders", "order_gap_mean", "recency", "order_value")])


@njit(cache=True, nogil=True, error_model="numpy")
def _foretell(
    kinds: np.ndarray,
    numbers: np.ndarray,
    window: np.ndarray,
    places: np.ndarray,
    out: np.ndarray,
    own: np.ndarray,
) -> None:
    """Write the buy-till-you-die columns of rows `own`: orders are distinct purchase times."""
    n = own.shape[0]
    frequency, spread, age, spend = np.empty(n), np.zeros(n), np.empty(n), np.empty(n)
    for i in range(n):
        orders, gap, recency = own[i, places[0]], own[i, places[1]], own[i, places[2]]
        if orders > 1:
            spread[i] = gap * (orders - 1)
        frequency[i], age[i] = np.nan, np.nan
        if orders > 0:
            frequency[i], age[i] = orders - 1, recency + spread[i]
            if age[i] < spread[i]:
                age[i] = spread[i]
        spend[i] = own[i, places[3]]
    foretell_columns(kinds, numbers, window, frequency, spread, age, spend, out)


_WANTS = {
    view: tuple(
        Want(feature.field, feature.place, feature.absent, place)
        for place, feature in enumerate(PLAIN)
        if feature.view == view
    )
    for view in OWN
}
# Days since any event are the view's own age, in milliseconds, until they are derived.
_WANTS["rfm"] += (Want("age", -1, np.nan, _PLACE["silent_days"]),)

_GATHERERS = {view: Gatherer(wants) for view, wants in _WANTS.items()}

_RATIOS = np.array(
    [
        [_PLACE[one] for one in ratio]
        for ratio in (
            ("recency_share", "recency", "tenure"),
            ("recency_over_longest", "recency", "gap_max"),
            ("order_rate", "orders", "tenure"),
            ("gap_spread", "order_gap_deviation", "order_gap_mean"),
            ("last_order_ratio", "order_value_last", "order_value"),
        )
    ]
)
"""Derived features that are one over another, where that is above 0; NaN elsewhere."""


@njit(cache=True, nogil=True, error_model="numpy")
def _derive(out: np.ndarray, ratios: np.ndarray, silent: int) -> None:
    for i in range(out.shape[0]):
        age = out[i, silent]
        out[i, silent] = np.nan if age < 0 else age / DAY_MS
        for k in range(ratios.shape[0]):
            bottom = out[i, ratios[k, 2]]
            out[i, ratios[k, 0]] = out[i, ratios[k, 1]] / bottom if bottom > 0 else np.nan
