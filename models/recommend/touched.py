"""What a member says of the few items it says anything of: their scores, and how those are spread.

All other items have score 0 in the member's own units. Scores are added up in the order in which
a pass over all items adds them, so they are the same but for the rounding of the last bit; mean
and deviation are over all items.
Knows nothing of members.
"""

from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from numba import njit

from models.recommend.member import Floats, Ints, Past, scale_of
from models.recommend.products import Whole
from models.recommend.rounded import products_at
from models.recommend.topk import top_k

_HASH = np.uint64(0x9E3779B97F4A7C15)


@njit(cache=True, nogil=True, error_model="numpy")
def _slot(table: np.ndarray, item: int, shift: int) -> int | np.signedinteger:
    """Answer where an item stands in an open table of int32[2^b, 2], or where it may."""
    mask = table.shape[0] - 1
    place = np.int64((np.uint64(item) * _HASH) >> np.uint64(shift))
    while table[place, 0] != item and table[place, 0] >= 0:
        place = (place + 1) & mask
    return place


@njit(cache=True, nogil=True, error_model="numpy")
def add_up(items: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """Add float32[e] values of int32[e] items, in order.

    Answers the different items in the order of their first, the sum of each, an open table of
    (item, place), and by how many bits its hashes are shifted.
    """
    bits = 3
    while (1 << bits) < 2 * items.shape[0]:
        bits += 1
    table = np.full((1 << bits, 2), -1, np.int32)
    names, sums = np.empty(items.shape[0], np.int32), np.empty(items.shape[0], np.float32)
    size = 0
    for e in range(items.shape[0]):
        slot = _slot(table, int(items[e]), 64 - bits)
        if table[slot, 0] < 0:
            table[slot, 0], table[slot, 1] = items[e], size
            names[size], sums[size] = items[e], 0.0
            size += 1
        sums[table[slot, 1]] += values[e]
    return names[:size], sums[:size], table, 64 - bits


@njit(cache=True, nogil=True, error_model="numpy")
def _spread(sums: np.ndarray, n: int) -> tuple[float, float]:
    total, squares = 0.0, 0.0
    for i in range(sums.shape[0]):
        score = np.float64(sums[i])
        total += score
        squares += score * score
    return scale_of(total, squares, n)


@njit(cache=True, nogil=True, error_model="numpy")
def _look(
    table: np.ndarray, shift: int, sums: np.ndarray, rows: np.ndarray, out: np.ndarray
) -> None:
    for i in range(rows.shape[0]):
        slot = _slot(table, int(rows[i]), shift)
        out[i] = sums[table[slot, 1]] if table[slot, 0] >= 0 else np.float32(0)


class Touched(NamedTuple):
    """Scores in own units of the items a member speaks of; all others have 0.

    names: int32[t], different items. sums: float32[t]. mean, scale: the mean of all items'
    scores and 1 / their deviation, as Member.raw answers them.
    """

    names: Ints
    sums: Floats
    table: Ints
    shift: int
    mean: float
    scale: float

    @classmethod
    def of(cls, items: Ints, values: Floats, n: int, columns: Floats | None = None) -> "Touched":
        """Add up int32[e] and float32[e], of n items; columns: float32[n], a factor of each."""
        names, sums, table, shift = add_up(items, values)
        if columns is not None:
            sums *= columns[names]
        return cls(names, sums, table, shift, *_spread(sums, n))

    def best(self, most: int, allowed: np.ndarray | None) -> Ints:
        """Answer up to `most` of the items with the highest scores, of those in bool[n]."""
        some = None if allowed is None else allowed[self.names]
        return self.names[top_k(self.sums, most, some)]

    def at(self, rows: Ints, out: Floats) -> None:
        """Write the scores of int32[k] items."""
        _look(self.table, self.shift, self.sums, rows, out)


class Asked(NamedTuple):
    """What a member with item vectors asks for: int16[d], whose products are the scores.

    mean, scale: of all items' products, as Member.raw answers them.
    """

    vector: Whole
    mean: float
    scale: float


@runtime_checkable
class Touching(Protocol):
    """A member that speaks of few items."""

    def touch(self, past: Past) -> Touched:
        """Answer the scores of `raw` that are not 0."""
        ...


@runtime_checkable
class Asking(Protocol):
    """A member whose scores are products of item vectors with one vector."""

    @property
    def told_by(self) -> tuple[Floats, float]:
        """The item vectors, float32[n, d], and what they are multiplied by before rounding."""
        ...

    def asked(self, past: Past) -> Asked:
        """Answer the vector whose products are the scores of `raw`."""
        ...


def products_of(member: Asking, vector: Whole, rows: Ints, out: Floats) -> None:
    """Write the products of int32[k] rows of the member's vectors, as `raw` has them."""
    vectors, scale = member.told_by
    products_at(vectors, scale, vector, rows, out)
