"""What became of people after a time: from the log, or from a label file.

inactivity    no event of the chosen kinds in [as_of + lead, as_of + lead + horizon)
contractual   a cancel in that window that no renew or subscribe in it takes back; asked of who
              has a running term, that is, whose last term event before as_of is no cancel

as_of is exclusive as everywhere: with t0 = as_of - 1 ms the window is (t0 + lead, t0 + lead +
horizon]. Knows nothing of features.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from domain.errors import ScientistError
from domain.events import KINDS, Kind
from feature_store.history import History

I64 = npt.NDArray[np.int64]
NEVER = np.iinfo(np.int64).max
TERM_KINDS = ("subscribe", "renew", "cancel")
LEFT = frozenset(
    {"1", "1.0", "true", "yes", "y", "churn", "churned", "cancel", "cancelled", "left"}
)
STAYED = frozenset({"0", "0.0", "false", "no", "n", "stay", "stayed", "renew", "renewed", "active"})
_FOREVER = np.iinfo(np.int64).max
_CANCEL = int(Kind.cancel)


class Around(NamedTuple):
    """Per row, ms UTC: the last counted event before as_of (-1: none) and the first at or after
    as_of + lead (NEVER: none in the log)."""

    last: I64
    following: I64


def kind_flags(kinds: Sequence[str]) -> npt.NDArray[np.uint8]:
    """Answer uint8[KINDS], 1 for the named kinds; raises ScientistError for an unknown name."""
    flags = np.zeros(KINDS, np.uint8)
    for name in kinds:
        if name not in Kind.__members__:
            raise ScientistError(f"no such kind of event: {name!r}")
        flags[Kind[name]] = 1
    if not flags.any():
        raise ScientistError("name at least one kind of event that counts as activity")
    return flags


def lasting_groups(history: History) -> I64:
    """Answer int64[entities]: the group that holds all an entity's events, -1 when it has none.

    A session that was identified has none: from then on its events are its user's.
    """
    out = np.full(len(history.entities), -1, np.int64)
    groups = np.flatnonzero(history.spans.until == _FOREVER)
    out[history.spans.entity[groups]] = groups
    return out


@njit(cache=True, nogil=True)
def _around(
    ats: I64,
    kinds: npt.NDArray[np.uint8],
    ranges: tuple[I64, I64],
    as_ofs: I64,
    lead: int,
    counted: npt.NDArray[np.uint8],
) -> tuple[I64, I64]:
    starts, ends = ranges
    last = np.full(len(as_ofs), -1, np.int64)
    following = np.full(len(as_ofs), np.iinfo(np.int64).max, np.int64)
    for i in range(len(as_ofs)):
        for k in range(starts[i], ends[i]):
            if not counted[kinds[k]]:
                continue
            if ats[k] < as_ofs[i]:
                last[i] = ats[k]
            elif ats[k] >= as_ofs[i] + lead:
                following[i] = ats[k]
                break
    return last, following


def _ranges(history: History, entity: I64) -> tuple[I64, I64]:
    groups = lasting_groups(history)[entity]
    known = groups >= 0
    starts = np.where(known, history.offsets[groups], 0)
    ends = np.where(known, history.offsets[groups + 1], 0)
    return starts, ends


def around(
    history: History, entity: I64, as_ofs: I64, lead_ms: int, counted: npt.NDArray[np.uint8]
) -> Around:
    """Look before and after each (entity number, as_of) row for events of the counted kinds."""
    records = history.records
    ranges = _ranges(history, entity)
    return Around(*_around(records["at"], records["kind"], ranges, as_ofs, lead_ms, counted))


@njit(cache=True, nogil=True)
def _terms(
    ats: I64,
    kinds: npt.NDArray[np.uint8],
    ranges: tuple[I64, I64],
    as_ofs: I64,
    window: tuple[int, int],
    counted: npt.NDArray[np.uint8],
) -> tuple[npt.NDArray[np.uint8], I64]:
    starts, ends = ranges
    running = np.zeros(len(as_ofs), np.uint8)
    left = np.full(len(as_ofs), np.iinfo(np.int64).max, np.int64)
    for i in range(len(as_ofs)):
        for k in range(starts[i], ends[i]):
            if not counted[kinds[k]]:
                continue
            cancelled = kinds[k] == _CANCEL
            if ats[k] < as_ofs[i]:
                running[i] = not cancelled
            elif as_ofs[i] + window[0] <= ats[k] < as_ofs[i] + window[1]:
                left[i] = ats[k] if cancelled else np.iinfo(np.int64).max
    return running, left


def terms(
    history: History, entity: I64, as_ofs: I64, lead_ms: int, horizon_ms: int
) -> tuple[npt.NDArray[np.bool_], I64]:
    """Answer (whether a term runs at as_of, when it was cancelled in the window or NEVER)."""
    records = history.records
    running, left = _terms(
        records["at"],
        records["kind"],
        _ranges(history, entity),
        as_ofs,
        (lead_ms, lead_ms + horizon_ms),
        kind_flags(TERM_KINDS),
    )
    return running.astype(np.bool_), left


def outcomes(labels: Sequence[str], left: Sequence[str] = ()) -> npt.NDArray[np.uint8]:
    """Answer uint8[n], 1 where a label says that they left.

    `left` names the labels that say so; without it the usual words are understood. Raises
    ScientistError, showing the first, for a label that is neither.
    """
    if left:
        return np.array([label in set(left) for label in labels], np.uint8)
    out = np.zeros(len(labels), np.uint8)
    for place, label in enumerate(labels):
        word = label.strip().lower()
        if word not in LEFT and word not in STAYED:
            raise ScientistError(
                f"label {label[:40]!r} says neither that they left nor that they stayed; "
                "name the labels of those who left in the setting left_labels"
            )
        out[place] = word in LEFT
    return out


class Reactivation(NamedTuple):
    """How many come back after so many days of silence: the published curve, and a horizon.

    days: float64[m]. share: of the silences that lasted at least that long and could be watched
    for the rest of the log, those that ended (Kaplan and Meier, 1958). events: silences seen.
    suggested_days: the days within which all but `tail` of the comebacks happened; None when
    nobody came back, or when the log is shorter than three such horizons.
    """

    days: npt.NDArray[np.float64]
    share: npt.NDArray[np.float64]
    events: int
    suggested_days: int | None


def reactivation(
    history: History,
    counted: npt.NDArray[np.uint8],
    until: int,
    *,
    tail: float = 0.1,
    users_only: bool = True,
) -> Reactivation:
    """Follow every silence between two active days, the last one censored at `until` (ms UTC).

    With S the survival of silences, the share that still comes back after d days is
    1 - S(end) / S(d): of those still silent, how many were seen to return later.
    """
    day = 86_400_000
    groups = lasting_groups(history)
    gaps: list[I64] = []
    censored: list[int] = []
    first = until // day
    for entity, group in enumerate(groups):
        if group < 0 or (users_only and history.entities[entity][0] != "u"):
            continue
        mine = history.records[history.offsets[group] : history.offsets[group + 1]]
        ats = mine["at"][(counted[mine["kind"]] == 1) & (mine["at"] < until)]
        if not len(ats):
            continue
        days = np.unique(ats // day)
        first = min(first, int(days[0]))
        gaps.append(np.diff(days))
        censored.append(int(until // day - days[-1]))
    seen = np.concatenate([np.zeros(0, np.int64), *gaps])
    longest = int(max([*seen.tolist(), *censored], default=0)) + 1
    ended = np.bincount(seen, minlength=longest + 1)
    lost = np.bincount(np.maximum(censored, 0), minlength=longest + 1) if censored else ended * 0
    at_risk = np.cumsum((ended + lost)[::-1])[::-1]
    hazard = np.divide(ended, at_risk, out=np.zeros(len(ended)), where=at_risk > 0)
    survival = np.cumprod(1 - hazard)
    back = 1 - survival[-1] / np.maximum(survival, 1e-12)
    came = 1 - survival
    suggested = int(np.flatnonzero(came >= (1 - tail) * came[-1])[0]) if len(seen) else None
    if suggested is not None and 3 * suggested > until // day - first:
        suggested = None
    return Reactivation(np.arange(len(back), dtype=float), back, len(seen), suggested)
