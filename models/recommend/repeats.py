"""Repeats: what this user had before, for logs in which people come back for the same thing.

How often, how lately, at what rhythm and how readily others come back for it: each of a user's
own items gets the odds that it is wanted again, by a logistic regression learned from the log
(as hazard models of repeat consumption are, Benson et al., 2016; Ren et al., 2019). The score
grows with the odds; what was never had scores 0. Knows nothing of other items.
"""

from typing import Any, Self

import numpy as np
import numpy.typing as npt
from numba import njit

from models.recommend.member import Floats, Ints, Moving, Past, frozen, moments
from models.recommend.touched import Touched

HALF_LIVES = (0.05, 1.0, 7.0, 30.0, 120.0)
"""Days after which an event counts half, in one feature each."""

FACTS = ("log_rate", "log_recent", "log_gap")
"""What is known of an item: logarithms of how readily it is had again, how much it was wanted
lately, and how many days there are between."""

_PLAIN = (
    "often",
    *(f"within_{days:g}" for days in HALF_LIVES),
    "since",
    "since_squared",
    "since_often",
    "first",
    "due",
    "late",
    "due_squared",
    "places",
    "again",
    "events",
    "distinct",
    "idle",
    "log_rate",
    "log_recent",
)
PAIRS = (
    ("within_120", "within_120"),
    ("within_30", "within_30"),
    ("within_120", "within_30"),
    ("within_120", "events"),
    ("within_30", "events"),
    ("within_120", "log_rate"),
    ("within_120", "log_recent"),
    ("log_rate", "log_rate"),
    ("log_recent", "log_recent"),
)
"""Features that are told once more multiplied."""

FEATURES = (*_PLAIN, *(f"{one} * {other}" for one, other in PAIRS))
"""What is told of each own item; days and counts as logarithms. `due` is the time since the last
event against the usual gap, `late` what of it is beyond; `events`, `distinct` and `idle` are of
the whole history, the log_ ones of the item."""

_PLACES = np.array([[_PLAIN.index(name) for name in pair] for pair in PAIRS])

_MOST_DUE = 4.0
_SOON, _GAP = 0.01, 0.5
"""Days added before a logarithm: to a time since, and to a gap."""

_TOLD_HALF_LIFE = 30.0
_SHORT = np.array(HALF_LIVES)


@njit(cache=True, nogil=True, error_model="numpy")
def _gather(
    indices: np.ndarray,
    weights: np.ndarray,
    days: np.ndarray,
    half_lives: np.ndarray,
    slots: np.ndarray,
    rows: np.ndarray,
    items: np.ndarray,
    times: np.ndarray,
) -> int:
    """Add up the events of each own item, in the order of their first; answer how many items.

    slots: float32[n], all 0; left with 1 + the row of each own item. rows: float64[h, f]. items:
    int32[h]. times: float64[h, 4]: first and last day, places from the end, events.
    """
    found, h = 0, indices.shape[0]
    for j in range(h):
        item = indices[j]
        row = int(slots[item]) - 1
        if row < 0:
            row = found
            slots[item], items[row] = row + 1, item
            rows[row, :] = 0.0
            times[row, 0], times[row, 3] = days[j], 0.0
            found += 1
        rows[row, 0] += weights[j]
        for k in range(half_lives.shape[0]):
            rows[row, 1 + k] += weights[j] * np.exp2(-days[j] / half_lives[k])
        times[row, 1], times[row, 2] = days[j], h - 1 - j
        times[row, 3] += 1.0
    return found


