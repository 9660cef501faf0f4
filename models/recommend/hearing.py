"""Hearing: from a history as it was stored to what the model listens to, in one compiled call.

Looks the items up, weighs the events by kind and age, and takes what was seen out of what may
be shown. Knows nothing of scores.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from domain.clock import DAY_MS
from domain.events import Kind
from models.recommend.ask import Asker
from models.recommend.catalogue import Flags
from models.recommend.desk import Desk
from models.recommend.lookup import Indices, find
from models.recommend.member import Past

_NOTHING: Flags = np.zeros(256, np.bool_)
COUNTS_AS_SEEN: Flags = np.zeros(256, np.bool_)
COUNTS_AS_SEEN[
    [Kind.click, Kind.add_to_cart, Kind.purchase, Kind.rating, Kind.subscribe, Kind.renew]
] = True
"""Kinds of events after which an item is no news; being shown something is not one."""


class Heard(NamedTuple):
    """A history of h events, heard.

    rows: int32[h], the catalogue's index of each event's item, -1 unknown. past: the events
    that the model knows and listens to, None without any. withheld: the indices that were
    taken out of what may be shown. unknown: how many events name an item nobody knows.
    """

    rows: Indices
    past: Past | None
    withheld: Indices
    unknown: int


@njit(cache=True, nogil=True, error_model="numpy")
def _hear(table, history, as_of, known, kind_weights, seen, allowed, rows, past, withheld):
    items, kinds, ats = history
    indices, weights, days, places, heard = past
    find(table, items, rows)
    kept, gone, unknown = 0, 0, 0
    for event in range(rows.size):
        row, kind = rows[event], kinds[event]
        if row < 0:
            unknown += items[event] != 0
            continue
        if seen[kind] and allowed[row]:
            allowed[row] = False
            withheld[gone] = row
            gone += 1
        if row < known and kind_weights[kind] > 0:
            indices[kept] = row
            weights[kept] = kind_weights[kind]
            days[kept] = max(0, as_of - ats[event]) / DAY_MS
            places[kept] = event
            heard[kept] = kind
            kept += 1
    return kept, gone, unknown


def hear(desk: Desk, asker: Asker, as_of: int, allowed: Flags, exclude_seen: bool) -> Heard:
    """Hear a history; with `exclude_seen` what was seen is taken out of bool[n] `allowed`."""
    size = asker.items.size
    rows = np.empty(size, np.int32)
    if not size:
        return Heard(rows, None, rows, 0)
    past = Past(
        np.empty(size, np.int32), np.empty(size, np.float32), np.empty(size, np.float32),
        np.empty(size, np.int32), np.empty(size, np.uint8),
    )  # fmt: skip
    withheld = np.empty(size, np.int32)
    catalogue = desk.catalogue
    kept, gone, unknown = _hear(
        catalogue.table, (asker.items, asker.kinds, asker.ats), as_of,
        catalogue.known if desk.model is not None else 0, desk.kind_weights,
        COUNTS_AS_SEEN if exclude_seen else _NOTHING, allowed, rows, tuple(past), withheld,
    )  # fmt: skip
    if kept < size:
        past = Past(
            past.indices[:kept], past.weights[:kept], past.days[:kept],
            past.places[:kept], past.kinds[:kept],
        )  # fmt: skip
    return Heard(rows, past if kept else None, withheld[:gone], unknown)
