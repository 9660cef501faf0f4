"""Teaching: one batch of lessons added to the lore that all bidders share.

Pure: lore, lessons and the beliefs that were held in, lore out; the same lessons in another order
give all but the same. Knows nothing of notices, of stores or of who else teaches.
"""

from collections import Counter
from dataclasses import replace
from math import isfinite

import numpy as np
import numpy.typing as npt

from models.bandits.evidence import COUNT, fading
from models.bandits.sites import LOGISTIC, absorb
from models.bidding.arms import HEAD_START, NOISE, WIDTH
from models.bidding.feedback import Rows
from models.bidding.landscape import LOCATIONS
from models.bidding.learned import creative_beliefs
from models.bidding.lore import (
    AWAITED,
    BOUGHT,
    CAME,
    EXPLORED,
    FORETOLD,
    FRESH,
    HOPED,
    SPENT,
    HalfLives,
    Lore,
)
from models.bidding.market import Ground, no_evidence, taught
from models.bidding.memo import places_fit
from models.bidding.tidings import Clicked, Impression, Lessons, Price, Tried

F64 = npt.NDArray[np.float64]

MOST_ROWS = 2_000
"""Notices that one step of the landscape looks at; of more the latest count."""
BASE_HOLDS_MS = 60_000
"""A base on which nobody learned for so long may be replaced by another worker's."""


def teach(
    lore: Lore, lessons: Lessons, ground: Ground, *, taken_up: int, lives: HalfLives
) -> tuple[Lore, int]:
    """Answer the lore after the lessons, and how many of them could not be taken.

    `lore` has faded to the present. ground: the landscape that this worker starts from, taken up
    at `taken_up` (UTC ms).
    """
    refused = lessons.refused
    lore, missed = _teach_prices(lore, lessons.prices, ground, taken_up)
    refused += missed
    lore = _count_told(lore, lessons)
    lore, missed = _teach_multipliers(lore, lessons.tried)
    refused += missed
    lore, missed = _teach_creatives(lore, lessons, lives)
    refused += missed
    return _sum_up(lore, lessons, lives).bounded(), refused


def _teach_prices(
    lore: Lore, prices: list[Price], ground: Ground, taken_up: int
) -> tuple[Lore, int]:
    evidence = lore.market
    if evidence is None or evidence.base != ground.mark:
        if evidence is not None and not (
            taken_up > evidence.since or lore.at - evidence.renewed > BASE_HOLDS_MS
        ):
            # Another worker has a newer release: what it learns is kept, ours would not fit.
            return lore, len(prices)
        # The notices behind the old evidence are in the log that the new base was fitted on.
        evidence = no_evidence(ground.landscape, lore.at)._replace(since=taken_up)
    buckets = ground.landscape.buckets
    fitting = [one for one in prices if places_fit(one.memo, buckets) and _sane(one)]
    used = fitting[-MOST_ROWS:]
    if used:
        rows = Rows(
            np.array([one.memo.places for one in used], np.int32),
            np.array([one.kind for one in used], np.uint8),
            np.array([one.low for one in used], np.float64),
            np.array([one.high for one in used], np.float64),
        )
        evidence = taught(ground, evidence, rows, lore.at)
    return replace(lore, market=evidence), len(prices) - len(used)


def _sane(price: Price) -> bool:
    return LOCATIONS[0] <= price.low <= price.high <= LOCATIONS[1]


def _count_told(lore: Lore, lessons: Lessons) -> Lore:
    """Count notices by exchange, and make room for exchanges that were not known."""
    names, told = list(lore.exchanges), lore.told.copy()
    for (name, place), count in Counter(lessons.heard).items():
        known = replace(lore, exchanges=tuple(names)).exchange_of(name)
        if known not in names:
            names.append(known)
            told = np.concatenate([told, np.zeros((1, 3))])
        told[names.index(known), place] += count
    return replace(lore, exchanges=tuple(names), told=told)


def _context(features: tuple[float, ...]) -> F64:
    return np.array((1.0, *features), np.float64)


