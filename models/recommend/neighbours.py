"""Neighbours: what stood near to the same items in the recent sessions most like this history.

A session is as like as the history's events it shares, the last counting 1, the one before the
decay, then its square; times how recent it is, over its length to a power (V-SKNN: Ludewig and
Jannach, 2018; STAN: Garg et al., 2019). Knows nothing of whose sessions they were.
"""

from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt
from numba import njit

from models.recommend.member import Floats, Ints, Moving, Past, frozen, moments, standardise
from models.recommend.topk import select
from models.recommend.touched import Touched

_FADED = 0.003
"""Weights that have faded below this are left out."""
_LOOKED = 48
"""How many different items of a history are looked up."""
_HASH = np.uint64(0x9E3779B97F4A7C15)
_EVERYTHING = np.ones(0, np.bool_)


class Nearness(NamedTuple):
    """How likeness is measured; numbers that only serving uses.

    neighbours: sessions that are heard. decay: of the history, for each place further back.
    rarity: power of the number of an item's sessions by which what is shared counts less.
    near: factor for each place between the shared item and another. reverse: what stood before
    counts so much of what came after. half_life_days: of a session, None for no decay.
    length_power: power of a session's length by which it counts less. target_power: power of
    the number of a proposed item's sessions by which it counts less. own: what the shared item
    itself is worth.
    """

    neighbours: int = 100
    decay: float = 0.8
    rarity: float = 0.5
    near: float = 0.9
    reverse: float = 0.5
    half_life_days: float | None = None
    length_power: float = 0.5
    target_power: float = 0.25
    own: float = 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def _latest(indices: np.ndarray, n: int) -> np.ndarray:
    """Answer the places of the last _LOOKED different items of a history, newest first."""
    places = np.empty(min(_LOOKED, indices.shape[0]), np.int32)
    size = 0
    for j in range(indices.shape[0] - 1, -1, -1):
        if size == places.shape[0]:
            break
        new = indices[j] < n
        for t in range(size):
            if indices[places[t]] == indices[j]:
                new = False
                break
        if new:
            places[size] = j
            size += 1
    return places[:size]


@njit(cache=True, nogil=True, error_model="numpy")
def _slot(table: np.ndarray, session: int, shift: int) -> int | np.signedinteger:
    """Answer where a session stands in an open table of int32[2^b, 2], or where it may."""
    mask = table.shape[0] - 1
    place = np.int64((np.uint64(session) * _HASH) >> np.uint64(shift))
    while table[place, 0] != session and table[place, 0] >= 0:
        place = (place + 1) & mask
    return place


@njit(cache=True, nogil=True, error_model="numpy")
def _alike(
    known: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray],
    past: tuple[np.ndarray, np.ndarray],
    places: np.ndarray,
    strengths: np.ndarray,
    neighbours: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Answer the sessions most like the history: number, likeness, and which place is shared.

    Writes to float32[p] what each place of the history brings to a session that shares it. Of
    several shared places the newest is answered. Ties go to what shares a newer event, then to
    the more recent session.
    """
    offsets, sessions, rarity, gains = known
    indices, weights = past
    room = 1
    for place in places:
        room += offsets[indices[place] + 1] - offsets[indices[place]]
    bits = 3
    while (1 << bits) < 2 * room:
        bits += 1
    table = np.full((1 << bits, 2), -1, np.int32)
    found, shared = np.empty(room, np.int32), np.empty(room, np.int32)
    likeness = np.empty(room, np.float32)
    size = 0
    for t in range(places.shape[0]):
        item = indices[places[t]]
        strengths[t] = weights[places[t]] * strengths[t] * rarity[item]
        for e in range(offsets[item], offsets[item + 1]):
            slot = _slot(table, int(sessions[e]), 64 - bits)
            if table[slot, 0] < 0:
                table[slot, 0], table[slot, 1] = sessions[e], size
                found[size], shared[size], likeness[size] = sessions[e], places[t], 0.0
                size += 1
            likeness[table[slot, 1]] += strengths[t]
    for c in range(size):
        likeness[c] *= gains[found[c]]
    best = np.empty(min(neighbours, size), np.int32)
    select(likeness[:size], _EVERYTHING, best)
    return found[best], likeness[best], shared[best]


@njit(cache=True, nogil=True, error_model="numpy")
def _strengths(indices: np.ndarray, decay: float, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Answer (places, decay to the power of their age), for those that have not faded."""
    places = _latest(indices, n)
    strengths = np.empty(places.shape[0], np.float32)
    size = 0
    for t in range(places.shape[0]):
        fading = decay ** (indices.shape[0] - 1 - places[t])
        if fading < _FADED:
            break
        strengths[t] = fading
        size += 1
    return places[:size], strengths[:size]


