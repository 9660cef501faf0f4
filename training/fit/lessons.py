"""Earlier held-out events of the same users, for a log whose validation is thin.

Each lesson asks as validation does, some events or windows before it. Knows nothing of members
but whose they are, nor of what is learned from the answers.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from models.recommend.member import Member
from training.splits import Cases, Interactions, Split, leave_one_out, time_split

THIN = 4_000
"""Below this many cases earlier lessons are taken too."""


class Taught(NamedTuple):
    """Held-out cases, whose places are of `log`, and members learned from what lies before."""

    log: Interactions
    split: Split
    members: dict[str, Member]


def earlier(log: Interactions, split: Split, back: int, cap: int, repeats: bool) -> Taught | None:
    """Answer the cases `back` windows, or events, before those of a split; None if there are none.

    log: what the split's cases are places of. Nothing after the split's cut is in it.
    """
    cases, known = split.cases, split.known
    if not len(cases):
        return None
    if len(cases) > 1 and np.all(cases.as_of == split.as_of):
        width = _until(log, cases) - split.as_of
        cut = split.as_of - back * width
        found = time_split(known, cut, cut + width, cap, repeats)
    else:
        found = leave_one_out(known, back, cap, repeats)
    return Taught(known, found, {}) if len(found.cases) else None


def earlier_lessons(
    log: Interactions, split: Split, most: int, cap: int, repeats: bool
) -> list[Taught]:
    """Answer at most `most` lessons before a split, none beyond THIN cases in all."""
    found, cases = list[Taught](), len(split.cases)
    while len(found) < most and cases < THIN:
        one = earlier(log, split, len(found) + 1, cap, repeats)
        if one is None:
            break
        found.append(one)
        cases += len(one.split.cases)
    return found


def before_all(known: Interactions, lessons: Sequence[Taught]) -> Interactions:
    """Answer, of each user, the known events that lie before every lesson's cut."""
    sizes = [np.diff(one.split.known.offsets) for one in lessons]
    return known.until(known.offsets[:-1] + np.min(sizes, axis=0))


def _until(log: Interactions, cases: Cases) -> int:
    """Answer when the window of some cases ends (ms UTC), as far as their targets tell."""
    last = 0
    for case, (user, end) in enumerate(zip(cases.users.tolist(), cases.ends.tolist(), strict=True)):
        later = slice(end, int(log.offsets[user + 1]))
        wanted = cases.targets[cases.target_offsets[case] : cases.target_offsets[case + 1]]
        items, first = np.unique(log.items[later], return_index=True)
        last = max(last, int(log.ats[later][first[np.isin(items, wanted)]].max()))
    return last + 1
