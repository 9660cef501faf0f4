"""Reach: what somebody has already counted for something, so that nobody counts twice.

Pairs are remembered with the strongest of what they ever said; only what is stronger adds, so
that a sum over people is a sum of maxima, whatever the order. Some million pairs are held, the
latest to be heard of; one that was forgotten may count anew. Knows nothing of items or users.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

F64 = npt.NDArray[np.float64]
U64 = npt.NDArray[np.uint64]

SLOTS = 1 << 20
"""Places of each of two generations; a power of two. Pages that nothing is put on cost nothing."""
_FULL = 0.6
_AT_ONCE = 1 << 16


def pairs_of(people: U64, things: U64) -> U64:
    """Answer one number above 0 for each pair of hashes (SplitMix64's finish; Steele and others,
    2014)."""
    with np.errstate(over="ignore"):
        mixed = people ^ (things * np.uint64(0x9E3779B97F4A7C15))
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed ^= mixed >> np.uint64(31)
    return np.maximum(mixed, np.uint64(1))


@njit(cache=True, nogil=True, error_model="numpy")
def _place(keys: np.ndarray, pair: Any) -> Any:
    """Answer where a pair stands among keys, or the empty place where it would."""
    last = keys.shape[0] - 1
    slot = np.int64(pair & np.uint64(last))
    while keys[slot] != 0 and keys[slot] != pair:
        slot = (slot + 1) & last
    return slot


@njit(cache=True, nogil=True, error_model="numpy")
def _strengthen(
    now: tuple[np.ndarray, np.ndarray],
    earlier: tuple[np.ndarray, np.ndarray],
    pairs: np.ndarray,
    strengths: np.ndarray,
    before: np.ndarray,
) -> int:
    """Write to float64[n, s] what each pair had said; remember the stronger; answer how many are
    new among those held now."""
    keys, held = now
    old_keys, old_held = earlier
    new = 0
    for j in range(pairs.shape[0]):
        slot = _place(keys, pairs[j])
        if keys[slot] == 0:
            keys[slot] = pairs[j]
            new += 1
            old = _place(old_keys, pairs[j])
            known = old_keys[old] != 0
            for c in range(strengths.shape[1]):
                held[slot, c] = old_held[old, c] if known else -np.inf
        for c in range(strengths.shape[1]):
            before[j, c] = held[slot, c]
            held[slot, c] = max(held[slot, c], strengths[j, c])
    return new


class Reach:
    """Pairs and the strongest of what each ever said, `columns` numbers a pair."""

    def __init__(self, columns: int, slots: int = SLOTS) -> None:
        self._columns, self._slots = columns, slots
        # Until there is an earlier generation, one empty place answers for it.
        self._earlier = (np.zeros(1, np.uint64), np.zeros((1, columns)))
        self._now = self._empty()
        self._held = 0

    def _empty(self) -> tuple[U64, F64]:
        return np.zeros(self._slots, np.uint64), np.zeros((self._slots, self._columns))

    def strengthen(self, pairs: U64, strengths: F64) -> F64:
        """Answer what each pair had said before, float64[n, s], -inf for nothing; keep the most.

        pairs: uint64[n] above 0, any of them more than once; strengths: float64[n, s].
        """
        before = np.empty(strengths.shape)
        step = min(_AT_ONCE, max(1, int(self._slots * (1 - _FULL) / 2)))
        for start in range(0, len(pairs), step):
            some = slice(start, start + step)
            if self._held > _FULL * self._slots:
                self._earlier, self._now, self._held = self._now, self._empty(), 0
            self._held += _strengthen(
                self._now, self._earlier, pairs[some], strengths[some], before[some]
            )
        return before