@njit(cache=True, nogil=True, error_model="numpy")
def _tell(
    session: np.ndarray, item: int, spread: tuple[float, float, float], out: np.ndarray
) -> None:
    """Write to float32[length] what each place of a session is worth, the item being shared."""
    near, reverse, own = spread
    out[:] = 0.0
    middle = session.shape[0] - 1
    while session[middle] != item:
        middle -= 1
    out[middle] = own
    fading = 1.0
    for place in range(middle + 1, session.shape[0]):
        if fading < _FADED:
            break
        out[place] = fading
        fading *= near
    fading = reverse
    for place in range(middle - 1, -1, -1):
        if fading < _FADED:
            break
        out[place] = fading
        fading *= near


@njit(cache=True, nogil=True, error_model="numpy")
def _propose(
    known: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray],
    log: tuple[np.ndarray, np.ndarray, np.ndarray],
    past: tuple[np.ndarray, np.ndarray],
    numbers: tuple[int, float, float, float, float],
    out: np.ndarray,
) -> tuple[float, float]:
    ends, items, columns = log
    neighbours, decay, near, reverse, own = numbers
    indices = past[0]
    out[:] = 0.0
    places, strengths = _strengths(indices, decay, columns.shape[0])
    found, likeness, shared = _alike(known, past, places, strengths, neighbours)
    told = np.empty(0, np.float32)
    for c in range(found.shape[0]):
        session = items[ends[found[c]] : ends[found[c] + 1]]
        if told.shape[0] < session.shape[0]:
            told = np.empty(2 * session.shape[0], np.float32)
        _tell(session, int(indices[shared[c]]), (near, reverse, own), told[: session.shape[0]])
        for place in range(session.shape[0]):
            out[session[place]] += likeness[c] * told[place]
    for i in range(out.shape[0]):
        out[i] *= columns[i]
    return moments(out)


@njit(cache=True, nogil=True, error_model="numpy")
def _brought(
    known: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray],
    log: tuple[np.ndarray, np.ndarray, np.ndarray],
    past: tuple[np.ndarray, np.ndarray],
    numbers: tuple[int, float, float, float, float],
) -> tuple[np.ndarray, np.ndarray]:
    """Answer what `_propose` adds, in its order: int32[e] items and float32[e]."""
    ends, items, columns = log
    neighbours, decay, near, reverse, own = numbers
    places, strengths = _strengths(past[0], decay, columns.shape[0])
    found, likeness, shared = _alike(known, past, places, strengths, neighbours)
    count = 0
    for session in found:
        count += ends[session + 1] - ends[session]
    names, values = np.empty(count, np.int32), np.empty(count, np.float32)
    at = 0
    for c in range(found.shape[0]):
        session = items[ends[found[c]] : ends[found[c] + 1]]
        part = values[at : at + session.shape[0]]
        _tell(session, int(past[0][shared[c]]), (near, reverse, own), part)
        for place in range(session.shape[0]):
            names[at + place] = session[place]
            part[place] *= likeness[c]
        at += session.shape[0]
    return names, values


