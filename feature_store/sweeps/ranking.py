"""From scored parts to a ranked table: bands held on to, crossings found, rows put in order.

What a band is comes as a function, so this knows nothing of limits, models or messages.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from feature_store.log.arrow import pa, pc
from feature_store.sweeps.table import SweepTable, by_name

I8 = npt.NDArray[np.int8]
F64 = npt.NDArray[np.float64]
NEW = -1
"""The previous level of a user who had no row before."""


class Ranked(NamedTuple):
    """The table in order of expected loss, and the rows of it whose user crossed a band."""

    table: SweepTable
    crossed: npt.NDArray[np.int64]


def previous_levels(table: SweepTable, before: SweepTable | None) -> I8:
    """Answer the level that each user had in the sweep before, int8[n], NEW where there is none."""
    if before is None or not len(before):
        return np.full(len(table), NEW, np.int8)
    places = pc.index_in(table.users, value_set=before.users)
    known = places.is_valid().to_numpy(zero_copy_only=False)
    rows = places.fill_null(0).to_numpy().astype(np.int64)
    return np.where(known, before["level"][rows], NEW).astype(np.int8)


def rank(
    table: SweepTable, before: SweepTable | None, levels: Callable[[F64, I8], I8], key: F64
) -> Ranked:
    """Answer the table with levels, ranked.

    levels: (what bands go by, previous levels) -> levels. key: float64[n], what bands go by and
    rows are ranked by, the loss to expect, or the probability where no value is known. A user
    without a row before crosses when they enter above the lowest band, unless nobody had a row.
    """
    previous = previous_levels(table, before)
    level = levels(key, previous)
    names = by_name(table)
    # Equal losses stay in the order of names; NaN comes last.
    order = names[np.argsort(-key[names], kind="stable")]
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))

    def ranked_by(column: F64) -> npt.NDArray[np.int32]:
        mine = -column[order]
        return np.argsort(mine, kind="stable").astype(np.int32)

    # What was kept beside the scores keeps its rows.
    columns = {name: column[order] for name, column in table.columns.items()}
    columns |= {
        "level": level[order],
        "previous": previous[order],
        "by_probability": ranked_by(table["probability"]),
        "by_value": ranked_by(table["value"]),
        "by_user": place[names].astype(np.int32),
    }
    crossed = np.maximum(previous, 0) != level if before is not None else np.zeros(len(level), bool)
    done = SweepTable(table.users.take(pa.array(order)), columns)
    return Ranked(done, np.flatnonzero(crossed[order]))
