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
_LANES = 16


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
def _tell(chosen: np.ndarray, scores: np.ndarray, told: np.ndarray) -> None:
    """Write to float64[2, c] a voice's score of each candidate and how many are higher: its place.

    All are compared with all, two at a time with every vector lane full: quicker than sorting
    so few. What fills up the last lanes is higher than nothing.
    """
    count = chosen.shape[0]
    own = np.full((count + _LANES - 1) // _LANES * _LANES, np.float32(-np.inf))
    places = np.zeros(own.shape[0], np.int32)
    for c in range(count):
        own[c] = scores[chosen[c]]
    for other in range(0, count, 2):
        one, two = own[other], own[other + 1]
        for c in range(own.shape[0]):
            places[c] += np.int32(one > own[c]) + np.int32(two > own[c])
    for c in range(count):
        told[0, c], told[1, c] = own[c], places[c]


@njit(cache=True, nogil=True, error_model="numpy")
def _describe(
    indices: np.ndarray, days: np.ndarray, chosen: np.ndarray, columns: np.ndarray
) -> None:
    """Write what a history says of itself and of each candidate in it.

    Events are compared with all later ones and with all candidates, in vector lanes: nothing
    here grows with the number of items.
    """
    h, count, distinct = indices.shape[0], chosen.shape[0], 0
    often, share = columns[_FIRST_OWN], columns[_FIRST_OWN + 1]
    since, back = columns[_FIRST_OWN + 2], columns[_FIRST_OWN + 3]
    often[:] = 0.0
    since[:] = np.nan
    back[:] = np.nan
    for j in range(h - 1, -1, -1):
        again, found, item, later = np.int32(0), np.int32(-1), indices[j], indices[j + 1 :]
        for k in range(later.shape[0]):
            again += np.int32(later[k] == item)
        distinct += again == 0
        for c in range(count):
            found = max(found, np.int32(c) if chosen[c] == item else np.int32(-1))
        if found >= 0:
            often[found] += 1.0
            if again == 0:
                since[found] = np.log1p(days[j])
                back[found] = h - 1 - j
    columns[0, :] = h
    columns[1, :] = distinct
    columns[2, :] = (h - distinct) / max(h, 1)
    columns[3, :] = np.log1p(days[h - 1]) if h else np.nan
    for c in range(count):
        share[c] = often[c] / max(h, 1)


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
    columns: np.ndarray,
) -> None:
    _describe(indices, days, chosen, columns)
    columns[4, :] = hour
    columns[5, :] = weekday
    for c in range(chosen.shape[0]):
        for k in range(facts.shape[1]):
            columns[len(CASE) + k, c] = facts[chosen[c], k]
    _tell(chosen, total, columns[_FIRST_TOLD : _FIRST_TOLD + 2])
    first = _FIRST_TOLD + 2
    for m in range(standing.shape[0]):
        _tell(chosen, standing[m], columns[first + 2 * m : first + 2 * m + 2])
    first += 2 * standing.shape[0]
    for m in range(raw.shape[0]):
        told = columns[first + 2 * m : first + 2 * m + 2]
        _tell(chosen, raw[m], told)
        for c in range(chosen.shape[0]):
            told[0, c] = (told[0, c] - means[m]) * scales[m]


def features(chosen: Ints, past: Past, scored: Scored, facts: Floats, scene: Scene) -> np.ndarray:
    """Answer float64[c, f], the columns of `columns_of`, for int32[c] candidates.

    facts: float32[n, len(ITEM)]. Days are the logarithm of one plus their number; what was
    never had has been away for not-a-number of them. Columns are contiguous, as a forest takes
    them.
    """
    raw, means, _ = scored.moving
    width = _FIRST_TOLD + 2 * (1 + len(scored.standing) + len(raw))
    columns = np.empty((width, chosen.shape[0]))
    _fill(
        chosen, past.indices, past.days, facts, scored.total, scored.standing, raw, means,
        scored.scales, float(scene.hour), float(scene.weekday), columns,
    )  # fmt: skip
    return columns.T


def told_scores(rows: np.ndarray, voices: int) -> np.ndarray:
    """Answer float64[c, 1 + voices], a view: the blend's score of each candidate, and each
    voice's standard score of it."""
    return rows[:, _FIRST_TOLD : _FIRST_TOLD + 2 * (1 + voices) : 2]