@njit(cache=True, nogil=True, error_model="numpy")
def _influences(
    known: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray],
    log: tuple[np.ndarray, np.ndarray, np.ndarray],
    past: tuple[np.ndarray, np.ndarray],
    numbers: tuple[int, float, float, float, float],
    targets: np.ndarray,
) -> np.ndarray:
    ends, items, columns = log
    neighbours, decay, near, reverse, own = numbers
    indices = past[0]
    out = np.zeros((targets.shape[0], indices.shape[0]), np.float32)
    places, strengths = _strengths(indices, decay, columns.shape[0])
    found, _, shared = _alike(known, past, places, strengths, neighbours)
    for c in range(found.shape[0]):
        session = items[ends[found[c]] : ends[found[c] + 1]]
        told = np.empty(session.shape[0], np.float32)
        _tell(session, int(indices[shared[c]]), (near, reverse, own), told)
        for t in range(places.shape[0]):
            if not _holds(known[0], known[1], int(indices[places[t]]), int(found[c])):
                continue
            brought = strengths[t] * known[3][found[c]]
            for i in range(targets.shape[0]):
                for place in range(session.shape[0]):
                    if session[place] == targets[i]:
                        out[i, places[t]] += brought * told[place] * columns[targets[i]]
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def _holds(offsets: np.ndarray, sessions: np.ndarray, item: int, session: int) -> bool:
    """Answer whether a session is among those kept for the item, in increasing order."""
    low, high = offsets[item], offsets[item + 1]
    while low < high:
        middle = (low + high) >> 1
        if sessions[middle] < session:
            low = middle + 1
        else:
            high = middle
    return low < offsets[item + 1] and sessions[low] == session


class Neighbours(Moving):
    """Past sessions, the most recent first, and for each item the recent sessions that hold it."""

    def __init__(self, log: dict[str, np.ndarray], nearness: Nearness) -> None:
        """Take the arrays that `arrays` names, for s sessions of e events over n items.

        ends: int64[s + 1], session i holds items[ends[i]:ends[i + 1]], oldest first; items:
        int32[e]; days: float32[s], age of each session at the fit; offsets: int64[n + 1], item
        i is in sessions[offsets[i]:offsets[i + 1]]; sessions: int32, increasing within an item;
        counts: float32[n], how many sessions held each item, those not kept too.
        """
        self.nearness = nearness
        self._log = {
            "ends": frozen(log["ends"], np.int64),
            "items": frozen(log["items"], np.int32),
            "days": frozen(log["days"], np.float32),
            "offsets": frozen(log["offsets"], np.int64),
            "sessions": frozen(log["sessions"], np.int32),
            "counts": frozen(log["counts"], np.float32),
        }
        counts = np.maximum(self._log["counts"], 1)
        lengths = np.maximum(np.diff(self._log["ends"]), 1)
        gains = lengths.astype(np.float64) ** -nearness.length_power
        if nearness.half_life_days:
            gains *= np.exp2(-self._log["days"] / nearness.half_life_days)
        self._known = (
            self._log["offsets"],
            self._log["sessions"],
            frozen(counts**-nearness.rarity, np.float32),
            frozen(gains, np.float32),
        )
        columns = frozen(counts**-nearness.target_power, np.float32)
        self._sessions = (self._log["ends"], self._log["items"], columns)
        self._numbers = (
            int(nearness.neighbours),
            float(nearness.decay),
            float(nearness.near),
            float(nearness.reverse),
            float(nearness.own),
        )

    def raw(self, past: Past, out: Floats) -> tuple[float, float]:
        """Write what the most alike sessions held near to what they share with `past`."""
        events = (past.indices, past.weights)
        return _propose(self._known, self._sessions, events, self._numbers, out)

    def touch(self, past: Past) -> Touched:
        """Answer what the most alike sessions held; see `raw`."""
        events = (past.indices, past.weights)
        found = _brought(self._known, self._sessions, events, self._numbers)
        columns = self._sessions[2]
        return Touched.of(*found, len(columns), columns)

    def influences(self, targets: Ints, past: Past) -> Floats:
        """Answer float32[t, h]: what each event brought to the sessions that held the targets.

        Rows sum to the scores. Of several events with one item the last has it all.
        """
        events = (past.indices, past.weights)
        return _influences(self._known, self._sessions, events, self._numbers, targets)

    def similar(self, index: int, out: Floats) -> None:
        """Write standard scores of what sessions with the item held near to it."""
        events = (np.array([index], np.int32), np.ones(1, np.float32))
        _propose(self._known, self._sessions, events, self._numbers, out)
        out[index] = 0.0
        standardise(out)

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Answer ends, items, days, offsets, sessions and counts; none names a user."""
        return dict(self._log)

    def params(self) -> dict[str, Any]:
        """Answer the numbers of Nearness."""
        return self.nearness._asdict()

    @classmethod
    def from_parts(cls, arrays: dict[str, np.ndarray], params: dict[str, Any]) -> Self:
        """Make the member again from what `arrays` and `params` answered."""
        known = {key: params[key] for key in Nearness._fields if key in params}
        return cls(arrays, Nearness(**known))