@njit(cache=True, nogil=True, error_model="numpy")
def own_rows(
    indices: np.ndarray,
    weights: np.ndarray,
    days: np.ndarray,
    half_lives: np.ndarray,
    facts: np.ndarray,
    slots: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Answer int32[m] own items in order of their first event, and float64[m, f] of each.

    facts: float32[n, len(FACTS)]. slots: float32[n], all 0; left as `_gather` leaves it.
    """
    h, first = indices.shape[0], 1 + half_lives.shape[0]
    rows, times = np.empty((h, first + 14 + _PLACES.shape[0])), np.empty((h, 4))
    items = np.empty(h, np.int32)
    count = _gather(indices, weights, days, half_lives, slots, rows, items, times)
    for row in range(count):
        begun, last, places, events = times[row]
        for k in range(first):
            rows[row, k] = np.log1p(rows[row, k])
        gap = np.exp(facts[items[row], 2])
        if events > 1.0 and begun > last:
            gap = (begun - last) / (events - 1.0)
        since = np.log(last + _SOON)
        due = np.log((last + _GAP) / (gap + _GAP))
        due = min(max(due, -_MOST_DUE), _MOST_DUE)
        rows[row, first] = since
        rows[row, first + 1] = since * since
        rows[row, first + 2] = since * rows[row, 0]
        rows[row, first + 3] = np.log(begun + _SOON)
        rows[row, first + 4] = due
        rows[row, first + 5] = max(due, 0.0)
        rows[row, first + 6] = due * due
        rows[row, first + 7] = np.log1p(places)
        rows[row, first + 8] = 1.0 if events > 1.0 else 0.0
        rows[row, first + 9] = np.log(h)
        rows[row, first + 10] = np.log(count)
        rows[row, first + 11] = np.log(days[h - 1] + _SOON)
        rows[row, first + 12] = facts[items[row], 0]
        rows[row, first + 13] = facts[items[row], 1]
        for k in range(_PLACES.shape[0]):
            rows[row, first + 14 + k] = rows[row, _PLACES[k, 0]] * rows[row, _PLACES[k, 1]]
    return items[:count], rows[:count]


@njit(cache=True, nogil=True, error_model="numpy")
def _recall(
    past: tuple[np.ndarray, np.ndarray, np.ndarray],
    half_lives: np.ndarray,
    facts: np.ndarray,
    coefficients: np.ndarray,
    lift: float,
    out: np.ndarray,
) -> tuple[float, float]:
    out[:] = 0.0
    indices, weights, days = past
    if indices.shape[0] == 0:
        return 0.0, 0.0
    items, rows = own_rows(indices, weights, days, half_lives, facts, out)
    for row in range(items.shape[0]):
        odds = coefficients[0]
        for k in range(rows.shape[1]):
            odds += coefficients[1 + k] * rows[row, k]
        # Log-odds far above -lift, and never below 0: what was had is above what was not.
        score = odds + lift
        out[items[row]] = max(score, 0.0) + np.log1p(np.exp(-abs(score)))
    return moments(out)


class Repeats(Moving):
    """A user's own items by the odds that each is wanted again."""

    def __init__(self, facts: np.ndarray, coefficients: np.ndarray, lift: float) -> None:
        """Take what is known of the items (float32[n, len(FACTS)]) and what was learned.

        coefficients: float64[1 + len(FEATURES)], the first stands alone. lift: the score is the
        softplus of log-odds + lift. Raises ValueError when they do not fit together.
        """
        self.facts: Floats = frozen(facts, np.float32)
        self.coefficients: npt.NDArray[np.float64] = frozen(coefficients, np.float64)
        self.lift = float(lift)
        if self.facts.ndim != 2 or self.facts.shape[1] != len(FACTS):
            raise ValueError("the facts are not those of repeats")
        if self.coefficients.shape != (1 + len(FEATURES),):
            raise ValueError("the coefficients are not those of repeats")

    def raw(self, past: Past, out: Floats) -> tuple[float, float]:
        """Write scores that are above 0 for items of `past` only."""
        events = (past.indices, past.weights, past.days)
        return _recall(events, _SHORT, self.facts, self.coefficients, self.lift, out)

    def touch(self, past: Past) -> Touched:
        """Answer the scores of the items of `past`; see `raw`."""
        names, places = np.unique(past.indices, return_inverse=True)
        own = Past(places.astype(np.int32), *past[1:])
        scores = np.empty(len(names), np.float32)
        few = Repeats(self.facts[names], self.coefficients, self.lift)
        few.raw(own, scores)
        return Touched.of(names, scores, len(self.facts))

    def influences(self, targets: Ints, past: Past) -> Floats:
        """Answer float32[t, h]: the decayed weight of the events of the targets themselves."""
        own = past.weights * np.exp2(-past.days / np.float32(_TOLD_HALF_LIFE))
        return np.where(past.indices == targets[:, None], own, np.float32(0))

    def similar(self, index: int, out: Floats) -> None:
        """Write zeros: having an item again says nothing of others."""
        out[:] = 0.0

    def arrays(self) -> dict[str, np.ndarray]:
        """Answer facts: float32[n, len(FACTS)], and coefficients: float64[1 + len(FEATURES)]."""
        return {"facts": self.facts, "coefficients": self.coefficients}

    def params(self) -> dict[str, Any]:
        """Answer lift: see the constructor."""
        return {"lift": self.lift}

    @classmethod
    def from_parts(cls, arrays: dict[str, np.ndarray], params: dict[str, Any]) -> Self:
        """Make the member again from what `arrays` and `params` answered."""
        return cls(arrays["facts"], arrays["coefficients"], params["lift"])
