"""Frequency caps: how often a user saw a campaign within a window, counted in their history.

A billed impression is an event of the user's history that names its campaign, so one read brings
what caps need. Knows nothing of where histories come from; without one, nothing was seen.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from domain.campaigns import Campaign, FrequencyCap
from domain.events import Kind
from domain.ids import hash32

Lines = npt.NDArray[np.int32]

MOST_CAPS = 4
_IMPRESSION = int(Kind.impression)


@njit(cache=True, nogil=True, error_model="numpy")
def find_uncapped(
    history: Any,
    now: int,
    campaigns: Any,
    most: Any,
    windows: Any,
    owners: Any,
    lines: Any,
    out: Any,
) -> int:
    """Write to `out` those of `lines` whose campaign may be shown, in order; answer how many.

    history: records (at, kind, campaign), ascending by at, ms and hash32 of a name; now: ms;
    campaigns: uint32[c]; most: int32[c, 4], 0 for no cap; windows: int64[c, 4] ms; owners:
    int32[all lines], the place of a line's campaign; lines, out: int32[m], which may be the same.
    An event counts while it is younger than its window. Impressions within reach are looked up
    once, every campaign is judged once, however many lines it has.
    """  # fmt: skip
    reach = np.int64(0)
    for line in lines:
        for cap in range(most.shape[1]):
            if most[owners[line], cap] > 0:
                reach = max(reach, windows[owners[line], cap])
    ats, seen = np.empty(len(history), np.int64), np.empty(len(history), np.uint32)
    met = 0
    for event in range(len(history) - 1, -1, -1):
        if history[event]["at"] <= now - reach:
            break
        if history[event]["kind"] == _IMPRESSION:
            ats[met], seen[met] = history[event]["at"], history[event]["campaign"]
            met += 1
    verdicts = np.zeros(len(campaigns), np.int8)
    kept = 0
    for line in lines:
        place = owners[line]
        if verdicts[place] == 0:
            verdicts[place] = 1
            for cap in range(most.shape[1]):
                if most[place, cap] <= 0:
                    continue
                count = 0
                for event in range(met):
                    if ats[event] <= now - windows[place, cap]:
                        break
                    count += seen[event] == campaigns[place]
                if count >= most[place, cap]:
                    verdicts[place] = 2
        if verdicts[place] == 1:
            out[kept] = line
            kept += 1
    return kept


class Caps:
    """The caps of campaigns as arrays, in the order given; see `find_uncapped`.

    some: whether any campaign has a cap; without, nothing need be counted.
    """

    def __init__(self, campaigns: Sequence[Campaign]) -> None:
        self.campaigns = np.array([hash32(one.campaign) for one in campaigns], np.uint32)
        self.most = np.zeros((len(campaigns), MOST_CAPS), np.int32)
        self.windows = np.zeros((len(campaigns), MOST_CAPS), np.int64)
        for place, one in enumerate(campaigns):
            for number, cap in enumerate(one.frequency):
                self.most[place, number] = cap.impressions
                self.windows[place, number] = cap.window_ms
        self.some = bool((self.most > 0).any())


def uncapped_lines(
    seen: npt.NDArray[Any] | None, caps: Caps, owners: Lines, lines: Lines, now_ms: int
) -> Lines:
    """Answer those of `lines` that a user may still be shown, in order; `lines` itself if all.

    seen: the user's history (at, kind, campaign; ascending), None for nobody: nothing was seen.
    owners: int32[all lines], the place in `caps` of a line's campaign. lines: int32[m], numbers of
    lines. An impression that was bid and not yet billed is in no history and does not count.
    """
    if not caps.some or seen is None or not len(seen) or not len(lines):
        return lines
    out = np.empty(len(lines), np.int32)
    count = find_uncapped(seen, now_ms, caps.campaigns, caps.most, caps.windows, owners, lines, out)
    return lines if count == len(lines) else out[:count]


def prepare(history: np.dtype[np.void]) -> None:
    """Compile, or fetch what was compiled, for read-only histories of this type."""
    seen = np.frombuffer(bytes(history.itemsize), history)
    none = np.zeros(1, np.int32)
    uncapped_lines(seen, Caps([Campaign("", frequency=(FrequencyCap(1),))]), none, none, 0)
