"""What lore means to a bid: the landscape, factors, beliefs and allowances, worked out beforehand.

Worked out in the background whenever the lore has changed; a bid then only looks things up.
Knows nothing of where lore comes from.
"""

from dataclasses import dataclass, field

import numpy as np

from models.bandits.bank import Bank, Names
from models.bandits.beliefs import Beliefs, Pooled, frozen, pool_tree
from models.bandits.evidence import COUNT, nothing
from models.bandits.posterior import Gaussians, believe
from models.bidding.arms import (
    ARM_SPREAD,
    CAMPAIGN_SPREAD,
    CREATIVE_SPREAD,
    CREATIVE_TOP,
    HEAD_START,
    MULTIPLIER_TOP,
    MULTIPLIERS,
    OFFER_SPREAD,
    WIDTH,
)
from models.bidding.landscape import Landscape
from models.bidding.lore import (
    AWAITED,
    BOUGHT,
    CAME,
    ELSEWHERE,
    EXPLORED,
    FORETOLD,
    FRESH,
    HOPED,
    SPENT,
    Lore,
)
from models.bidding.market import Ground, moved
from models.bidding.online import Calibration

STRENGTH = 20.0
"""Outcomes that the belief "as foretold" is worth in a campaign's factor."""
_ARMS = len(MULTIPLIERS)


@dataclass(frozen=True)
class Learned:
    """A snapshot: nothing in it changes, but for what is remembered in `made`.

    factors: by campaign, of chances of click and conversion. spent: by campaign, micros in all and
    on exploring. multipliers: by exchange and campaign; newcomers: by exchange, of a campaign not
    seen there. arms: of creatives by campaign and creative, each [1]; fresh: by campaign, of a
    creative not seen; unseen: of one of a campaign not seen.
    """

    landscape: Landscape
    notices: float
    factors: dict[str, tuple[float, float]]
    spent: dict[str, tuple[int, int]]
    by_bills: frozenset[str]
    multipliers: dict[Names, Beliefs]
    newcomers: dict[str, Beliefs]
    stranger: Beliefs
    arms: dict[Names, Beliefs]
    fresh: dict[str, Beliefs]
    unseen: Beliefs
    made: dict[tuple[str, tuple[str, ...]], Beliefs] = field(
        default_factory=dict[tuple[str, tuple[str, ...]], Beliefs]
    )

    def creatives(self, campaign: str, creatives: tuple[str, ...]) -> Beliefs:
        """Answer beliefs about these creatives of a campaign, in their order; made once."""
        key = (campaign, creatives)
        found = self.made.get(key)
        if found is None:
            other = self.fresh.get(campaign, self.unseen)
            each = [self.arms.get((campaign, name), other) for name in creatives]
            found = frozen(
                np.array([one.mean[0] for one in each]).reshape(-1, WIDTH),
                np.array([one.covariance[0] for one in each]).reshape(-1, WIDTH, WIDTH),
                sum(one.outcomes for one in each),
            )
            self.made[key] = found
        return found


def learned_of(lore: Lore, ground: Ground) -> Learned:
    """Work out what lore means; some milliseconds."""
    market = lore.market
    multipliers, newcomers, stranger = _multipliers(lore.multipliers)
    arms, fresh, unseen = _creatives(lore.creatives)
    sums = lore.sums
    return Learned(
        moved(ground, market),
        0.0 if market is None or market.base != ground.mark else market.count,
        _factors(lore),
        {
            name: (int(row[SPENT]), int(row[EXPLORED]))
            for name, row in zip(lore.campaigns, sums, strict=True)
        },
        frozenset(
            name
            for name, (wins, bills, _) in zip(lore.exchanges, lore.told.tolist(), strict=True)
            if bills >= _BILLS_ENOUGH and wins < bills * _WINS_FEW
        ),
        multipliers,
        newcomers,
        stranger,
        arms,
        fresh,
        unseen,
    )


_BILLS_ENOUGH, _WINS_FEW = 20.0, 0.1
"""An exchange with so many bills and hardly a win among them tells of wins by bills alone."""


def _factors(lore: Lore) -> dict[str, tuple[float, float]]:
    both = [
        _calibrated(lore, CAME, FORETOLD, FRESH),
        _calibrated(lore, BOUGHT, HOPED, AWAITED),
    ]
    pairs = zip(*both, strict=True)
    return dict(zip(lore.campaigns, ((float(a), float(b)) for a, b in pairs), strict=True))


