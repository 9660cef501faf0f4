"""Scenes: which devices and pages a ranker is told of, and how each item is taken there.

What an item is taken more often there than its own rate and the scene's let expect, drawn to
nothing where little is known (a gamma prior on a Poisson rate). Places that are hardly looked at
count as little shown. Knows nothing of forests.
"""

from collections import Counter
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from models.recommend.member import frozen
from models.recommend.scenery import LONGEST, Scenery
from training.fit.answers import I32, I64, Answers
from training.fit.examination import Examination

F64 = npt.NDArray[np.float64]
MOST = (4, 8)
"""Devices and pages that get a column."""
LEAST_SHARE = 0.01
"""Of the answers, to be among them."""
LEAST_PEOPLE = 20
"""So many people must have asked there: the name of a page that one person sees may be theirs."""
DOUBT = 5.0
"""Clicks that it takes to be half believed."""
Names = tuple[tuple[str, ...], tuple[str, ...]]


def names_of(answers: Answers) -> Names:
    """Answer the devices and pages worth a column, the most frequent first."""
    found: list[tuple[str, ...]] = []
    for said, most in zip((answers.devices, answers.pages), MOST, strict=True):
        counts = Counter(said)
        people: dict[str, set[int]] = {}
        for name, who in zip(said, answers.people.tolist(), strict=True):
            if who >= 0:
                people.setdefault(name, set()).add(who)
        names = [
            name
            for name, count in sorted(counts.items(), key=lambda one: (-one[1], one[0]))
            if 0 < len(name) <= LONGEST
            and name.isprintable()
            and count >= LEAST_SHARE * len(answers)
            and len(people.get(name, ())) >= LEAST_PEOPLE
        ]
        found.append(tuple(names[:most]))
    return found[0], found[1]


class Taken(NamedTuple):
    """What scenes are learned from: of every row of the answers its item's number in the model
    (int32[r], -1 unknown), the chance that its place is looked at, and when its outcome had
    come (ms UTC); n_items of the model."""

    answers: Answers
    numbers: I32
    chances: F64
    known_at: I64
    n_items: int


def taken_of(answers: Answers, numbers: I32, examination: Examination, n_items: int) -> Taken:
    """Answer what scenes are learned from."""
    known_at = answers.ats[answers.owners] + answers.window_ms
    return Taken(answers, numbers, examination.chance(answers.places), known_at, n_items)


def scenery_of(taken: Taken, names: Names, until: int) -> Scenery:
    """Answer the scenery as it could be known at `until` (ms UTC)."""
    answers = taken.answers
    told = (taken.known_at <= until) & (taken.numbers >= 0)
    lifts = [
        _lifts(taken, told, said, known)
        for said, known in zip((answers.devices, answers.pages), names, strict=True)
    ]
    return Scenery(names, (frozen(lifts[0], np.float32), frozen(lifts[1], np.float32)))


def _lifts(
    taken: Taken, told: npt.NDArray[np.bool_], said: tuple[str, ...], names: tuple[str, ...]
) -> F64:
    """Answer float64[names, n]: the logarithm of clicks over those expected."""
    n, index = taken.n_items, {name: place for place, name in enumerate(names)}
    # Scenes without a column together are one more.
    scenes = np.array([index.get(name, len(names)) for name in said], np.int64)
    rows = scenes[taken.answers.owners] * n + taken.numbers
    size = (len(names) + 1) * n
    shown = np.bincount(rows[told], taken.chances[told], size).reshape(-1, n)
    clicks = np.bincount(rows[told], taken.answers.taken[told], size).reshape(-1, n)
    rate = max(clicks.sum(), 1.0) / max(shown.sum(), 1.0)
    own = (clicks.sum(axis=0) + DOUBT) / (shown.sum(axis=0) + DOUBT / rate)
    there = (clicks.sum(axis=1) + DOUBT) / (shown.sum(axis=1) + DOUBT / rate) / rate
    expected = shown * own * there[:, None]
    return np.log((clicks + DOUBT) / (expected + DOUBT))[: len(names)]
