"""What is said of many rows: per row the strongest groups, and for each its template and numbers.

The same picks as `Teller.pick` makes for one row, compiled, so that a sweep keeps a few numbers
a user and the sentences are written when somebody reads them. Knows nothing of sentences.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from domain.scores import Direction, Reason
from models.churn.reasons import REST, Pick, Teller

F64 = npt.NDArray[np.float64]
I16 = npt.NDArray[np.int16]
NONE = -1
"""The group of a place that no reason fills."""


class Picked(NamedTuple):
    """n rows, at most m reasons each, strongest first.

    group: int16[n, m], place in Teller.labels, NONE beyond the last. line: int16[n, m] and
    numbers: float64[n, m, 2], see reasons.Pick. total: float64[n, m], in log-odds; share:
    float64[n, m] of all absolute contributions. rest: float64[n, 3], of the groups not told how
    many there are, their total and their share.
    """

    group: I16
    line: I16
    numbers: F64
    total: F64
    share: F64
    rest: F64


class _Tables(NamedTuple):
    """Templates and members of each group, ragged: those of group g at start[g]:start[g+1]."""

    line_start: npt.NDArray[np.int64]
    first: npt.NDArray[np.int64]
    second: npt.NDArray[np.int64]
    member_start: npt.NDArray[np.int64]
    member: npt.NDArray[np.int64]


@lru_cache(maxsize=16)
def _tables(teller: Teller) -> _Tables:
    places = [told.places for lines in teller.lines for told in lines]
    if any(len(one) > 2 for one in places):
        raise ValueError("a template holds one number or two")
    counts = np.array([len(lines) for lines in teller.lines], np.int64)
    sizes = np.array([len(own) for own in teller.members], np.int64)
    return _Tables(
        np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        np.array([one[0] for one in places], np.int64),
        np.array([one[1] if len(one) > 1 else -1 for one in places], np.int64),
        np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        np.array([place for own in teller.members for place in own], np.int64),
    )


@njit(cache=True, nogil=True)
def _line(group, parts, known, sign, tables):
    """Answer (line, first, second) of one group of one row."""
    best = -1
    start, end = tables.line_start[group], tables.line_start[group + 1]
    for place in range(start, end):
        first, second = tables.first[place], tables.second[place]
        louder = best < 0 or parts[first] * sign > parts[tables.first[best]] * sign
        if louder and np.isfinite(known[first]) and (second < 0 or np.isfinite(known[second])):
            best = place
    if best >= 0:
        second = tables.second[best]
        return (
            best - start,
            known[tables.first[best]],
            known[second] if second >= 0 else np.nan,
        )
    loudest, heard = -1, False
    for place in range(tables.member_start[group], tables.member_start[group + 1]):
        member = tables.member[place]
        finite = np.isfinite(known[member])
        if loudest < 0 or (finite and not heard):
            loudest, heard = member, finite
        elif finite == heard and parts[member] * sign > parts[loudest] * sign:
            loudest = member
    return -1 - loudest, known[loudest] if heard else np.nan, np.nan


@njit(cache=True, nogil=True)
def _pick_all(sums, contributions, values, tables, out):
    group, line, numbers, total, share, rest = out
    most = group.shape[1]
    taken = np.zeros(sums.shape[1], np.bool_)
    for i in range(len(sums)):
        whole = np.abs(sums[i]).sum()
        if not whole > 0:
            continue
        taken[:] = False
        for place in range(most):
            best = -1
            for g in range(sums.shape[1]):
                if taken[g] or sums[i, g] == 0:
                    continue
                if best < 0 or abs(sums[i, g]) > abs(sums[i, best]):
                    best = g
            if best < 0:
                break
            taken[best] = True
            sign = 1.0 if sums[i, best] > 0 else -1.0
            found = _line(best, contributions[i], values[i], sign, tables)
            group[i, place], line[i, place] = best, found[0]
            numbers[i, place, 0], numbers[i, place, 1] = found[1], found[2]
            total[i, place], share[i, place] = sums[i, best], abs(sums[i, best]) / whole
        for g in range(sums.shape[1]):
            if not taken[g] and sums[i, g] != 0:
                rest[i, 0] += 1
                rest[i, 1] += sums[i, g]
                rest[i, 2] += abs(sums[i, g]) / whole


def pick_many(teller: Teller, contributions: F64, values: F64, most: int = 3) -> Picked:
    """Answer at most `most` reasons a row; see `Teller.told` for what they are.

    contributions: float64[n, f + 1], values: float64[n, f]. Raises ValueError for other widths.
    """
    sums = teller.grouped(contributions)
    if values.shape != (len(sums), len(teller.names)):
        raise ValueError(f"values of {len(teller.names)} features are wanted")
    n = len(sums)
    picked = Picked(
        np.full((n, most), NONE, np.int16),
        np.zeros((n, most), np.int16),
        np.full((n, most, 2), np.nan),
        np.zeros((n, most)),
        np.zeros((n, most)),
        np.zeros((n, 3)),
    )
    _pick_all(sums, contributions, values, _tables(teller), picked)
    return picked


def reasons_at(teller: Teller, picked: Picked, row: int) -> tuple[Reason, ...]:
    """Answer the reasons of one row in words, as `Teller.told` does, the rest as the last."""
    found: list[Reason] = []
    for place, group in enumerate(picked.group[row].tolist()):
        if group == NONE:
            break
        total = float(picked.total[row, place])
        line = int(picked.line[row, place])
        first, second = picked.numbers[row, place].tolist()
        two = line >= 0 and len(teller.lines[group][line].places) > 1
        pick = Pick(line, (first, second) if two else (first,))
        text, value, reference = teller.say(group, pick)
        direction = Direction.raises if total > 0 else Direction.lowers
        share = float(picked.share[row, place])
        found.append(Reason(teller.labels[group], text, direction, share, value, reference, total))
    count, total, share = picked.rest[row].tolist()
    if count:
        text = f"{count:.0f} smaller influence{'s' if count > 1 else ''} together"
        direction = Direction.raises if total > 0 else Direction.lowers
        found.append(Reason(REST, text, direction, share, contribution=total))
    return tuple(found)
