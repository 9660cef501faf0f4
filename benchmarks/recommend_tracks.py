"""How each log of the recommender's benchmark is parted: what validates and what tests.

A track is a log and a split. Each is the protocol under which the figures it is compared with
were made; the counts it must give are stated and checked. Knows nothing of models.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from benchmarks.harness import Arguments
from benchmarks.recommend_data import LOGS, interactions
from domain.clock import DAY_MS
from domain.errors import TooLittleData
from training.fit.recommend import Catalogue
from training.splits import Interactions, Split, leave_one_out, session_split, time_split

MOVIES_CUT = 889_237_269_000
RETAIL_CUT = 1_321_015_800_000
JOURNEY_CUT, JOURNEY_VALID = 1_512_360_080_000, 1_509_940_880_000
TAOBAO_END = 1_512_316_800_000
"""2017-12-04 00:00 in Asia/Shanghai: the log's last day ends."""

SESSION_GAP_MS = 30 * 60 * 1000
CAP = 8_192
"""Events of a history that are heard: all, as in the figures we compare with."""


class Parted(NamedTuple):
    """A log, ready to be learned from: validation and test, and whether repeats are the task."""

    catalogue: Catalogue
    full: Interactions
    valid: Split
    test: Split
    repeats: bool


Cut = Callable[[Interactions], tuple[Split, Split]]


@dataclass(frozen=True)
class Track:
    """One log and split.

    counts: events, users, items and cases that must come out. seconds: what a fit may take, so
    that all tracks together are measured within three quarters of an hour.
    """

    dataset: str
    split: str
    cut: Cut
    repeats: bool
    counts: dict[str, int]
    seconds: float = 240.0

    @property
    def name(self) -> str:
        """Answer the words that figures begin with when there are several tracks."""
        return f"{self.dataset}_{self.split}".replace("-", "_")


def _last_event(full: Interactions) -> tuple[Split, Split]:
    return leave_one_out(full, 2, CAP, repeats=False), leave_one_out(full, 1, CAP, repeats=False)


def _by_time(cut: int, valid: int, repeats: bool, least: int = 1) -> Cut:
    def parted(full: Interactions) -> tuple[Split, Split]:
        end = int(full.ats.max()) + 1
        return (
            time_split(full, valid, cut, CAP, repeats, least),
            time_split(full, cut, end, CAP, repeats, least),
        )

    return parted


def _movies(full: Interactions) -> tuple[Split, Split]:
    # Validation lasts as long as the test does.
    return _by_time(MOVIES_CUT, 2 * MOVIES_CUT - int(full.ats.max()) - 1, False)(full)


def _sessions(full: Interactions) -> tuple[Split, Split]:
    cut = TAOBAO_END - DAY_MS
    return (
        session_split(full, cut - DAY_MS, cut, CAP, SESSION_GAP_MS, True),
        session_split(full, cut, TAOBAO_END, CAP, SESSION_GAP_MS, True),
    )


_RETAIL = {"events": 382_518, "users": 4_101, "items": 2_860}
TRACKS = (
    Track(
        "amazon-beauty", "leave-one-out", _last_event, False,
        {"events": 198_502, "users": 22_363, "items": 12_101, "cases": 22_363},
        seconds=600.0,
    ),
    Track(
        "lastfm", "leave-one-out", _last_event, False,
        {"events": 52_551, "users": 1_090, "items": 3_646, "cases": 1_090},
    ),
    Track(
        "ml-100k", "leave-one-out", _last_event, False,
        {"events": 100_000, "users": 943, "items": 1_682, "cases": 943},
    ),
    Track("ml-100k", "time", _movies, False, {"events": 100_000, "users": 943, "cases": 109}),
    Track(
        "online-retail", "time", _by_time(RETAIL_CUT, RETAIL_CUT - 28 * DAY_MS, True, 5), True,
        _RETAIL,
    ),
    Track(
        "online-retail", "discover", _by_time(RETAIL_CUT, RETAIL_CUT - 28 * DAY_MS, False, 5),
        False, _RETAIL,
    ),
    Track(
        "completejourney", "time", _by_time(JOURNEY_CUT, JOURNEY_VALID, True), True,
        {"events": 1_017_631, "users": 2_297, "items": 6_333, "cases": 1_897},
        seconds=360.0,
    ),
    Track(
        "taobao-behaviour", "session", _sessions, True,
        {"events": 99_957, "users": 983, "items": 64_440, "cases": 11_014},
        seconds=360.0,
    ),
)  # fmt: skip
"""Every track, in the order of the table."""


def part(track: Track, arguments: Arguments) -> Parted:
    """Read a track's log and part it.

    Raises TooLittleData when the log is not there, or is not the one the protocol speaks of.
    """
    catalogue, full = interactions(LOGS[track.dataset](arguments))
    valid, test = track.cut(full)
    found = {
        "events": len(full.items),
        "users": len(full.offsets) - 1,
        "items": len(np.unique(full.items)),
        "cases": len(test.cases),
    }
    if any(found[name] != count for name, count in track.counts.items()):
        raise TooLittleData(f"{track.name} is not the published log: {found}")
    return Parted(catalogue, full, valid, test, track.repeats)
