"""What a ranker is told of each candidate: one row of numbers, made by one compiled kernel.

Of the case (how long the history is, how often it repeats itself, when it is asked), of the item
(how wanted, how new), of the two together (how often and how long ago it was had before), and
what every member says: its standard score and the item's place among the candidates. Knows
nothing of what the numbers are worth.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numba import njit

from domain.clock import DAY_MS
from models.recommend.blend import Scored
from models.recommend.member import Floats, Ints, Past

CASE = ("events", "distinct", "again", "idle_days", "hour", "weekday")
ITEM = ("wanted", "recent", "age_days", "rested_days")
OWN = ("own_events", "own_share", "own_days", "own_back")
TOLD = ("score", "place")
"""What is told of each voice, and of the blend, which comes first."""
_FIRST_OWN = len(CASE) + len(ITEM)
_FIRST_TOLD = _FIRST_OWN + len(OWN)
_HOUR_MS = 3_600_000


class Scene(NamedTuple):
    """When it is asked, in UTC: hour 0 to 23, weekday 0 (Monday) to 6; not-a-number if unknown.

    device, page: as the request says, "" if it does not; see models.recommend.scenery.
    """

    hour: float = np.nan
    weekday: float = np.nan
    device: str = ""
    page: str = ""


ANY_TIME = Scene()


def scene_of(as_of: int, device: str = "", page: str = "") -> Scene:
    """Answer the scene of a question asked at `as_of` (ms UTC), on a device and a page."""
    # The first of January 1970 was a Thursday.
    return Scene(as_of // _HOUR_MS % 24, (as_of // DAY_MS + 3) % 7, device, page)


def columns_of(voices: Sequence[str]) -> tuple[str, ...]:
    """Answer the name of every column, for the voices of a blend in their order."""
    told = [f"{voice}.{what}" for voice in ("blend", *voices) for what in TOLD]
    return (*CASE, *ITEM, *OWN, *told)


@njit(cache=True, nogil=True, error_model="numpy")
def _tell(chosen: np.ndarray, scores: np.ndarray, column: int, rows: np.ndarray) -> None:
    """Write a voice's score of each candidate and, beside it, how many are higher: its place.

    All are compared with all, in vector lanes: quicker than sorting so few.
    """
    count = chosen.shape[0]
    own = np.empty(count, np.float32)
    for c in range(count):
        own[c] = scores[chosen[c]]
    for c in range(count):
        score, place = own[c], np.int32(0)
        for other in range(count):
            place += np.int32(own[other] > score)
        rows[c, column], rows[c, column + 1] = score, place


@njit(cache=True, nogil=True, error_model="numpy")
def _describe(
    indices: np.ndarray, days: np.ndarray, slots: np.ndarray, chosen: np.ndarray, rows: np.ndarray
) -> None:
    """Write what a history says of itself and of each candidate in it; `slots` is all -1."""
    h, count = indices.shape[0], chosen.shape[0]
    distinct = 0
    for c in range(count):
        slots[chosen[c]] = c
        rows[c, _FIRST_OWN : _FIRST_OWN + 2] = 0.0
        rows[c, _FIRST_OWN + 2 : _FIRST_OWN + 4] = np.nan
    last = np.full(slots.shape[0], False)
    for j in range(h - 1, -1, -1):
        first_met = not last[indices[j]]
        last[indices[j]] = True
        distinct += first_met
        c = slots[indices[j]]
        if c >= 0:
            rows[c, _FIRST_OWN] += 1.0
            if first_met:
                rows[c, _FIRST_OWN + 2] = np.log1p(days[j])
                rows[c, _FIRST_OWN + 3] = h - 1 - j
    for c in range(count):
        rows[c, 0] = h
        rows[c, 1] = distinct
        rows[c, 2] = (h - distinct) / max(h, 1)
        rows[c, 3] = np.log1p(days[h - 1]) if h else np.nan
        rows[c, _FIRST_OWN + 1] = rows[c, _FIRST_OWN] / max(h, 1)


@njit(cache=True, nogil=True, error_model="numpy")
def _fill(
    chosen: np.ndarray,
    indices: np.ndarray,
    days: np.ndarray,
    facts: np.ndarray,
    total: np.ndarray,
    standing: np.ndarray,
    raw: np.ndarray,
    means: np.ndarray,
    scales: np.ndarray,
    hour: float,
    weekday: float,
    rows: np.ndarray,
) -> None:
    _describe(indices, days, np.full(total.shape[0], np.int32(-1)), chosen, rows)
    for c in range(chosen.shape[0]):
        rows[c, 4], rows[c, 5] = hour, weekday
        for k in range(facts.shape[1]):
            rows[c, len(CASE) + k] = facts[chosen[c], k]
    _tell(chosen, total, _FIRST_TOLD, rows)
    column = _FIRST_TOLD + 2
    for m in range(standing.shape[0]):
        _tell(chosen, standing[m], column + 2 * m, rows)
    column += 2 * standing.shape[0]
    for m in range(raw.shape[0]):
        _tell(chosen, raw[m], column + 2 * m, rows)
        for c in range(chosen.shape[0]):
            rows[c, column + 2 * m] = (rows[c, column + 2 * m] - means[m]) * scales[m]


def features(chosen: Ints, past: Past, scored: Scored, facts: Floats, scene: Scene) -> np.ndarray:
    """Answer float64[c, f], the columns of `columns_of`, for int32[c] candidates.

    facts: float32[n, len(ITEM)]. Days are the logarithm of one plus their number; what was
    never had has been away for not-a-number of them.
    """
    raw, means, _ = scored.moving
    width = _FIRST_TOLD + 2 * (1 + len(scored.standing) + len(raw))
    rows = np.empty((chosen.shape[0], width))
    _fill(
        chosen, past.indices, past.days, facts, scored.total, scored.standing, raw, means,
        scored.scales, float(scene.hour), float(scene.weekday), rows,
    )  # fmt: skip
    return rows
