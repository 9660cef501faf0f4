"""What suits somebody by content alone: known items to explore with, that no list may have shown.

Near misses are what the members together nearly showed; an item that only its content speaks for
is hardly ever among them. Knows nothing of chance or of places.
"""

from collections.abc import Collection
from typing import Final, NamedTuple

import numpy as np

from models.recommend.ask import Ask, Asker
from models.recommend.catalogue import Flags
from models.recommend.desk import Desk
from models.recommend.filters import NO_FILTER
from models.recommend.hearing import COUNTS_AS_SEEN
from models.recommend.lookup import Indices
from models.recommend.member import Floats
from models.recommend.topk import top_k

SUITING: Final = 10
"""Items that are proposed."""


class Suited(NamedTuple):
    """Somebody whom content has something to propose to: float32[d], what they take to; bool[n],
    which of the model's items may be shown; how many items may be in the way of proposals."""

    taste: Floats
    may: Flags
    between: int


def suited(desk: Desk, ask: Ask, asker: Asker, as_of: int, taken: int) -> Suited | None:
    """Answer what proposals are made from, None where content proposes nothing: without a
    content member or a history it can hear, where a choice among items was made, or where, with
    `taken` items standing in the way, it might not have SUITING left to propose."""
    arrivals = desk.arrivals
    if arrivals is None or not asker.items.size or ask.chosen is not NO_FILTER or ask.rules:
        return None
    rows = desk.catalogue.indices(asker.items)
    taste = arrivals.taste(rows, asker.kinds, desk.kind_weights).vector
    known = arrivals.content.vectors.shape[0]
    may = desk.catalogue.live(as_of)[:known]
    between = taken + asker.items.size + 1
    if not taste.any() or int(np.count_nonzero(may)) < between + SUITING:
        return None
    return Suited(taste, may, between)


def proposals(desk: Desk, ask: Ask, asker: Asker, suits: Suited, taken: Collection[str]) -> Indices:
    """Answer int32[SUITING] catalogue indices, the best by content first: none that is taken, in
    view, or was seen."""
    arrivals = desk.arrivals
    assert arrivals is not None
    raw = np.empty(suits.may.shape[0], np.float32)
    arrivals.content.told(suits.taste, raw)
    best = top_k(raw, suits.between + SUITING, suits.may)
    catalogue = desk.catalogue
    # So few are looked up in a set sooner than operations on sets of arrays have begun.
    away = {catalogue.index(name) for name in (*taken, ask.item) if name}
    away.update(catalogue.indices(asker.items[COUNTS_AS_SEEN[asker.kinds]]).tolist())
    return np.array([row for row in best.tolist() if row not in away][:SUITING], np.int32)
