"""Laying out past sessions for the neighbours member: no learning, only order and bounds.

A session is a user's events, cut where nothing happened for longer than the gap; the longest are
kept to their last events. Sessions are numbered from the most recent on, so that no order of users
is left in them. Knows nothing of how they are compared.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from domain.clock import DAY_MS
from models.recommend.neighbours import Nearness, Neighbours
from training.splits import Interactions

MINUTE_MS = 60_000


def session_starts(known: Interactions, gap_minutes: float | None) -> npt.NDArray[np.int64]:
    """Answer the places at which sessions start: each user's first event, and after every gap."""
    first = np.zeros(len(known.items), np.bool_)
    first[known.offsets[:-1][np.diff(known.offsets) > 0]] = True
    if gap_minutes is not None and len(first):
        first[1:] |= np.diff(known.ats) > gap_minutes * MINUTE_MS
    return np.flatnonzero(first)


def _flat(starts: npt.NDArray[np.int64], lengths: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Answer the places of stretches of the given starts and lengths, one after the other."""
    ends = np.cumsum(lengths)
    return np.arange(ends[-1] if len(ends) else 0) + np.repeat(starts - (ends - lengths), lengths)


def fit_neighbours(
    known: Interactions, as_of: int, params: dict[str, Any], own: float
) -> Neighbours:
    """Lay out the sessions of the known events as of `as_of` (ms UTC).

    params: gap_minutes (None for whole users), longest (events of a session), recent (sessions
    kept for an item), and the numbers of Nearness. own: what a shared item itself is worth.
    Sessions of a single event say nothing and are left out. Memory: 8 bytes an event, 4 for
    each of at most n * recent places and 12 a session.
    """
    starts = session_starts(known, params["gap_minutes"])
    lengths = np.diff(np.append(starts, len(known.items)))
    ends = starts + lengths
    lengths = np.minimum(lengths, int(params["longest"]))
    last = known.ats[ends - 1]
    order = np.lexsort((ends, -last))
    order = order[lengths[order] > 1]
    lengths = lengths[order]
    items = known.items[_flat(ends[order] - lengths, lengths)]
    # Each item once a session; sorted by item, then from the most recent session on.
    sessions = np.repeat(np.arange(len(order)), lengths)
    pairs = np.unique(items.astype(np.int64) * max(len(order), 1) + sessions)
    holders, held = np.divmod(pairs, max(len(order), 1))
    counts = np.bincount(holders, minlength=known.n_items)
    kept = np.minimum(counts, int(params["recent"]))
    begin = np.cumsum(counts) - counts
    log = {
        "ends": np.concatenate([[0], np.cumsum(lengths)]),
        "items": items,
        "days": (as_of - last[order]) / DAY_MS,
        "offsets": np.concatenate([[0], np.cumsum(kept)]),
        "sessions": held[_flat(begin, kept)],
        "counts": counts,
    }
    chosen = {key: params[key] for key in Nearness._fields if key in params}
    return Neighbours(log, Nearness(**{**chosen, "own": own}))
