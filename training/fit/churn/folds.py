"""Folds for tuning, all of them earlier than what is tested: by cut-off, else by customer.

A row may be learned from when its label window ends by the cut-off that is asked about (purged).
Knows nothing of models.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

I64 = npt.NDArray[np.int64]
LEAST = 100
"""Rows of either label that a fold must be able to learn from."""


class Fold(NamedTuple):
    """Places of rows to learn from and to be judged on."""

    train: I64
    valid: I64


def purged(as_of: I64, cutoff: int, window_ms: int) -> npt.NDArray[np.bool_]:
    """Answer which rows have a label that was known at the cut-off."""
    return as_of + window_ms <= cutoff


def time_folds(as_of: I64, y: npt.NDArray[np.uint8], window_ms: int, most: int) -> list[Fold]:
    """Answer at most `most` folds, each judged on one cut-off, the latest ones that suffice."""
    cutoffs = np.unique(as_of)
    folds: list[Fold] = []
    good = [one for one in cutoffs if _enough(y[purged(as_of, one, window_ms)])]
    if good:
        # Spread over what there is: neighbouring cut-offs nearly repeat each other.
        picks = np.unique(np.linspace(0, len(good) - 1, min(most, len(good))).round().astype(int))
        for place in picks:
            train = np.flatnonzero(purged(as_of, good[place], window_ms))
            folds.append(Fold(train, np.flatnonzero(as_of == good[place])))
    return [fold for fold in folds if len(np.unique(y[fold.valid])) == 2]


def customer_folds(
    owner: I64, y: npt.NDArray[np.uint8], count: int, rng: np.random.Generator
) -> list[Fold]:
    """Part the customers, with as many leavers in each part, and judge each part once."""
    owners, place = np.unique(owner, return_inverse=True)
    ever = np.zeros(len(owners), np.int64)
    np.maximum.at(ever, place, y)
    part = np.empty(len(owners), np.int64)
    for label in (0, 1):
        mine = rng.permutation(np.flatnonzero(ever == label))
        part[mine] = np.arange(len(mine)) % count
    parts = part[place]
    return [Fold(np.flatnonzero(parts != k), np.flatnonzero(parts == k)) for k in range(count)]


def tuning_folds(
    as_of: I64,
    owner: I64,
    y: npt.NDArray[np.uint8],
    window_ms: int,
    count: int,
    rng: np.random.Generator,
) -> tuple[list[Fold], str]:
    """Answer folds by time where two suffice, else by customer, and which it was."""
    folds = time_folds(as_of, y, window_ms, count)
    if len(folds) >= 2:
        return folds, "time"
    return customer_folds(owner, y, max(count, 3), rng), "customers"


def _enough(y: npt.NDArray[np.uint8]) -> bool:
    leavers = int(y.sum())
    return min(leavers, len(y) - leavers) >= LEAST
