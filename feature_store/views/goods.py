"""The `goods` view: the last items an entity bought and kept, and which of them came last.

Purchases are net of refunds (see purchases.py); lines of one millisecond are one order. What was
only looked at is the `sequence` view's. Knows items only by hash, and nothing of other buyers.
"""

import numpy as np
import numpy.typing as npt

from feature_store.compiling import compiled
from feature_store.records import Lifetime, Records
from feature_store.views.purchases import net_purchases
from feature_store.views.view import Field, Rows, View
from feature_store.views.window import open_row, visible_end

LENGTH = 32


@compiled
def fill(records: Records, lifetime: Lifetime, as_of: int, cap: int, out: Rows, i: int) -> None:
    """Write one row; see View."""
    end = visible_end(records, as_of)
    start = max(0, end - cap)
    open_row(records, end, as_of, out, i)
    kept, _, _, _ = net_purchases(records, start, end)
    items = out[i]["items"]
    found = 0
    last = 0
    latest = np.int64(-1)
    for back in range(end - start):
        k = end - 1 - back
        if found == LENGTH:
            break
        if not kept[k - start] or records[k]["item"] == 0:
            continue
        if found == 0:
            latest = records[k]["at"]
        last += records[k]["at"] == latest
        items[found] = records[k]["item"]
        found += 1
    for k in range(found, LENGTH):
        items[k] = 0
    out[i]["length"] = found
    out[i]["last"] = last


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


_PLACES = tuple(f"{place:02}" for place in range(LENGTH))

GOODS = View(
    name="goods",
    version=1,
    description=f"the last {LENGTH} items bought and not sent back, latest first",
    own_fields=(
        Field("length", "<i4", "purchases", f"how many places are filled, at most {LENGTH}"),
        Field("last", "<i4", "purchases", "how many of them, from the first place, are one order"),
        Field("items", "<u8", "hash64", "item of each purchase; 0 is padding", labels=_PLACES),
    ),
    fill=fill,
    fill_all=fill_all,
)
