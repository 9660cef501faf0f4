"""Frequency caps: how often a user saw a campaign within a window, counted in their history.

A billed impression is an event of the user's history that names its campaign, so one read brings
what caps need. Knows nothing of where histories come from; without one, nothing was seen.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from domain.campaigns import Campaign
from domain.events import Kind
from domain.ids import hash32

MOST_CAPS = 4
_IMPRESSION = int(Kind.impression)


@njit(cache=True, nogil=True, error_model="numpy")
def find_capped(
    ats: Any, kinds: Any, seen: Any, now: int, campaigns: Any, most: Any, windows: Any, out: Any
) -> None:
    """Write to `out` which campaigns may not be shown to a user just now; bool[c].

    ats: int64[n] ms, ascending; kinds: uint8[n]; seen: uint32[n], hash32 of the campaign of each
    event; now: ms; campaigns: uint32[c]; most: int32[c, 4], 0 for no cap; windows: int64[c, 4] ms.
    An event counts while it is younger than its window.
    """
    for place in range(len(campaigns)):
        out[place] = False
        for cap in range(most.shape[1]):
            limit = most[place, cap]
            if limit <= 0:
                continue
            since = now - windows[place, cap]
            count = 0
            for event in range(len(ats) - 1, -1, -1):
                if ats[event] <= since:
                    break
                if kinds[event] == _IMPRESSION and seen[event] == campaigns[place]:
                    count += 1
                    if count >= limit:
                        break
            if count >= limit:
                out[place] = True
                break


class Caps:
    """The caps of campaigns as arrays, in the order given; see `find_capped`."""

    def __init__(self, campaigns: Sequence[Campaign]) -> None:
        self.campaigns = np.array([hash32(one.campaign) for one in campaigns], np.uint32)
        self.most = np.zeros((len(campaigns), MOST_CAPS), np.int32)
        self.windows = np.zeros((len(campaigns), MOST_CAPS), np.int64)
        for place, one in enumerate(campaigns):
            for number, cap in enumerate(one.frequency):
                self.most[place, number] = cap.impressions
                self.windows[place, number] = cap.window_ms

    def capped(self, records: npt.NDArray[Any], now_ms: int) -> npt.NDArray[np.bool_]:
        """Answer which campaigns may not be shown; records: a history (at, kind, campaign)."""
        out = np.zeros(len(self.campaigns), np.bool_)
        find_capped(
            *(records["at"], records["kind"], records["campaign"], now_ms),
            *(self.campaigns, self.most, self.windows, out),
        )
        return out
