"""Pacing: how far bids are turned down so that money lasts, and a target of cost is met.

Two multipliers, each the dual of its own constraint, each stepped from counters every few
seconds; the lower one bids. Knows nothing of auctions, stores or campaigns' names.
"""

from dataclasses import dataclass, replace
from math import exp, isfinite, log

import numpy as np

from domain.campaigns import Pacing
from models.bidding.forecast import HOURS, Floats

FRONT_START, FRONT_END = 1.5, 0.5
"""Front-loaded: how much faster than even it begins, and ends."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How much of a budget each of n intervals is meant to spend.

    weights: float64[n], not below 0, their sum above 0.
    """

    budget: float
    weights: Floats

    def __post_init__(self) -> None:
        sane = np.isfinite(self.weights).all() and (self.weights >= 0).all()
        if not (sane and self.weights.sum() > 0 and isfinite(self.budget) and self.budget >= 0):
            raise ValueError("a plan has a budget and weights not below 0")

    def due(self, interval: int, spent: float) -> float:
        """Answer what this interval is to spend, given what was spent before it.

        What is left is spread over the intervals that are left: a plan missed is made again, so
        errors are worked off and do not add up. After the last interval nothing is due.
        """
        rest = float(self.weights[interval:].sum()) if interval < len(self.weights) else 0.0
        left = max(0.0, self.budget - spent)
        return left * float(self.weights[interval]) / rest if rest > 0 else 0.0

    def by(self, interval: int) -> float:
        """Answer what is meant to be spent before this interval begins."""
        return self.budget * float(self.weights[:interval].sum() / self.weights.sum())


def plan(
    budget: float, shape: Pacing, start_hour: float, intervals: int, seconds: float,
    hourly: Floats | None = None,
) -> Plan:  # fmt: skip
    """Plan a budget over intervals of `seconds` each, the first starting at an hour of the day.

    hourly: float64[24], what each hour would cost at one multiplier (`spend_weights`); needed
    for demand, without it demand is taken to be even.
    """
    at = np.arange(intervals) * seconds / 3600.0
    hours = ((start_hour + at) % HOURS).astype(int)
    weights = np.ones(intervals)
    if shape is Pacing.demand and hourly is not None:
        weights = np.asarray(hourly, np.float64)[hours]
    elif shape is Pacing.front:
        weights = np.linspace(FRONT_START, FRONT_END, intervals)
    return Plan(budget, weights)


@dataclass(frozen=True, slots=True)
class PacingSettings:
    """How quickly multipliers move, and how far.

    step: change of the log-multiplier when an interval spent nothing of its due; overspending
    is believed up to twice the due. target_step: the same for the cost target. horizon: over
    how many intervals a past miss of the target is worked off. lowest: least multiplier.
    top: greatest of the budget; 1 for whoever wants surplus, above 1 for whoever wants as much as
    the money buys. highest: the most that a cost target may raise a bid above its value.
    """

    step: float = 0.05
    target_step: float = 0.03
    horizon: float = 240.0
    lowest: float = 0.01
    top: float = 1.0
    highest: float = 5.0


@dataclass(frozen=True, slots=True)
class Pace:
    """The state: two log-multipliers, the budget's and the target's (far up: there is no target).

    Budget: adaptive pacing (Balseiro and Gur 2019), bid value / (1 + mu), with steps on
    log(1 + mu) (mirror descent; Balseiro, Lu and Mirrokni 2023), so that a step is a share of
    the bid whatever the currency. Target: the same for spend <= target * value bought. They are
    combined as min-pacing (Balseiro et al. 2023, "A field guide for pacing budget and ROS
    constraints"): each moves by its own constraint, the lower one bids.
    """

    log_budget: float = 0.0
    log_target: float = 5.0

    @property
    def multiplier(self) -> float:
        """What a value is multiplied with before it is shaded or bid."""
        return exp(min(self.log_budget, self.log_target))

    def paced(self, due: float, spent: float, settings: PacingSettings) -> "Pace":
        """Answer the state after an interval in which `spent` of its `due` micros were spent.

        Numbers that are none change nothing.
        """
        if not (isfinite(due) and isfinite(spent)) or spent < 0:
            return self
        stop = -1.0 if spent > 0 else 0.0
        miss = max(-1.0, 1.0 - spent / due) if due > 0 else stop
        moved = self.log_budget + settings.step * miss
        # While the target bids, the budget's multiplier waits close by: it must not run away.
        if self.log_target < self.log_budget and miss > 0:
            moved = min(moved, max(self.log_budget, self.log_target + 1.0))
        bounded = min(max(moved, log(settings.lowest)), log(settings.top))
        return replace(self, log_budget=bounded)

    def targeted(
        self, spent: float, earned: float, before: tuple[float, float], settings: PacingSettings
    ) -> "Pace":
        """Answer the state after an interval that cost `spent` and earned `earned` micros.

        earned: conversions times the target cost of one, or value over the target return; best
        the expected ones, for real ones come late. before: spent and earned until this interval.
        What was left over (or overdrawn) before is worked off over `horizon` intervals.
        """
        numbers = (spent, earned, *before)
        if not all(isfinite(number) and number >= 0 for number in numbers):
            return self
        goal = earned + (before[1] - before[0]) / settings.horizon
        scale = max(spent, earned)
        if scale <= 0:
            return self
        miss = min(1.0, max(-1.0, (goal - spent) / scale))
        moved = self.log_target + settings.target_step * miss
        # While the budget bids, the target's multiplier waits close by: it must not run away.
        if self.log_budget < self.log_target and miss > 0:
            moved = min(moved, max(self.log_target, self.log_budget + 1.0))
        bounded = min(max(moved, log(settings.lowest)), log(settings.highest))
        return replace(self, log_target=bounded)

    def anticipated(self, expected: float, meant: float, gain: float = 0.5) -> "Pace":
        """Answer the state for an hour that would cost `expected` times the last at the same bids.

        meant: how many times the last hour's spend the plan wants. gain: the change of the
        log-bid for a change of the log-spend; feedback does the rest.
        """
        if not (isfinite(expected) and isfinite(meant)) or expected <= 0 or meant <= 0:
            return self
        moved = self.log_budget + gain * min(1.0, max(-1.0, log(meant / expected)))
        return replace(self, log_budget=min(moved, max(self.log_budget, 0.0)))


def credited(
    expected: float, matured_expected: float, matured_seen: float, worth: float = 50.0
) -> float:
    """Answer how many conversions to count, given `expected` ones of all wins so far.

    Real conversions come late. Wins old enough to have converted say by how much the
    expectation is off: seen over expected there, drawn to 1 by `worth` conversions, and never
    trusted beyond a factor of two.
    """
    ratio = (matured_seen + worth) / (matured_expected + worth)
    return expected * min(2.0, max(0.5, ratio))
