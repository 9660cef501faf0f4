"""Numbers of packed rows as float64: one pass over the bytes, for one row or a million.

A plan says which field of a row, and which place in it, becomes which column; numpy would take
a few microseconds a column, which for one customer is most of a score. Knows nothing of what the
fields mean.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

F64 = npt.NDArray[np.float64]
_KINDS = tuple(map(np.dtype, ("<f8", "<f4", "<i8", "<i4", "u1")))
"""What a field may hold; a plan has places in this."""


class Want(NamedTuple):
    """One column: a field, the place in it (-1: it has one number), and the value that means
    absent and becomes NaN (NaN: none does)."""

    field: str
    place: int
    absent: float
    column: int


class Plan(NamedTuple):
    """Of each column wanted: byte in the row, kind, the value that means absent, where to."""

    offset: npt.NDArray[np.int64]
    kind: npt.NDArray[np.int64]
    absent: F64
    column: npt.NDArray[np.int64]


@lru_cache(maxsize=64)
def _plan(dtype: np.dtype[Any], wants: tuple[Want, ...]) -> Plan:
    """Work out where the numbers lie; raises KeyError, IndexError and TypeError for rows that do
    not hold them."""
    offsets: list[int] = []
    kinds: list[int] = []
    fields: dict[Any, Any] = dict(dtype.fields or {})
    for want in wants:
        held, offset = fields[want.field][:2]
        count = int(np.prod(held.shape, dtype=np.int64))
        if held.base not in _KINDS:
            raise TypeError(f"{want.field} holds {held.base}, which no plan reads")
        if (want.place < 0) != (held.shape == ()) or want.place >= count:
            raise IndexError(f"{want.field} has no place {want.place}")
        offsets.append(offset + max(want.place, 0) * held.base.itemsize)
        kinds.append(_KINDS.index(held.base))
    return Plan(
        np.array(offsets, np.int64),
        np.array(kinds, np.int64),
        np.array([want.absent for want in wants], np.float64),
        np.array([want.column for want in wants], np.int64),
    )


@njit(cache=True, nogil=True, error_model="numpy")
def _gather(
    raw: np.ndarray,
    offset: np.ndarray,
    kind: np.ndarray,
    absent: np.ndarray,
    column: np.ndarray,
    out: np.ndarray,
) -> None:
    for i in range(raw.shape[0]):
        for k in range(offset.shape[0]):
            at = offset[k]
            if kind[k] == 0:
                value = raw[i, at : at + 8].view(np.float64)[0]
            elif kind[k] == 1:
                value = np.float64(raw[i, at : at + 4].view(np.float32)[0])
            elif kind[k] == 2:
                value = np.float64(raw[i, at : at + 8].view(np.int64)[0])
            elif kind[k] == 3:
                value = np.float64(raw[i, at : at + 4].view(np.int32)[0])
            else:
                value = np.float64(raw[i, at])
            out[i, column[k]] = np.nan if value == absent[k] else value


def gather(rows: npt.NDArray[Any], wants: Sequence[Want], out: F64) -> None:
    """Write the columns wanted of n packed rows into `out`, float64[n, columns].

    Raises KeyError, IndexError and TypeError for rows that do not hold them.
    """
    Gatherer(wants).write(rows, out)


class Gatherer:
    """Wants whose plan is worked out once for each layout of rows; may run in threads."""

    def __init__(self, wants: Sequence[Want]) -> None:
        self.wants = tuple(wants)
        # One value that is replaced whole, so that no thread pairs a layout with another's plan.
        self._known: tuple[np.dtype[Any], Plan] | None = None

    def write(self, rows: npt.NDArray[Any], out: F64) -> None:
        """As `gather`."""
        known = self._known
        if known is None or known[0] is not rows.dtype:
            self._known = known = (rows.dtype, _plan(rows.dtype, self.wants))
        raw = np.ascontiguousarray(rows).view(np.uint8).reshape(len(rows), rows.dtype.itemsize)
        if not raw.flags.writeable:
            # To the kernel a read-only array is another type, compiled while somebody waits.
            raw = raw.copy()
        _gather(raw, *known[1], out)
