"""The visit that is going on: the last session of a user's events, and what their past says of it.

The same cut and the same look back as in training. Knows nothing of models or stores.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from models.intent.past import ECHOES, PRIOR, SESSION, echoes_of, prior_of
from models.intent.renown import RENOWN, Renown, write_renown
from models.intent.vocabulary import Columns, plain

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]


class Visit(NamedTuple):
    """columns: of the session's n events, at most SESSION of them. prior: float64[PRIOR]. echoes:
    float64[n, ECHOES]. events, last_at: how many the session really has, and when the last of
    them was (ms UTC, 0 without one)."""

    columns: Columns
    prior: F64
    echoes: F64
    events: int
    last_at: int


@njit(cache=True, nogil=True)
def session_start(ats: I64, end: int, gap: int) -> int:
    """Answer the place of the first event of the session that event end - 1 is in; gap: ms."""
    first = max(end - 1, 0)
    while first > 0 and ats[first] - ats[first - 1] <= gap:
        first -= 1
    return first


def visit_of(columns: Columns, as_of: int, gap_ms: int, renown: Renown) -> Visit:
    """Answer the last session of one user's events (in order of time) before as_of (ms UTC).

    gap_ms: the pause that parts sessions. The session may be over: see Confidence for what an
    old one is worth. Without an event before as_of all is empty.
    """
    own = plain(columns)
    end = int(np.searchsorted(own.ats, as_of, side="left"))
    first = session_start(own.ats, end, gap_ms)
    last = min(end, first + SESSION)
    prior, echoes = np.full(len(PRIOR), np.nan), np.full((last - first, len(ECHOES)), np.nan)
    if last > first:
        kinds, items, categories, values, ats = own
        prior_of(kinds, items, categories, values, ats, first, gap_ms, prior)
        echoes_of(kinds, items, categories, ats, (first, last), renown, echoes)
    return Visit(own.part(first, last), prior, echoes, end - first, _at(own, end))


def _at(columns: Columns, end: int) -> int:
    return int(columns.ats[end - 1]) if end else 0


def session_visit(
    columns: Columns,
    renown: Renown,
    *,
    prior: npt.ArrayLike | None = None,
    echoes: npt.ArrayLike | None = None,
    as_of: int | None = None,
) -> tuple[Visit, int]:
    """Answer the visit of one session's own events (in order of time) and the as_of it stands for.

    prior: float64[PRIOR] and echoes: float64[n, ECHOES] of the user's past, None without one.
    as_of: ms UTC, None for right after the last event. Raises ValueError for other widths.
    """
    own = plain(columns)
    past = with_past(own, np.array([0, len(own.ats)]), _row(prior), echoes)
    if echoes is None:
        add_renown(own.items, own.categories, renown, past[1])
    end = len(own.ats) if as_of is None else int(np.searchsorted(own.ats, as_of, side="left"))
    now = (int(own.ats[-1]) + 1 if len(own.ats) else 0) if as_of is None else as_of
    last = min(end, SESSION)
    return Visit(own.part(0, last), past[0][0], past[1][:last], end, _at(own, end)), now


@njit(cache=True, nogil=True, error_model="numpy")
def add_renown(
    items: npt.NDArray[np.uint64], categories: npt.NDArray[np.int32], renown: Renown, echoes: F64
) -> None:
    """Write the RENOWN columns of echoes float64[n, ECHOES] of n events."""
    own = echoes.shape[1] - len(RENOWN)
    for k in range(len(items)):
        write_renown(renown, items[k], categories[k], echoes[k, own:])


def _row(prior: npt.ArrayLike | None) -> F64 | None:
    return None if prior is None else np.asarray(prior, np.float64)[None]


def with_past(
    columns: Columns, offsets: I64, prior: npt.ArrayLike | None, echoes: npt.ArrayLike | None
) -> tuple[F64, F64]:
    """Answer prior float64[s, PRIOR] and echoes float64[n, ECHOES], all missing where None.

    Raises ValueError when they, the columns and the offsets do not fit each other.
    """
    n, s = len(columns.ats), len(offsets) - 1
    if any(len(one) != n for one in columns) or int(offsets[-1]) != n:
        raise ValueError("columns and offsets are of different lengths")
    shapes = {"prior": (s, len(PRIOR)), "echoes": (n, len(ECHOES))}
    found: list[F64] = []
    for given, (name, shape) in zip((prior, echoes), shapes.items(), strict=True):
        own = np.full(shape, np.nan) if given is None else np.array(given, np.float64)
        if own.shape != shape:
            raise ValueError(f"{name} is of another width")
        found.append(own)
    return found[0], found[1]
