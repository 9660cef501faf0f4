"""From id hashes to indices: an open-addressing table over two arrays, compiled.

A history of 512 events is looked up in a few microseconds. Knows nothing of what the
indices mean; entries are only ever added.
"""

import numpy as np
import numpy.typing as npt
from numba import njit

Hashes = npt.NDArray[np.uint64]
Indices = npt.NDArray[np.int32]

_LEAST = 16


@njit(cache=True)
def _insert(keys, slots, hashes, values):
    mask = keys.size - 1
    added = 0
    for row in range(hashes.size):
        spot = np.int64(hashes[row] & np.uint64(mask))
        while keys[spot] != 0 and keys[spot] != hashes[row]:
            spot = (spot + 1) & mask
        if keys[spot] == 0:
            added += 1
        keys[spot] = hashes[row]
        slots[spot] = values[row]
    return added


@njit(cache=True)
def find(table, hashes, found):
    """Write to int32[h] the index of each hash in the `table` of a Lookup, -1 for none."""
    keys, slots = table
    mask = keys.size - 1
    for row in range(hashes.size):
        found[row] = -1
        if hashes[row] == 0:
            continue
        spot = np.int64(hashes[row] & np.uint64(mask))
        while keys[spot] != 0:
            if keys[spot] == hashes[row]:
                found[row] = slots[spot]
                break
            spot = (spot + 1) & mask


class Lookup:
    """A growing map from non-zero 64-bit hashes to int32 indices (linear probing).

    The table is kept at most half full (Knuth, The Art of Computer Programming 3, 6.4).
    A hash added again answers its latest index.
    """

    def __init__(self, room: int = 0) -> None:
        size = _LEAST
        while size < 2 * room:
            size *= 2
        self._keys = np.zeros(size, np.uint64)
        self._slots = np.zeros(size, np.int32)
        self._used = 0

    @property
    def table(self) -> tuple[Hashes, Indices]:
        """The keys and their indices as `find` takes them; a later `add` may replace them."""
        return self._keys, self._slots

    def add(self, hashes: Hashes, first: int) -> None:
        """Map `hashes`, none of them 0, to `first`, `first` + 1, …."""
        if 2 * (self._used + hashes.size) > self._keys.size:
            self._grow(self._used + hashes.size)
        values = np.arange(first, first + hashes.size, dtype=np.int32)
        self._used += int(_insert(self._keys, self._slots, hashes, values))

    def find(self, hashes: Hashes) -> Indices:
        """Answer the index of each hash, -1 where there is none (and for the hash 0)."""
        found = np.empty(hashes.size, np.int32)
        find(self.table, hashes, found)
        return found

    def _grow(self, room: int) -> None:
        filled = np.flatnonzero(self._keys)
        keys, slots = self._keys[filled], self._slots[filled]
        size = self._keys.size
        while size < 2 * room:
            size *= 2
        self._keys = np.zeros(size, np.uint64)
        self._slots = np.zeros(size, np.int32)
        _insert(self._keys, self._slots, keys, slots)