def _calibrated(lore: Lore, came: int, foretold: int, young: int) -> np.ndarray:
    """Answer float64[n]: factors by what came of what is old enough to have come."""
    rows = [lore.sums[:, came], np.maximum(lore.sums[:, foretold] - lore.sums[:, young], 0.0)]
    totals = [np.append(column, column.sum()) for column in rows]
    return Calibration(totals[0], totals[1], STRENGTH, 1.0, 0).factors()


def creative_beliefs(bank: Bank) -> Gaussians:
    """Answer what is believed of every creative in the bank, in its order."""
    return believe(_pooled_creatives(bank).leaves, bank.evidence).beliefs


def _pooled_creatives(bank: Bank) -> Pooled:
    campaigns = _numbers([campaign for campaign, _ in bank.names])
    return pool_tree(
        bank.evidence,
        np.array([campaigns[campaign] for campaign, _ in bank.names], np.int64),
        len(campaigns),
        CREATIVE_TOP,
        (OFFER_SPREAD, CREATIVE_SPREAD),
    )


def _numbers(names: list[str]) -> dict[str, int]:
    return {name: number for number, name in enumerate(dict.fromkeys(names))}


def _creatives(bank: Bank) -> tuple[dict[Names, Beliefs], dict[str, Beliefs], Beliefs]:
    pooled = _pooled_creatives(bank)
    found = frozen(*believe(pooled.leaves, bank.evidence).beliefs, 0.0)
    counts = bank.evidence.tallies[:, COUNT].tolist()
    arms = {name: _part(found, slice(i, i + 1), counts[i]) for i, name in enumerate(bank.names)}
    campaigns = _numbers([campaign for campaign, _ in bank.names])
    others = frozen(*pooled.newcomers, 0.0)
    fresh = {name: _part(others, slice(i, i + 1), 0.0) for name, i in campaigns.items()}
    return arms, fresh, frozen(*pooled.strangers, 0.0)


def _part(beliefs: Beliefs, span: slice, outcomes: float) -> Beliefs:
    """Answer some arms' beliefs; parts of what is frozen are so too."""
    return Beliefs(beliefs.mean[span], beliefs.covariance[span], outcomes)


def _multipliers(bank: Bank) -> tuple[dict[Names, Beliefs], dict[str, Beliefs], Beliefs]:
    """Pool every exchange by itself: multipliers are its groups, campaigns hang on them."""
    found: dict[Names, Beliefs] = {}
    newcomers: dict[str, Beliefs] = {}
    spreads = (ARM_SPREAD, CAMPAIGN_SPREAD)
    places: dict[str, list[int]] = {}
    for number, (exchange, _) in enumerate(bank.names):
        places.setdefault(exchange, []).append(number)
    for exchange, numbers in places.items():
        rows = (np.array(numbers)[:, None] * _ARMS + np.arange(_ARMS)).ravel()
        evidence = bank.evidence.rows(rows)
        groups = np.tile(np.arange(_ARMS), len(numbers))
        pooled = pool_tree(evidence, groups, _ARMS, MULTIPLIER_TOP, spreads)
        beliefs = believe(pooled.leaves, evidence).beliefs
        counts = evidence.tallies[:, COUNT].reshape(-1, _ARMS).sum(axis=1).tolist()
        whole = _handicapped(beliefs, 0.0)
        for place, number in enumerate(numbers):
            span = slice(place * _ARMS, (place + 1) * _ARMS)
            found[bank.names[number]] = _part(whole, span, counts[place])
        newcomers[exchange] = _handicapped(pooled.newcomers, 0.0)
    nobody = pool_tree(
        nothing(0, WIDTH), np.zeros(0, np.int64), _ARMS, MULTIPLIER_TOP, spreads
    ).newcomers
    stranger = newcomers.get(ELSEWHERE, _handicapped(nobody, 0.0))
    return found, newcomers, stranger


def _handicapped(beliefs: Gaussians, outcomes: float) -> Beliefs:
    mean = beliefs.mean.copy()
    mean[:, 0] += np.tile(HEAD_START, len(mean) // _ARMS)
    return frozen(mean, beliefs.covariance, outcomes)
