"""Confidence: how far an intent score may be trusted, apart from how high it is, 0 to 1.

    confidence = length · known · steady · fresh

    length   k / (k + half): `half` is after how many events a score tells half of what it tells
             in long sessions; the first event alone never reaches one half
    known    how much of the events was met in training, against what is usual; novelty lowers it
    steady   1 unless the network's heads disagree more than on nine tenths of the validation at
             like places; then ten times the share on which they do (a conformal p-value)
    fresh    the share of the time asked about that is still to come

Below one half a bidder falls back to its standard bid. Knows nothing of probabilities.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from numba import njit

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
SHYEST, BOLDEST = 1.0, 4.0
"""Bounds of `half`."""
DOUBTED = 0.1
"""The share of the validation with the widest disagreement, below which `steady` is lowered."""
PLACES = (1, 2, 4, 8, 16)
"""Where the places of a session begin that are held against each other."""
PATIENCE = 2.0
"""Usual events that a session is given in advance: one new item is no novelty yet."""


STARTS = np.array(PLACES)


def place_row(place: npt.ArrayLike) -> npt.NDArray[np.intp]:
    """Answer which of PLACES each place (from 1) belongs to."""
    return np.searchsorted(PLACES, np.asarray(place), side="right") - 1


@njit(cache=True, nogil=True, error_model="numpy")
def write_trust(known: F64, offsets: I64, usual: F64, half: float, out: F64) -> None:
    """Write the parts of length and novelty; see Confidence.before."""
    share = np.empty(3)
    for s in range(len(offsets) - 1):
        found, count = np.zeros(3), np.zeros(3)
        for k in range(offsets[s], offsets[s + 1]):
            for field in range(3):
                if not np.isnan(known[k, field]):
                    found[field] += known[k, field]
                    count[field] += 1
                share[field] = 1.0
                if usual[field] > 0:
                    seen = (found[field] + PATIENCE * usual[field]) / (count[field] + PATIENCE)
                    share[field] = min(1.0, seen / usual[field])
            place = k - offsets[s] + 1
            # An unknown kind is never usual; an item may be new where its category is not.
            out[k] = place / (place + half) * share[0] * (share[1] + share[2]) / 2


@njit(cache=True, nogil=True, error_model="numpy")
def write_steady(width: F64, place: I64, starts: I64, widths: F64, out: F64) -> None:
    """Write to float64[k] how steady members are: 1 where they disagree least at that place."""
    for k in range(len(width)):
        row = np.searchsorted(starts, place[k], side="right") - 1
        below = np.searchsorted(widths[row], width[k], side="left") / widths.shape[1]
        out[k] = min(1.0, (1 - below) / DOUBTED)


@dataclass(frozen=True, eq=False)
class Confidence:
    """What validation taught. half: events, see the module. usual: float64[3], the share of kinds,
    items and categories known. widths: float64[len(PLACES), q], each row rising: quantiles of the
    heads' standard deviation in log-odds; q is 0 without a network."""

    half: float
    usual: F64
    widths: F64

    def __post_init__(self) -> None:
        if not SHYEST <= self.half <= BOLDEST or self.usual.shape != (3,):
            raise ValueError("a confidence needs half within its bounds and three usual shares")
        rising = np.isfinite(self.widths).all() and not (np.diff(self.widths) < 0).any()
        if self.widths.ndim != 2 or len(self.widths) != len(PLACES) or not rising:
            raise ValueError("the widths of a confidence rise, at each of PLACES")

    def wider(self, times: F64) -> "Confidence":
        """Answer the confidence for a network whose heads lie float64[len(PLACES)] times as far
        apart at each of PLACES."""
        return Confidence(self.half, self.usual, self.widths * times[:, None])

    def before(self, known: F64, offsets: I64) -> F64:
        """Answer float64[n], the parts of length and novelty after each event of the sessions.

        known: float64[n, 3], see vocabulary.Words. Of each field PATIENCE usual events come
        before the session's first.
        """
        out = np.empty(len(known))
        write_trust(known, offsets, self.usual, self.half, out)
        return out

    def steady(self, width: F64, place: I64) -> F64:
        """Answer float64[n], the part of disagreement; width: float64[n], heads' deviation in
        log-odds; place: int64[n], events so far."""
        out = np.ones(len(width))
        if self.widths.shape[1]:
            write_steady(width, place, STARTS, self.widths, out)
        return out

    def params(self) -> dict[str, Any]:
        """Answer everything as JSON values."""
        return {"half": self.half, "usual": self.usual.tolist(), "widths": self.widths.tolist()}

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Self:
        """Make it of what `params` answered; raises KeyError and ValueError."""
        usual, widths = (np.asarray(params[name], np.float64) for name in ("usual", "widths"))
        return cls(float(params["half"]), usual, widths.reshape(len(PLACES), -1))


def fresh(since_ms: float, asked_ms: float) -> float:
    """Answer the share of `asked_ms` that is still to come `since_ms` after the last event."""
    return min(max(1 - since_ms / asked_ms, 0.0), 1.0) if asked_ms > 0 else 0.0
