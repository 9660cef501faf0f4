"""The `sequence` view: the last items an entity acted on, oldest first.

Impressions and `seen` are what was shown, not done, and are left out, as are events without
an item. Knows items only by hash.
"""

import numpy as np
import numpy.typing as npt

from feature_store.compiling import compiled
from feature_store.records import Lifetime, Records
from feature_store.views.view import Field, Rows, View
from feature_store.views.window import is_act, open_row, visible_end

LENGTH = 50


@compiled
def fill(records: Records, lifetime: Lifetime, as_of: int, cap: int, out: Rows, i: int) -> None:
    """Write one row; see View."""
    end = visible_end(records, as_of)
    start = max(0, end - cap)
    open_row(records, end, as_of, out, i)
    found = 0
    first = end
    while first > start and found < LENGTH:
        first -= 1
        if records[first]["item"] != 0 and is_act(records[first]["kind"]):
            found += 1
    items, kinds, ats = out[i]["items"], out[i]["kinds"], out[i]["ats"]
    place = 0
    for k in range(first, end):
        if records[k]["item"] != 0 and is_act(records[k]["kind"]):
            items[place] = records[k]["item"]
            kinds[place] = records[k]["kind"]
            ats[place] = records[k]["at"]
            place += 1
    for k in range(place, LENGTH):
        items[k] = 0
        kinds[k] = 0
        ats[k] = 0
    out[i]["length"] = place


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


_PLACES = tuple(str(place) for place in range(LENGTH))

SEQUENCE = View(
    name="sequence",
    version=1,
    description=f"the last {LENGTH} acts on items, oldest first",
    own_fields=(
        Field("length", "<i4", "acts", f"how many places are filled, at most {LENGTH}"),
        Field("items", "<u8", "hash64", "item of each act; 0 is padding", labels=_PLACES),
        Field("kinds", "u1", "Kind", "kind of each act", labels=_PLACES),
        Field("ats", "<i8", "ms UTC", "time of each act", labels=_PLACES),
    ),
    fill=fill,
    fill_all=fill_all,
)
