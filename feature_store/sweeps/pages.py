"""Choosing among a sweep's rows: by band, loss and probability, in one of four orders.

A place in a selection stays what it is, because a sweep never changes once it is whole. Knows
nothing of cursors' text or of requests.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from domain.scores import Band
from feature_store.sweeps.table import SweepTable

I64 = npt.NDArray[np.int64]
LEVELS: tuple[Band, ...] = tuple(Band)
"""A level is a place in here."""
SORTS = ("expected_loss", "probability", "value", "user")
"""Highest first, unknown last; users by name."""


class Wanted(NamedTuple):
    """Which users: all conditions that are given must hold; an unknown loss is below any."""

    bands: tuple[Band, ...] = ()
    min_loss: float | None = None
    min_probability: float | None = None


def chosen(table: SweepTable, wanted: Wanted) -> npt.NDArray[np.bool_]:
    """Answer which rows are wanted, bool[n]."""
    keep = np.ones(len(table), np.bool_)
    if wanted.bands:
        keep &= np.isin(table["level"], [LEVELS.index(band) for band in wanted.bands])
    if wanted.min_loss is not None:
        keep &= table["expected_loss"] >= wanted.min_loss
    if wanted.min_probability is not None:
        keep &= table["probability"] >= wanted.min_probability
    return keep


def selection(table: SweepTable, wanted: Wanted, sort: str = SORTS[0]) -> I64:
    """Answer the wanted rows in the order of `sort`, int64[m]; raises KeyError for another."""
    keep = chosen(table, wanted)
    # Rows are ranked by expected loss as they lie.
    if sort == SORTS[0]:
        return np.flatnonzero(keep)
    order = table[f"by_{sort}"].astype(np.int64)
    return order[keep[order]]
