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
def weigh(
    raw: np.ndarray, means: np.ndarray, gains: np.ndarray, base: np.ndarray, total: np.ndarray
) -> None:
    """Write to float32[n] `base` and (raw - mean) * gain of each row of `raw` (float32[m, n])."""
    if raw.shape[0] == 2:
        one, other, first, second = raw[0], raw[1], gains[0], gains[1]
        shift = -first * means[0] - second * means[1]
        for i in range(total.shape[0]):
            total[i] = base[i] + (first * one[i] + second * other[i] + shift)
        return
    total[:] = base
    for m in range(raw.shape[0]):
        row, mean, gain = raw[m], means[m], gains[m]
        for i in range(total.shape[0]):
            total[i] += (row[i] - mean) * gain


@njit(cache=True, nogil=True, error_model="numpy")
def _gather(
    still: np.ndarray,
    moving: tuple[np.ndarray, np.ndarray, np.ndarray],
    rows: np.ndarray,
    out: np.ndarray,
) -> None:
    raw, means, gains = moving
    first = still.shape[0]
    for i in range(rows.shape[0]):
        for m in range(first):
            out[m, i] = still[m, rows[i]]
        for m in range(raw.shape[0]):
            out[first + m, i] = (raw[m, rows[i]] - means[m]) * gains[m]


@njit(cache=True, nogil=True, error_model="numpy")
def _among(
    base: np.ndarray, still: np.ndarray, standing: np.ndarray, rows: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Answer the columns of int32[u] rows of float32[n] and of float32[s, n], twice."""
    count, u = still.shape[0], rows.shape[0]
    some = np.empty(u, np.float32)
    first, second = np.empty((count, u), np.float32), np.empty((count, u), np.float32)
    for i in range(u):
        some[i] = base[rows[i]]
        for s in range(count):
            first[s, i] = still[s, rows[i]]
            second[s, i] = standing[s, rows[i]]
    return some, first, second


class Scored(NamedTuple):
    """Scores of all n items, float32[n], and what each voice of the blend added to them.

    still: float32[s, n], what is the same for everybody, shared. moving: the scores of the
    others in their own units, float32[m, n], their means and their gains, float32[m]; each
    adds (raw - mean) * gain. standing: the standard scores behind `still`; scales: float32[m],
    what makes the others' standard scores of (raw - mean). best: int32, the items of the
    highest totals in their order, as far as somebody knows it who looked; None for nobody.
    """

    total: Floats
    still: Floats
    moving: tuple[Floats, Floats, Floats]
    standing: Floats
    scales: Floats
    best: Ints | None = None

    def parts(self, rows: Ints) -> Floats:
        """Answer float32[s + m, k]: what each voice added to int32[k] items."""
        out = np.empty((len(self.still) + len(self.moving[0]), rows.shape[0]), np.float32)
        _gather(self.still, self.moving, rows, out)
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
        self,
        names: Sequence[str],
        members: Sequence[Member],
        weights: Floats,
        n: int,
        also: Sequence[str] = (),
    ) -> None:
        """Take every member and its weight; one of weight 0 is asked only if `also` names it."""
        heard = [
            (name, member, float(weight), member.standing)
            for name, member, weight in zip(names, members, weights.tolist(), strict=True)
            if weight > 0 or name in also
        ]
        still = [one for one in heard if one[3] is not None]
        moving = [one for one in heard if one[3] is None]
        self.voices = tuple([one[0] for one in still + moving])
        rows = [row for _, _, _, row in still if row is not None]
        shares = np.array([one[2] for one in still], np.float32)
        self._standing = frozen(np.array(rows, np.float32).reshape(len(rows), n), np.float32)
        self._still = frozen(self._standing * shares[:, None], np.float32)
        self._base = frozen(self._still.sum(axis=0, dtype=np.float32), np.float32)
        self._members = tuple([one[1] for one in moving])
        self._weights = frozen(np.array([one[2] for one in moving]), np.float32)

    @property
    def moving(self) -> tuple[Member, ...]:
        """The members whose scores depend on the history, in parts' order."""
        return self._members

    @property
    def standing(self) -> Floats:
        """The standard scores of what is the same for everybody: float32[s, n]."""
        return self._standing

    @property
    def base(self) -> Floats:
        """What is the same for everybody, added up: float32[n]."""
        return self._base

    def few(self, rows: Ints, raw: Floats, means: Floats, scales: Floats) -> Scored:
        """Answer the weighted scores of int32[u] items alone, numbered as they stand there.

        raw: float32[m, u], what `moving` says of them; means, scales: float32[m] over all items.
        """
        total, gains = np.empty(rows.shape[0], np.float32), scales * self._weights
        base, still, standing = _among(self._base, self._still, self._standing, rows)
        base, still, standing = (frozen(one, np.float32) for one in (base, still, standing))
        weigh(raw, means, gains, base, total)
        return Scored(total, still, (raw, means, gains), standing, scales)

    def score(self, past: Past) -> Scored:
        """Answer the weighted scores of all items for one history."""
        count, n = len(self._members), self._base.shape[0]
        raw, total = np.empty((count, n), np.float32), np.empty(n, np.float32)
        means, scales = np.empty(count, np.float32), np.empty(count, np.float32)
        for row, member in enumerate(self._members):
            means[row], scales[row] = member.raw(past, raw[row])
        gains = scales * self._weights
        weigh(raw, means, gains, self._base, total)
        return Scored(total, self._still, (raw, means, gains), self._standing, scales)
