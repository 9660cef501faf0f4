"""Examination: how likely a place of an answer is looked at, and what a click there then counts.

A click tells of the place as well as of the item; counted by one over the chance that its place
was examined, clicks are as if all places were (Joachims, Swaminathan and Schnabel, Unbiased
Learning-to-Rank with Biased Feedback, WSDM 2017). The chance at place p, from 1, is p to the
power of -steepness, as in that paper's simulations: explored places are the last ones, and the
first are known by the curve alone. Knows nothing of members or of forests.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from training.fit.answers import Answers

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
GRID = np.arange(151) / 50
"""What steepness may be: 0 looks at every place alike."""
LEAST = 100
"""Clicks that must tell places apart before anything is believed of them."""
CLIP = 10.0
"""A click never counts more than this many at the first place: the price of a known variance."""
_NINETY_FIVE = 1.92
"""By how much the log-likelihood falls to the ends of a 95 % interval of one number."""


class Examination(NamedTuple):
    """steepness with its 95 % interval; clicks: how many told places apart. With fewer than
    LEAST nothing is corrected: steepness 0."""

    steepness: float
    low: float
    high: float
    clicks: int

    def told(self) -> dict[str, float]:
        """Answer it as JSON values, by name."""
        return {
            "steepness_of_places": self.steepness,
            "steepness_low": self.low,
            "steepness_high": self.high,
            "clicks_that_tell_places": self.clicks,
        }

    def chance(self, places: I64) -> F64:
        """Answer the chance that each place, from 0, is examined, as a share of the first's."""
        return np.exp(-self.steepness * np.log1p(places))

    def worth(self, places: I64) -> F64:
        """Answer what a click at each place counts: one over its chance, at most CLIP."""
        return np.minimum(1.0 / self.chance(places), CLIP)


def learn_examination(answers: Answers) -> Examination:
    """Learn from places that chance filled.

    Two sorts of rows are compared, each only among themselves: what was explored on one page,
    and one item shown to one person again, at another place by another draw of the mix. Given
    how many clicks a group had, where they fell is told by the places alone: groups differ in
    how much they are clicked, and that drops out.
    """
    owners = answers.owners
    pages = np.unique(answers.pages, return_inverse=True)[1].astype(np.int64)
    _, items = np.unique(answers.items, return_inverse=True)
    again = answers.drawn[owners] & ~answers.explored & (answers.entities[owners] >= 0)
    pairs = answers.people[owners] * (int(items.max(initial=0)) + 1) + items
    groups = np.where(answers.explored, -1 - pages[owners], pairs)
    chosen = answers.explored | again
    return steepness_of(groups[chosen], answers.places[chosen], answers.taken[chosen])


def steepness_of(groups: I64, places: I64, taken: npt.NDArray[np.bool_]) -> Examination:
    """Answer the most likely steepness: groups, places (from 0) and clicks of some rows."""
    _, group = np.unique(groups, return_inverse=True)
    count = int(group.max(initial=-1)) + 1
    first, last = np.full(count, np.iinfo(np.int64).max), np.full(count, -1)
    np.minimum.at(first, group, places)
    np.maximum.at(last, group, places)
    clicks = np.bincount(group, taken, count)
    useful = ((last > first) & (clicks > 0))[group]
    group, places, taken = group[useful], places[useful], taken[useful]
    told = int(taken.sum())
    if told < LEAST:
        return Examination(0.0, 0.0, float(GRID[-1]), told)
    logs, likely = np.log1p(places), np.empty(len(GRID))
    for at, steepness in enumerate(GRID):
        sums = np.bincount(group, np.exp(-steepness * logs), count)
        likely[at] = -steepness * logs[taken].sum()
        likely[at] -= clicks[sums > 0] @ np.log(sums[sums > 0])
    best = int(likely.argmax())
    inside = GRID[likely >= likely[best] - _NINETY_FIVE]
    return Examination(float(GRID[best]), float(inside[0]), float(inside[-1]), told)
