"""What each hour of the day brings: opportunities and prices, learned by hour and forgotten slowly.

Sums that add up over workers and campaigns. Knows nothing of budgets; pacing plans by it.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
HOURS = 24
DEAREST = 100.0
"""No hour is believed to bring this many times more, or less, than the mean hour."""


class Hours(NamedTuple):
    """What was seen in each hour of the day, all float64[24] and all fading together.

    seconds: how long each hour was watched. opportunities: how many there were. wins, and what
    was spent on them in micros.
    """

    seconds: Floats
    opportunities: Floats
    wins: Floats
    spend: Floats


def no_hours() -> Hours:
    """Answer what is known before anything was seen."""
    return Hours(*(np.zeros(HOURS) for _ in Hours._fields))


@dataclass(slots=True)
class HourForecast:
    """Expected opportunities a second and price of a win by hour, drawn to the mean of all hours.

    worth: seconds (and wins) of the mean hour that each hour starts with, so that an hour hardly
    seen is not believed. keep: the factor by which a day fades what was seen.
    """

    seen: Hours = field(default_factory=no_hours)
    worth: float = 1800.0
    wins_worth: float = 20.0
    keep: float = 0.8

    def observe(self, hour: int, seconds: float, opportunities: float, wins: float,
                spend: float) -> bool:  # fmt: skip
        """Take in a stretch within one hour; answer False, changing nothing, if it cannot be."""
        given = (seconds, opportunities, wins, spend)
        if not 0 <= hour < HOURS or not np.isfinite(given).all() or min(given) < 0:
            return False
        for sums, value in zip(self.seen, given, strict=True):
            sums[hour] += value
        return True

    def pass_day(self) -> None:
        """Fade what was seen by one day."""
        self.seen = Hours(*(sums * self.keep for sums in self.seen))

    def take_in(self, others: Hours) -> None:
        """Add what another worker, or the whole exchange, saw."""
        self.seen = Hours(*(ours + theirs for ours, theirs in zip(self.seen, others, strict=True)))

    def rates(self) -> Floats:
        """Answer expected opportunities a second in each hour: float64[24], mean 1 if unknown."""
        seen = self.seen
        watched = seen.seconds.sum()
        mean = seen.opportunities.sum() / watched if watched > 0 else 0.0
        if mean <= 0:
            return np.ones(HOURS)
        found = (seen.opportunities + self.worth * mean) / (seen.seconds + self.worth)
        return np.clip(found, mean / DEAREST, mean * DEAREST)

    def prices(self) -> Floats:
        """Answer the expected price of a win in each hour, in micros: float64[24], 1 if unknown."""
        seen = self.seen
        won = seen.wins.sum()
        mean = seen.spend.sum() / won if won > 0 else 0.0
        if mean <= 0:
            return np.ones(HOURS)
        found = (seen.spend + self.wins_worth * mean) / (seen.wins + self.wins_worth)
        return np.clip(found, mean / DEAREST, mean * DEAREST)

    def spend_weights(self) -> Floats:
        """Answer what each hour would cost at one and the same multiplier, relative to the mean."""
        weights = self.rates() * self.prices()
        return weights / weights.mean()


def own_weights(seconds: Floats, cost: Floats, everybody: Floats, worth: float = 3_600.0) -> Floats:
    """Answer one campaign's spend weights, drawn to everybody's by hours it hardly saw.

    seconds, cost: float64[24], how long each hour was watched and what it cost at a multiplier
    of 1, in any unit. everybody: float64[24] around 1. worth: seconds that everybody's shape is
    believed like. Mean 1.
    """
    watched = float(seconds.sum())
    share = float((everybody * seconds).sum())
    if watched <= 0 or share <= 0 or not cost.sum() > 0:
        return everybody
    # What a second of a mean hour costs this campaign, if hours differed as for everybody.
    mean = float(cost.sum()) / share
    found = (cost + worth * mean * everybody) / (seconds + worth)
    found = np.clip(found, mean / DEAREST, mean * DEAREST)
    return found / found.mean()
