"""Rows of views made of states as they were read: the very functions that training replays.

Knows nothing of what the rows are used for.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from feature_store.records import Records
from feature_store.store import EntityState
from feature_store.views.view import View


def owned(records: Records) -> Records:
    """Answer a copy that may be written to: read-only bytes are another type to a kernel, which
    would be compiled anew while somebody waits.

    As one stretch of bytes, because numpy copies packed records field by field.
    """
    return np.ndarray(len(records), records.dtype, bytearray(records.view(np.uint8)))


def view_rows(
    views: Sequence[View], states: Sequence[EntityState], as_ofs: Sequence[int], cap: int
) -> dict[str, npt.NDArray[Any]]:
    """Answer a row of each view for each state as of its time, by the view's name."""
    out: dict[str, npt.NDArray[Any]] = {}
    for view in views:
        # Bytes of zeros, seen as rows: numpy takes longer over rows of many fields.
        room = bytearray(len(states) * view.dtype.itemsize)
        out[view.name] = np.ndarray(len(states), view.dtype, room)
    for place, (state, as_of) in enumerate(zip(states, as_ofs, strict=True)):
        lifetime, records = state.lifetime.copy(), owned(state.records)
        for view in views:
            view.fill(records, lifetime, as_of, cap, out[view.name], place)
    return out
