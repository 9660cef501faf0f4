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
_RAISES, _LOWERS = Direction.raises, Direction.lowers


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
def _sums(parts, tables, sums):
    """Write what each group adds; answer the sum of their sizes."""
    whole = 0.0
    for g in range(sums.shape[0]):
        sums[g] = 0.0
        for place in range(tables.member_start[g], tables.member_start[g + 1]):
            sums[g] += parts[tables.member[place]]
        whole += abs(sums[g])
    return whole


@njit(cache=True, nogil=True)
def _pick_all(
    contributions, values, line_start, first, second, member_start, member,
    group, line, numbers, total, share, rest,
):  # fmt: skip
    """Write Picked; each array is an argument of its own, since a tuple of them costs more than
    the picking."""
    tables = _Tables(line_start, first, second, member_start, member)
    most, groups = group.shape[1], member_start.shape[0] - 1
    taken, sums = np.zeros(groups, np.bool_), np.zeros(groups)
    for i in range(len(contributions)):
        whole = _sums(contributions[i], tables, sums)
        if not whole > 0:
            continue
        taken[:] = False
        for place in range(most):
            best = -1
            for g in range(groups):
                if taken[g] or sums[g] == 0:
                    continue
                if best < 0 or abs(sums[g]) > abs(sums[best]):
                    best = g
            if best < 0:
                break
            taken[best] = True
            sign = 1.0 if sums[best] > 0 else -1.0
            found = _line(best, contributions[i], values[i], sign, tables)
            group[i, place], line[i, place] = best, found[0]
            numbers[i, place, 0], numbers[i, place, 1] = found[1], found[2]
            total[i, place], share[i, place] = sums[best], abs(sums[best]) / whole
        for g in range(groups):
            if not taken[g] and sums[g] != 0:
                rest[i, 0] += 1
                rest[i, 1] += sums[g]
                rest[i, 2] += abs(sums[g]) / whole


def pick_many(teller: Teller, contributions: F64, values: F64, most: int = 3) -> Picked:
    """Answer at most `most` reasons a row; see `Teller.told` for what they are.

    contributions: float64[n, f + 1], values: float64[n, f]. Raises ValueError for other widths.
    """
    n, width = len(values), len(teller.names)
    if values.shape != (n, width) or contributions.shape != (n, width + 1):
        raise ValueError(f"values of {width} features are wanted, and contributions of a base too")
    picked = Picked(
        np.empty((n, most), np.int16),
        np.zeros((n, most), np.int16),
        np.empty((n, most, 2)),
        np.zeros((n, most)),
        np.zeros((n, most)),
        np.zeros((n, 3)),
    )
    picked.group.fill(NONE)
    picked.numbers.fill(np.nan)
    _pick_all(contributions, values, *_tables(teller), *picked)
    return picked


@lru_cache(maxsize=16_384)
def _said(
    teller: Teller, group: int, line: int, numbers: tuple[float, ...]
) -> tuple[str, float | None, float | None]:
    """As `Teller.say`: most customers have an order or none in a month, and so the same words."""
    return teller.say(group, Pick(line, numbers))


def reasons_at(teller: Teller, picked: Picked, row: int) -> tuple[Reason, ...]:
    """Answer the reasons of one row in words, as `Teller.told` does, the rest as the last."""
    found: list[Reason] = []
    lines, totals = picked.line[row].tolist(), picked.total[row].tolist()
    numbers, shares = picked.numbers[row].tolist(), picked.share[row].tolist()
    for place, group in enumerate(picked.group[row].tolist()):
        if group == NONE:
            break
        line, total, both = lines[place], totals[place], numbers[place]
        two = line >= 0 and len(teller.lines[group][line].places) > 1
        said = tuple(both) if two else (both[0],)
        text, value, reference = _said(teller, group, line, said)
        direction = _RAISES if total > 0 else _LOWERS
        found.append(
            Reason(teller.labels[group], text, direction, shares[place], value, reference, total)
        )
    count, total, share = picked.rest[row].tolist()
    if count:
        text = f"{count:.0f} smaller influence{'s' if count > 1 else ''} together"
        direction = _RAISES if total > 0 else _LOWERS
        found.append(Reason(REST, text, direction, share, contribution=total))
    return tuple(found)
