"""What a reception means: beliefs about every mix on every page, ready to choose from.

Rewards differ in scale from shop to shop, so what is expected before any outcome is a share of
the mean reward, and the noise is what was seen. Knows nothing of where a reception comes from.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from models.bandits.beliefs import Beliefs, frozen, pool_tree
from models.bandits.evidence import COUNT, REWARD, SQUARE, Evidence, Floats
from models.bandits.pooling import said_by
from models.bandits.posterior import believe
from models.recommend.contexts import WIDTH
from models.recommend.mixes import ARMS, RELEASED
from models.recommend.reception import ELSEWHERE, Counts, Hashes, Reception

_ARMS: Final = len(ARMS)
USUAL: Final = (0.1, 50.0)
"""Reward of an answer before any outcome, and how many answers that belief is worth."""
MIX_SPREAD: Final = (0.2, 0.03)
"""Deviations of a mix about all mixes, as shares of the mean reward: of its constant and of
every other number of a context."""
PAGE_SPREAD: Final = (0.05, 0.02)
"""The same of a mix on a page about the mix everywhere."""
TOP_SPREAD: Final = (1.0, 0.5)
"""The same of what all mixes have in common about the mean reward and about nothing."""
HEAD_START: Final = 0.02
"""Share of the mean reward that every mix is believed to lose against the released one before
any outcome: a tie is not to be broken by the order of the list."""


@dataclass(frozen=True, slots=True)
class Received:
    """A snapshot; nothing in it changes.

    awake: somebody tells what comes of answers. mean: reward of an answer. pages: beliefs by
    page, each of ARMS; stranger: of a page not seen. items, placed: see Reception.
    """

    awake: bool
    mean: float
    pages: dict[str, Beliefs]
    stranger: Beliefs
    items: Hashes
    placed: Counts

    def beliefs(self, page: str) -> Beliefs:
        """Answer beliefs about the mixes on a page."""
        return self.pages.get(page) or self.pages.get(ELSEWHERE, self.stranger)


def received_of(reception: Reception) -> Received:
    """Work out what a reception means; some milliseconds."""
    bank = reception.pages
    mean, noise = scale_of(bank.evidence)
    handicap = np.full(_ARMS, -HEAD_START * mean)
    handicap[RELEASED] = 0.0
    shift = bank.evidence.shift.copy()
    arms = np.tile(np.arange(_ARMS), len(bank.names))
    # Rewards are held against what each arm is believed to lose from the start.
    shift -= bank.evidence.precision[:, :, 0] * handicap[arms][:, None]
    evidence = Evidence(bank.evidence.precision / noise, shift / noise, bank.evidence.tallies)
    centre = np.zeros(WIDTH)
    centre[0] = mean
    top = said_by(centre, _variances(TOP_SPREAD, mean))
    spreads = (_variances(MIX_SPREAD, mean), _variances(PAGE_SPREAD, mean))
    pooled = pool_tree(evidence, arms, _ARMS, top, spreads)
    beliefs = believe(pooled.leaves, evidence).beliefs
    counts = evidence.tallies[:, COUNT].reshape(-1, _ARMS).sum(axis=1)
    centres = beliefs.mean.copy()
    centres[:, 0] += handicap[arms]
    new = pooled.newcomers.mean.copy()
    new[:, 0] += handicap
    spans = [slice(place * _ARMS, (place + 1) * _ARMS) for place in range(len(bank.names))]
    return Received(
        reception.woken > 0 or reception.rewards > 0.0,
        mean,
        {
            name: frozen(centres[span], beliefs.covariance[span], float(count))
            for (_, name), span, count in zip(bank.names, spans, counts, strict=True)
        },
        frozen(new, pooled.newcomers.covariance, 0.0),
        reception.items,
        reception.placed,
    )


def scale_of(evidence: Evidence) -> tuple[float, float]:
    """Answer the mean reward of an answer and its variance, drawn to the usual ones."""
    usual, worth = USUAL
    count, reward, square = (float(evidence.tallies[:, at].sum()) for at in (COUNT, REWARD, SQUARE))
    whole = count + worth
    mean = max((reward + usual * worth) / whole, 1e-4)
    spread = (square + usual * worth) / whole - mean**2
    return mean, max(spread, 0.1 * mean)


def _variances(spread: tuple[float, float], mean: float) -> Floats:
    out = np.full(WIDTH, (spread[1] * mean) ** 2)
    out[0] = (spread[0] * mean) ** 2
    return out
