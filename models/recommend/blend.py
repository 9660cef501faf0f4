"""The blend: members' standard scores, each times a learned weight of 0 or more, added up.

What is the same for everybody is added up once; of the rest every member keeps its own row, so
that an answer can say whose proposal an item was. Knows nothing of what the members are or of
how the weights were learned.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numba import njit

from models.recommend.member import Floats, Ints, Member, Past, frozen


@njit(cache=True, nogil=True, error_model="numpy")
def weigh(parts: np.ndarray, weights: np.ndarray, base: np.ndarray, total: np.ndarray) -> None:
    """Write to float32[n] `base` and the rows of `parts` (float32[m, n]) times their weights."""
    if parts.shape[0] == 2:
        one, other, first, second = parts[0], parts[1], weights[0], weights[1]
        for i in range(total.shape[0]):
            total[i] = base[i] + first * one[i] + second * other[i]
        return
    total[:] = base
    for m in range(parts.shape[0]):
        row, weight = parts[m], weights[m]
        for i in range(total.shape[0]):
            total[i] += weight * row[i]


@njit(cache=True, nogil=True, error_model="numpy")
def _gather(
    still: np.ndarray, moving: np.ndarray, weights: np.ndarray, rows: np.ndarray, out: np.ndarray
) -> None:
    first = still.shape[0]
    for i in range(rows.shape[0]):
        for m in range(first):
            out[m, i] = still[m, rows[i]]
        for m in range(moving.shape[0]):
            out[first + m, i] = weights[m] * moving[m, rows[i]]


class Scored(NamedTuple):
    """Scores of all n items, float32[n], and what each voice of the blend added to them.

    still: float32[s, n], what is the same for everybody. moving: float32[m, n], standard scores,
    and their weights, float32[m]. total = still.sum(0) + weights @ moving. Only `total` and
    `moving` are the caller's own.
    """

    total: Floats
    still: Floats
    moving: Floats
    weights: Floats

    def parts(self, rows: Ints) -> Floats:
        """Answer float32[s + m, k]: what each voice added to int32[k] items."""
        out = np.empty((len(self.still) + len(self.moving), rows.shape[0]), np.float32)
        _gather(self.still, self.moving, self.weights, rows, out)
        return out


def standard_parts(members: Sequence[Member], weights: Floats, past: Past, n: int) -> Floats:
    """Answer float32[m, n]: the standard scores of each member; zeros where its weight is 0."""
    parts = np.empty((len(members), n), np.float32)
    for row, (member, weight) in enumerate(zip(members, weights, strict=True)):
        if weight > 0:
            member.score(past, parts[row])
        else:
            parts[row] = 0.0
    return parts


class Blend:
    """The members that are heard, over n items; `voices` are their names, in parts' order."""

    def __init__(
        self, names: Sequence[str], members: Sequence[Member], weights: Floats, n: int
    ) -> None:
        """Take every member and its weight; one of weight 0 is never asked."""
        heard = [
            (name, member, float(weight), member.standing)
            for name, member, weight in zip(names, members, weights.tolist(), strict=True)
            if weight > 0
        ]
        still = [one for one in heard if one[3] is not None]
        moving = [one for one in heard if one[3] is None]
        self.voices = tuple([one[0] for one in still + moving])
        rows = [np.float32(weight) * row for _, _, weight, row in still if row is not None]
        self._still = frozen(np.array(rows, np.float32).reshape(len(rows), n), np.float32)
        self._base = frozen(self._still.sum(axis=0, dtype=np.float32), np.float32)
        self._members = tuple([one[1] for one in moving])
        self._weights = frozen(np.array([one[2] for one in moving]), np.float32)

    def score(self, past: Past) -> Scored:
        """Answer the weighted scores of all items for one history."""
        moving = np.empty((len(self._members), self._base.shape[0]), np.float32)
        total = np.empty(self._base.shape[0], np.float32)
        for row, member in enumerate(self._members):
            member.score(past, moving[row])
        weigh(moving, self._weights, self._base, total)
        return Scored(total, self._still, moving, self._weights)
