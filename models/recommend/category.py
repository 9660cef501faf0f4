"""Category: what is wanted most in the categories that a user is in.

Every event speaks for the categories of its item, the last with weight 1, the one before with
the decay, and so on; a category passes what it is given on to its items, each by its share of
what was wanted there lately. Knows nothing of what categories mean.
"""

from typing import Any, Self

import numpy as np
import numpy.typing as npt
from numba import njit

from models.recommend.member import Floats, Ints, Moving, Past, frozen, moments, standardise
from models.recommend.touched import Touched

I64 = npt.NDArray[np.int64]
_FADED = 1e-5
"""Events whose decayed weight is below this are left out: they no longer move the score."""


@njit(cache=True, nogil=True, error_model="numpy")
def _given(
    belongs: tuple[np.ndarray, np.ndarray],
    past: tuple[np.ndarray, np.ndarray],
    decay: float,
    out: np.ndarray,
) -> None:
    """Add to float64[g] what a history gives each category; an event's whole is its weight."""
    offsets, groups = belongs
    indices, weights = past
    fading = 1.0
    for j in range(indices.shape[0] - 1, -1, -1):
        if fading < _FADED:
            break
        begin, end = offsets[indices[j]], offsets[indices[j] + 1]
        for e in range(begin, end):
            out[groups[e]] += fading * weights[j] / (end - begin)
        fading *= decay


@njit(cache=True, nogil=True, error_model="numpy")
def _pass_on(
    holds: tuple[np.ndarray, np.ndarray, np.ndarray], given: np.ndarray, out: np.ndarray
) -> tuple[float, float]:
    offsets, items, shares = holds
    out[:] = 0.0
    for group in range(given.shape[0]):
        if given[group] > 0.0:
            for e in range(offsets[group], offsets[group + 1]):
                out[items[e]] += np.float32(given[group]) * shares[e]
    return moments(out)


@njit(cache=True, nogil=True, error_model="numpy")
def _passed(
    holds: tuple[np.ndarray, np.ndarray, np.ndarray], given: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Answer what `_pass_on` adds, in its order: int32[e] items and float32[e]."""
    offsets, items, shares = holds
    count = 0
    for group in range(given.shape[0]):
        if given[group] > 0.0:
            count += offsets[group + 1] - offsets[group]
    names, values = np.empty(count, np.int32), np.empty(count, np.float32)
    at = 0
    for group in range(given.shape[0]):
        if given[group] > 0.0:
            for e in range(offsets[group], offsets[group + 1]):
                names[at], values[at] = items[e], np.float32(given[group]) * shares[e]
                at += 1
    return names, values


@njit(cache=True, nogil=True, error_model="numpy")
def _share(holds: tuple[np.ndarray, np.ndarray, np.ndarray], group: int, item: int) -> float:
    """Answer an item's share of a category; 0 where it is not listed there."""
    offsets, items, shares = holds
    low, high = offsets[group], offsets[group + 1]
    while low < high:
        middle = (low + high) >> 1
        if items[middle] < item:
            low = middle + 1
        else:
            high = middle
    if low < offsets[group + 1] and items[low] == item:
        return float(shares[low])
    return 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def _shared(
    belongs: tuple[np.ndarray, np.ndarray],
    holds: tuple[np.ndarray, np.ndarray, np.ndarray],
    indices: np.ndarray,
    worth: np.ndarray,
    targets: np.ndarray,
    out: np.ndarray,
) -> None:
    """Write what each event, of float64[h] worth, gives each target through what both are in."""
    offsets, groups = belongs
    mine = np.zeros(holds[0].shape[0] - 1)
    for t in range(targets.shape[0]):
        begin, end = offsets[targets[t]], offsets[targets[t] + 1]
        for e in range(begin, end):
            mine[groups[e]] = _share(holds, int(groups[e]), int(targets[t]))
        for j in range(indices.shape[0]):
            first, last = offsets[indices[j]], offsets[indices[j] + 1]
            common = 0.0
            for e in range(first, last):
                common += mine[groups[e]]
            if common > 0.0:
                out[t, j] = worth[j] * common / (last - first)
        for e in range(begin, end):
            mine[groups[e]] = 0.0


class Category(Moving):
    """Which categories items are in, and how much of each category's demand each item has."""

    def __init__(
        self,
        belongs: tuple[np.ndarray, np.ndarray],
        holds: tuple[np.ndarray, np.ndarray, np.ndarray],
        decay: float,
    ) -> None:
        """Take both ways as compressed sparse rows, and the history's decay in (0, 1].

        belongs: int64[n + 1] and int32[e], the categories of each item. holds: int64[g + 1],
        int32[e] and float32[e], the items of each category in order, and their shares.
        """
        self.belongs: tuple[I64, Ints] = (
            frozen(belongs[0], np.int64),
            frozen(belongs[1], np.int32),
        )
        self.holds: tuple[I64, Ints, Floats] = (
            frozen(holds[0], np.int64),
            frozen(holds[1], np.int32),
            frozen(holds[2], np.float32),
        )
        self.decay = float(decay)

    def raw(self, past: Past, out: Floats) -> tuple[float, float]:
        """Write what the categories of `past` pass on."""
        given = np.zeros(self.holds[0].shape[0] - 1)
        _given(self.belongs, (past.indices, past.weights), self.decay, given)
        return _pass_on(self.holds, given, out)

    def touch(self, past: Past) -> Touched:
        """Answer what the categories of `past` pass on; see `raw`."""
        given = np.zeros(self.holds[0].shape[0] - 1)
        _given(self.belongs, (past.indices, past.weights), self.decay, given)
        return Touched.of(*_passed(self.holds, given), len(self.belongs[0]) - 1)

    def influences(self, targets: Ints, past: Past) -> Floats:
        """Answer float32[t, h]: what each event gives each target through categories of both."""
        h = past.indices.shape[0]
        out = np.zeros((targets.shape[0], h), np.float32)
        worth = self.decay ** np.arange(h - 1, -1, -1) * past.weights
        _shared(self.belongs, self.holds, past.indices, worth, targets, out)
        return out

    def similar(self, index: int, out: Floats) -> None:
        """Write standard scores of what is wanted in the item's own categories."""
        given = np.zeros(self.holds[0].shape[0] - 1)
        one = (np.array([index], np.int32), np.ones(1, np.float32))
        _given(self.belongs, one, 1.0, given)
        _pass_on(self.holds, given, out)
        standardise(out)

    def arrays(self) -> dict[str, np.ndarray]:
        """Answer both ways as compressed sparse rows; see the constructor."""
        names = ("offsets", "groups", "group_offsets", "items", "shares")
        return dict(zip(names, (*self.belongs, *self.holds), strict=True))

    def params(self) -> dict[str, Any]:
        """Answer decay: the factor by which each older event counts less."""
        return {"decay": self.decay}

    @classmethod
    def from_parts(cls, arrays: dict[str, np.ndarray], params: dict[str, Any]) -> Self:
        """Make the member again from what `arrays` and `params` answered."""
        belongs = (arrays["offsets"], arrays["groups"])
        holds = (arrays["group_offsets"], arrays["items"], arrays["shares"])
        return cls(belongs, holds, params["decay"])
