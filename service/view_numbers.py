"""The numbers of a user that bids are valued by: two views, filled in one compiled call.

The very functions that training replays, on the bytes as they were read; the numbers are picked
from the rows in one go. Knows nothing of auctions, consent or models.
"""

import struct
from collections.abc import Mapping
from operator import itemgetter
from typing import Any

import numpy as np
import numpy.typing as npt

from feature_store.compiling import compiled
from feature_store.records import EMPTY_LIFETIME, EMPTY_RECORDS, Lifetime, Records
from feature_store.views import rfm, session
from feature_store.views.view import Rows
from models.bidding.columns import NUMBERS, Number

_fill_rfm, _fill_session = rfm.fill, session.fill
_VIEWS = {"rfm": rfm.RFM, "session": session.SESSION}
_CODES: Mapping[str, str] = {"u1": "B", "i4": "i", "i8": "q", "f4": "f", "f8": "d"}
_ABSENT = tuple(number.absent for number in NUMBERS)


@compiled
def _fill(
    records: Records, lifetime: Lifetime, as_of: int, cap: int, one: Rows, other: Rows
) -> None:
    """Write a row of rfm to `one` and of session to `other`; see View."""
    _fill_rfm(records, lifetime, as_of, cap, one, 0)
    _fill_session(records, lifetime, as_of, cap, other, 0)


def _offset(number: Number, starts: Mapping[str, int]) -> tuple[int, str]:
    """Answer where a number lies in the rows, which follow each other, and as what."""
    fields: Any = _VIEWS[number.view].dtype.fields
    dtype, start = fields[number.field][:2]
    place = max(number.place, 0) * dtype.base.itemsize
    return starts[number.view] + start + place, _CODES[dtype.base.str[1:]]


class ViewNumbers:
    """Room for the rows of one user at a time; a worker has one and no thread shares it."""

    def __init__(self) -> None:
        """Compile, or fetch what was compiled, so that no request waits for it."""
        sizes = [view.dtype.itemsize for view in _VIEWS.values()]
        self._room = bytearray(sum(sizes))
        self._one: Any = np.ndarray(1, rfm.RFM.dtype, self._room)
        self._other: Any = np.ndarray(1, session.SESSION.dtype, self._room, sizes[0])
        found = [_offset(one, {"rfm": 0, "session": sizes[0]}) for one in NUMBERS]
        order = sorted(range(len(found)), key=found.__getitem__)
        text, at = "<", 0
        for place in order:
            offset, code = found[place]
            text += f"{offset - at}x{code}"
            at = offset + struct.calcsize("<" + code)
        self._unpack = struct.Struct(text).unpack_from
        self._sort = itemgetter(*[order.index(place) for place in range(len(order))])
        # What a store answers may be written to or not: another type each to the compiler.
        for lifetime in (EMPTY_LIFETIME, EMPTY_LIFETIME.copy()):
            self.of(EMPTY_RECORDS, lifetime, 0, 1)

    def of(
        self, records: Records, lifetime: Lifetime, as_of: int, cap: int
    ) -> npt.NDArray[np.float64] | None:
        """Answer float64[len(NUMBERS)] as `models.bidding.columns.common_row` takes them from rows.

        None without an event before as_of (ms UTC): nothing is known. NaN: there is none.
        """
        _fill(records, lifetime, as_of, cap, self._one, self._other)
        # Every view opens with whether any event was seen.
        if not self._room[0]:
            return None
        picked = self._sort(self._unpack(self._room))
        kept = [
            np.nan if value == absent else value
            for value, absent in zip(picked, _ABSENT, strict=True)
        ]
        return np.array(kept, np.float64)
