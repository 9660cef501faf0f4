"""Lessons of answers: what was placed and what came of it, added to the reception all share.

An answer counts as one without a reward at once, and a reward is added when it comes: exact for
linear rewards, so nothing waits. Pure; knows nothing of stores or of who else teaches.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import isfinite
from typing import NamedTuple

import numpy as np

from models.bandits.evidence import COUNT, REWARD, SQUARE, fading
from models.recommend.contexts import WIDTH, Numbers
from models.recommend.mixes import ARMS
from models.recommend.reception import Reception

MOST_REWARD = 1e4
"""No outcome is worth more."""


class Given(NamedTuple):
    """An answer with a mix (its place in ARMS), on a page, in a context of WIDTH numbers."""

    page: str
    arm: int
    context: Numbers


class Reward(NamedTuple):
    """What came of such an answer `age` ms after it was given."""

    given: Given
    reward: float
    age: float


@dataclass(slots=True)
class Lessons:
    """What a worker has to teach. placed: how often each new item was placed, by hash.
    woken: somebody told what came of an answer, whether or not it was remembered."""

    given: list[Given] = field(default_factory=list[Given])
    rewards: list[Reward] = field(default_factory=list[Reward])
    placed: Counter[int] = field(default_factory=Counter[int])
    woken: bool = False

    def __len__(self) -> int:
        return len(self.given) + len(self.rewards) + len(self.placed) + self.woken


def teach(reception: Reception, lessons: Lessons, half_life_ms: float) -> tuple[Reception, int]:
    """Answer the reception after the lessons, and how many of them could not be taken.

    `reception` has faded to the present. With x the context of an answer, r its reward: its arm's
    precision grows by x x', its shift by r x (linear regression with a noise of 1), and a reward
    that comes late counts as it would if it had come at once.
    """
    given = [one for one in lessons.given if _fits(one)]
    rewards = [
        one
        for one in lessons.rewards
        if _fits(one.given) and isfinite(one.reward) and abs(one.reward) <= MOST_REWARD
    ]
    refused = len(lessons.given) + len(lessons.rewards) - len(given) - len(rewards)
    if lessons.woken:
        reception = replace(reception, woken=max(reception.at, 1))
    for name in dict.fromkeys(one.page for one in (*given, *(each.given for each in rewards))):
        # One page after the other, so that a batch of invented names is bounded too.
        known = reception.page_of(name)
        if ("", known) not in reception.pages.names:
            reception = replace(reception, pages=reception.pages.grown([("", known)]))
    bank = reception.pages.writable()
    rows = {page: number * bank.rows for number, (_, page) in enumerate(bank.names)}
    precision, shift, tallies = bank.evidence
    if given:
        x, row = _columns(given, rows, reception)
        np.add.at(precision, row, x[:, :, None] * x[:, None, :])
        np.add.at(tallies[:, COUNT], row, 1.0)
    if rewards:
        x, row = _columns([one.given for one in rewards], rows, reception)
        kept = np.array([fading(one.age, half_life_ms) for one in rewards])
        reward = np.array([one.reward for one in rewards])
        np.add.at(shift, row, x * (kept * reward)[:, None])
        np.add.at(tallies[:, REWARD], row, kept * reward)
        np.add.at(tallies[:, SQUARE], row, kept * reward**2)
    taught = replace(reception, pages=bank).with_placed(lessons.placed)
    return taught.bounded(), refused


def _fits(one: Given) -> bool:
    return (
        0 <= one.arm < len(ARMS) and len(one.context) == WIDTH and all(map(isfinite, one.context))
    )


def _columns(
    given: Sequence[Given], rows: dict[str, int], reception: Reception
) -> tuple[np.ndarray, np.ndarray]:
    x = np.array([one.context for one in given], np.float64)
    row = [rows[reception.page_of(one.page)] + one.arm for one in given]
    return x, np.array(row, np.int64)
