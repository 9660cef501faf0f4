"""What a view may see: the records before as_of, and of those the last `cap`.

Shared by every view, so that "no later than" is decided in one place. Changing it changes
every view: raise their versions, and clear compiled caches (`make clean`).
"""

from domain.events import Kind
from feature_store.compiling import compiled
from feature_store.records import Records
from feature_store.views.view import Rows

_FIRST_ACT = int(Kind.click)
_LAST_ACT = int(Kind.custom)


@compiled
def visible_end(records: Records, as_of: int) -> int:
    """Answer how many of the records (in order of at) have at < as_of."""
    high = len(records)
    if high == 0 or records[high - 1]["at"] < as_of:
        return high
    low = 0
    while low < high:
        middle = (low + high) // 2
        if records[middle]["at"] < as_of:
            low = middle + 1
        else:
            high = middle
    return low


@compiled
def open_row(records: Records, end: int, as_of: int, out: Rows, i: int) -> None:
    """Write the fields that every view opens with."""
    if end > 0:
        out[i]["found"] = 1
        out[i]["age"] = as_of - records[end - 1]["at"]
    else:
        out[i]["found"] = 0
        out[i]["age"] = -1


@compiled
def is_act(kind: int) -> bool:
    """Tell whether the kind is something the entity did, rather than something shown to it."""
    return _FIRST_ACT <= kind <= _LAST_ACT
