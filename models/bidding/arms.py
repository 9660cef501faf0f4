"""The bandits' arms: multipliers of a price, and creatives; what is believed before any outcome.

A multiplier's reward is the share of the value that was kept, a creative's is a click. Knows
nothing of auctions, nor of how arms are drawn (see models.bandits).
"""

from math import log
from typing import Final

import numpy as np

from models.bandits.evidence import Floats
from models.bandits.pooling import Said, said_by
from models.bidding.memo import FEATURES as TOLD

MULTIPLIERS: Final = (0.8, 0.9, 1.0, 1.1, 1.25)
"""Of a price, in the stored order: append, never renumber."""
NEUTRAL: Final = 2
WIDTH: Final = 1 + TOLD
"""Features of a context: the constant 1 and those of a memo."""

HEAD_START: Final[Floats] = np.array([-0.02 * abs(log(each)) / log(1.25) for each in MULTIPLIERS])
"""Reward that each multiplier is believed to lose against the neutral one before any outcome:
without it a tie would be broken by the order of the list."""
HEAD_START.setflags(write=False)

NOISE: Final = 0.1
"""Variance of a kept share about its mean: most auctions are lost and keep nothing."""
KEPT: Final = (0.1, 0.5)
"""Mean and deviation of the share kept by any arm anywhere."""
CLICKED: Final = (-5.0, 2.0)
"""The same of a creative's log-odds of a click."""
_SLOPES: Final = {"kept": 0.2, "clicked": 0.5}

ARM_SPREAD: Final[Floats] = np.array([0.02, *[0.05] * TOLD]) ** 2
"""Variances of a multiplier's weights on an exchange about those common to all multipliers."""
CAMPAIGN_SPREAD: Final[Floats] = np.array([0.05, *[0.05] * TOLD]) ** 2
"""Of a campaign's about its exchange's."""
OFFER_SPREAD: Final[Floats] = np.array([0.7, *[0.2] * TOLD]) ** 2
"""Of clicks in a campaign about everybody's."""
CREATIVE_SPREAD: Final[Floats] = np.array([0.4, *[0.2] * TOLD]) ** 2
"""Of a creative's about its campaign's."""


def _top(mean: float, deviation: float, slope: float) -> Said:
    return said_by(
        np.array([mean, *[0.0] * TOLD]), np.array([deviation, *[slope] * TOLD]) ** 2
    )  # fmt: skip


MULTIPLIER_TOP: Final = _top(*KEPT, _SLOPES["kept"])
CREATIVE_TOP: Final = _top(*CLICKED, _SLOPES["clicked"])


def arm_of(creative: int, multiplier: int) -> int:
    """Answer the number a token has for a creative (its place among the active ones) at a
    multiplier's place."""
    return creative * len(MULTIPLIERS) + multiplier


def multiplier_of(arm: int) -> int:
    """Answer the place of the multiplier in a token's arm."""
    return arm % len(MULTIPLIERS)
