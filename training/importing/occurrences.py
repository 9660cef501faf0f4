"""Counting how often each row has been seen so far, in a table that grows on disk.

Two identical rows of one file are two events; their ids differ by this count. The table
holds 12 bytes a distinct row, in memory while small and behind a memory-mapped scratch
file beyond that. Knows nothing of rows: it is given 64-bit hashes.
"""

import tempfile
from pathlib import Path

import numba
import numpy as np
import numpy.typing as npt

U64 = npt.NDArray[np.uint64]
U32 = npt.NDArray[np.uint32]

IN_MEMORY_SLOTS = 1 << 23
_FULL = 0.6


@numba.njit(cache=True)
def _count(keys, counts, hashes, out):
    """Write for each hash how often it came before; answer how many are new."""
    mask = np.uint64(keys.size - 1)
    fresh = 0
    for place in range(hashes.size):
        key = hashes[place]
        slot = key & mask
        while keys[slot] != 0 and keys[slot] != key:
            slot = (slot + np.uint64(1)) & mask
        if keys[slot] == 0:
            keys[slot] = key
            fresh += 1
        out[place] = counts[slot]
        counts[slot] += np.uint32(1)
    return fresh


@numba.njit(cache=True)
def _move(old_keys, old_counts, keys, counts):
    mask = np.uint64(keys.size - 1)
    for place in range(old_keys.size):
        key = old_keys[place]
        if key != 0:
            slot = key & mask
            while keys[slot] != 0:
                slot = (slot + np.uint64(1)) & mask
            keys[slot] = key
            counts[slot] = old_counts[place]


class Occurrences:
    """How often each hash has been seen; exact, and independent of batch sizes."""

    def __init__(self, scratch: Path | None = None, slots: int = 1 << 16) -> None:
        self._scratch = scratch
        self._keys, self._counts = self._table(slots)
        self._used = 0

    def _table(self, slots: int) -> tuple[U64, U32]:
        if slots <= IN_MEMORY_SLOTS:
            return np.zeros(slots, np.uint64), np.zeros(slots, np.uint32)
        # Unlinked at once: the space goes back when the table is dropped, also after a kill.
        with tempfile.TemporaryFile(dir=self._scratch) as file:
            file.truncate(12 * slots)
            whole = np.memmap(file, np.uint8, "r+", shape=(12 * slots,))
        return whole[: 8 * slots].view(np.uint64), whole[8 * slots :].view(np.uint32)

    def count(self, hashes: U64) -> U32:
        """Answer for each hash, in order, how often it was seen before; 0 the first time."""
        hashes = np.where(hashes == 0, np.uint64(1), hashes)
        while (self._used + hashes.size) > _FULL * self._keys.size:
            keys, counts = self._table(2 * self._keys.size)
            _move(self._keys, self._counts, keys, counts)
            self._keys, self._counts = keys, counts
        out = np.zeros(hashes.size, np.uint32)
        self._used += int(_count(self._keys, self._counts, hashes, out))
        return out
