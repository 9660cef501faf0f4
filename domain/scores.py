"""Scores: a calibrated probability with what is needed to use it, and reasons in words.

Reasons say what a score is associated with, never what caused it. Knows nothing of how a score
came about.
"""

from enum import StrEnum
from typing import NamedTuple


class Score(NamedTuple):
    """A calibrated probability; `confidence` (0 to 1) says how far it may be trusted.

    as_of: UTC milliseconds; nothing at or after it was looked at. model: the version that
    answered, empty without one. fallback: None for the model's own answer, else one word for
    where the number came from. Of churn also the band, the value at stake and the loss to
    expect, in units of the house's currency; None where there is none.
    """

    probability: float
    confidence: float
    as_of: int
    model: str = ""
    fallback: str | None = None
    band: "Band | None" = None
    value: float | None = None
    expected_loss: float | None = None


class Band(StrEnum):
    """How much is at risk, from least to most."""

    low = "low"
    medium = "medium"
    high = "high"


class Action(StrEnum):
    """What may be recommended to do about one customer, going by what contact changes."""

    wait = "wait"
    contact = "contact"
    leave_alone = "leave_alone"


class Direction(StrEnum):
    """Which way a reason moves the score."""

    raises = "raises"
    lowers = "lowers"


class Reason(NamedTuple):
    """What a score is associated with: one group of features, in a sentence.

    direction: whether it raises or lowers the score. share: its part of all absolute
    contributions, 0 to 1. value, reference: the number the sentence is about and what it is
    held against; None where there is none. contribution: in log-odds; all reasons of a score
    and its base add up to the score before calibration.
    """

    group: str
    text: str
    direction: Direction
    share: float
    value: float | None = None
    reference: float | None = None
    contribution: float = 0.0
