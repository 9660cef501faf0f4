"""The blend: members' standard scores, each times a learned weight of 0 or more, added up.

Every member keeps its own row, so an answer can say whose proposal an item was. Knows nothing
of what the members are or of how the weights were learned.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numba import njit

from models.recommend.member import Floats, Member, Past


class Scored(NamedTuple):
    """Scores of all n items and what each of the v members heard added: total = parts.sum(0).

    total: float32[n]; parts: float32[v, n], a row for each member whose weight is above 0.
    """

    total: Floats
    parts: Floats


@njit(cache=True, nogil=True, error_model="numpy")
def weigh(parts: np.ndarray, weights: np.ndarray, total: np.ndarray) -> None:
    """Scale each row of `parts` (float32[m, n]) in place by its weight; write their sum."""
    if parts.shape[0] == 0:
        total[:] = 0.0
    for m in range(parts.shape[0]):
        row, weight = parts[m], weights[m]
        if m == 0:
            for i in range(total.shape[0]):
                row[i] *= weight
                total[i] = row[i]
        else:
            for i in range(total.shape[0]):
                weighted = row[i] * weight
                row[i] = weighted
                total[i] += weighted


def standard_parts(members: Sequence[Member], weights: Floats, past: Past, n: int) -> Floats:
    """Answer float32[m, n]: the standard scores of each member; zeros where its weight is 0."""
    parts = np.empty((len(members), n), np.float32)
    for row, (member, weight) in enumerate(zip(members, weights, strict=True)):
        if weight > 0:
            member.score(past, parts[row])
        else:
            parts[row] = 0.0
    return parts


def blended(members: Sequence[Member], weights: Floats, past: Past, n: int) -> Scored:
    """Answer the weighted scores of all `n` items for one history; weights are above 0."""
    parts = standard_parts(members, weights, past, n)
    if len(members) == 1 and weights[0] == 1:
        return Scored(parts[0], parts)
    total = np.empty(n, np.float32)
    weigh(parts, weights, total)
    return Scored(total, parts)