def _teach_multipliers(lore: Lore, tried: list[Tried]) -> tuple[Lore, int]:
    """Add linear outcomes: exact, whatever is believed."""
    good = [one for one in tried if len(one.features) == WIDTH - 1 and isfinite(one.reward)]
    if not good:
        return lore, len(tried)
    names = [(lore.exchange_of(one.exchange), one.campaign) for one in good]
    bank = lore.multipliers.grown(names).writable()
    place = {name: number for number, name in enumerate(bank.names)}
    arm = np.array([one.multiplier for one in good])
    rows = np.array([place[name] for name in names]) * bank.rows + arm
    x = np.stack([_context(one.features) for one in good])
    reward = np.array([one.reward for one in good]) - HEAD_START[arm]
    precision, shift, tallies = bank.evidence
    np.add.at(precision, rows, x[:, :, None] * x[:, None, :] / NOISE)
    np.add.at(shift, rows, x * reward[:, None] / NOISE)
    np.add.at(tallies, rows, np.stack([np.ones(len(arm)), reward, reward**2], 1))
    return replace(lore, multipliers=bank), len(tried) - len(good)


def _interleaved(outcomes: list[Impression | Clicked]) -> list[Impression | Clicked]:
    """Answer a batch's outcomes so that each creative's clicks are spread among its others: what
    one testifies depends on what is believed when it is heard."""
    groups = [(one.campaign, one.creative, isinstance(one, Clicked)) for one in outcomes]
    counts, seen = Counter(groups), Counter[tuple[str, str, bool]]()
    keys: list[float] = []
    for group in groups:
        keys.append((seen[group] + 0.5) / counts[group])
        seen[group] += 1
    return [outcomes[number] for number in sorted(range(len(outcomes)), key=keys.__getitem__)]


def _teach_creatives(lore: Lore, lessons: Lessons, lives: HalfLives) -> tuple[Lore, int]:
    """Add impressions, each as one without a click, and clicks.

    A click makes room first: as much of its creative's evidence is dropped as one outcome has
    brought on average, so that the impression does not count twice. Nothing waits for clicks that
    may come: while impressions wait and clicks do not, a new creative looks far too good.
    """
    outcomes: list[Impression | Clicked] = [
        one for one in (*lessons.impressions, *lessons.clicks) if len(one.features) == WIDTH - 1
    ]
    if not outcomes:
        return lore, 0
    bank = lore.creatives.grown((one.campaign, one.creative) for one in outcomes).writable()
    place = {name: number for number, name in enumerate(bank.names)}
    beliefs = creative_beliefs(bank).copy()
    precision, shift, tallies = bank.evidence
    refused = 0
    for one in _interleaved(outcomes):
        row, reward = place[one.campaign, one.creative], 0.0
        if isinstance(one, Clicked):
            reward, count = 1.0, float(tallies[row, COUNT])
            if count > 0.0:
                kept = max(0.0, 1.0 - fading(one.age, lives.arms) / count)
                for array in bank.evidence:
                    array[row] *= kept
        refused += not absorb(
            *(beliefs.mean[row], beliefs.covariance[row]),
            *(precision[row], shift[row], tallies[row]),
            *(_context(one.features), reward, LOGISTIC, 1.0),
        )
    return replace(lore, creatives=bank), refused


def _sum_up(lore: Lore, lessons: Lessons, lives: HalfLives) -> Lore:
    """Add chances, outcomes and spend to the campaigns' sums."""
    parts = (lessons.impressions, lessons.clicks, lessons.bought)
    lore = lore.with_campaigns(one.campaign for part in parts for one in part)
    place = {name: number for number, name in enumerate(lore.campaigns)}
    sums = lore.sums.copy()
    for one in lessons.impressions:
        row = sums[place[one.campaign]]
        row[[FORETOLD, FRESH]] += one.chance
        row[SPENT] += one.spent
        row[EXPLORED] += one.spent * one.explores
    for one in lessons.clicks:
        row = sums[place[one.campaign]]
        if one.chance > 0.0:
            row[CAME] += fading(one.age, lives.sums)
        row[[HOPED, AWAITED]] += one.conversion
    for one in lessons.bought:
        if one.conversion > 0.0:
            sums[place[one.campaign], BOUGHT] += 1.0
    return replace(lore, sums=sums)
