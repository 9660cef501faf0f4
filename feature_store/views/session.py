"""The `session` view: what has happened since the entity last paused for half an hour.

A session ends after 30 minutes without an event; when as_of is later than that there is no
current session and every field holds its default. Knows nothing of session ids.
"""

import numpy as np
import numpy.typing as npt

from domain.clock import MINUTE_MS
from domain.events import KINDS, Kind
from domain.money import MICROS
from feature_store.compiling import compiled
from feature_store.records import Lifetime, Records
from feature_store.views.purchases import PURCHASE
from feature_store.views.view import Field, Rows, View
from feature_store.views.window import is_act, open_row, visible_end

GAP_MS = 30 * MINUTE_MS
_ADD = int(Kind.add_to_cart)
_REMOVE = int(Kind.remove_from_cart)


@compiled
def session_start(records: Records, start: int, end: int, as_of: int) -> int:
    """Answer where the session that is open at as_of starts; `end` when none is open."""
    first = end
    following = as_of
    while first > start and following - records[first - 1]["at"] <= GAP_MS:
        first -= 1
        following = records[first]["at"]
    return first


@compiled
def _fill_items(records: Records, first: int, end: int, out: Rows, i: int) -> None:
    """Write what concerns items: the distinct, the last, the cart.

    An add puts its value on the item's line of the cart, a removal takes its own value off
    (all of the line when it has none), a purchase empties the line. A line never falls below 0.
    """
    slots = 16
    while slots < 2 * (end - first):
        slots *= 2
    keys = np.zeros(slots, np.uint64)
    lines = np.zeros(slots, np.int64)
    inside = np.zeros(slots, np.uint8)
    distinct = 0
    last_item = np.uint64(0)
    for k in range(first, end):
        item = records[k]["item"]
        kind = records[k]["kind"]
        if item == 0 or not is_act(kind):
            continue
        slot = np.int64(item & np.uint64(slots - 1))
        while keys[slot] != 0 and keys[slot] != item:
            slot = (slot + 1) & (slots - 1)
        if keys[slot] == 0:
            keys[slot] = item
            distinct += 1
        last_item = item
        amount = records[k]["value"] if records[k]["currency"] == 0 else 0
        if kind == _ADD:
            inside[slot] = 1
            lines[slot] += amount
        elif kind == PURCHASE or (kind == _REMOVE and (amount <= 0 or amount >= lines[slot])):
            inside[slot] = 0
            lines[slot] = 0
        elif kind == _REMOVE:
            lines[slot] -= amount
    cart_items = 0
    cart_value = np.int64(0)
    for slot in range(slots):
        cart_items += inside[slot]
        cart_value += lines[slot]
    row = out[i]
    row["items"] = distinct
    row["last_item"] = last_item
    row["cart_items"] = cart_items
    row["cart_value"] = cart_value / MICROS


@compiled
def fill(records: Records, lifetime: Lifetime, as_of: int, cap: int, out: Rows, i: int) -> None:
    """Write one row; see View."""
    end = visible_end(records, as_of)
    open_row(records, end, as_of, out, i)
    first = session_start(records, max(0, end - cap), end, as_of)
    counts = np.zeros(KINDS, np.int64)
    spent = np.int64(0)
    for k in range(first, end):
        kind = records[k]["kind"]
        if kind < KINDS:
            counts[kind] += 1
        if kind == PURCHASE and records[k]["currency"] == 0:
            spent += records[k]["value"]
    row = out[i]
    row["open"] = 1 if first < end else 0
    row["events"] = end - first
    for kind in range(KINDS):
        row["counts"][kind] = counts[kind]
    row["since_start"] = (as_of - records[first]["at"]) / 1000 if first < end else -1.0
    row["since_last"] = (as_of - records[end - 1]["at"]) / 1000 if first < end else -1.0
    row["spent"] = spent / MICROS
    _fill_items(records, first, end, out, i)


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


SESSION = View(
    name="session",
    version=1,
    description="what happened in the current session (30-minute gap)",
    own_fields=(
        Field("open", "u1", "flag", "1 when the last event is at most 30 minutes old"),
        Field("events", "<i4", "events", "events of the session"),
        Field(
            "counts",
            "<i4",
            "events",
            "events of each kind",
            labels=tuple(kind.name for kind in Kind),
        ),
        Field("since_start", "<f8", "seconds", "since its first event; -1 when none is open", -1),
        Field("since_last", "<f8", "seconds", "since its last event; -1 when none is open", -1),
        Field("spent", "<f8", "house currency", "value of its purchases, refunds not deducted"),
        Field("items", "<i4", "items", "distinct items acted on"),
        Field("last_item", "<u8", "hash64", "the item acted on last; 0 when none"),
        Field("cart_items", "<i4", "items", "distinct items put in the cart and still there"),
        Field("cart_value", "<f8", "house currency", "value of what is in the cart"),
    ),
    fill=fill,
    fill_all=fill_all,
)
