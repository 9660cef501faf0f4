"""What an episode came to, in figures and in a picture: surplus, spend against plan, regret.

Amounts in micros; every figure is simulated and says so. Knows nothing of how a player bids.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from models.bidding.pacing import Plan
from training.evaluate.auction.episode import Episode
from training.evaluate.auction.hindsight import best_constant, hindsight
from training.evaluate.auction.prices import Floats

_INK, _FADED = "#1f5a7a", "#9db8c7"


class Report(NamedTuple):
    """Figures of one episode.

    surplus: true value won less what was paid. spend. wins: share of auctions won. cpa: spend over
    the summed true chances of conversion, NaN without any. constant_regret and hindsight_regret:
    what the best constant multiplier, and whoever knew every price, would have had more within the
    same budget; the former may be below 0. plan_error: spend over plan, less 1 (0 without a plan).
    """

    surplus: float
    spend: float
    wins: float
    cpa: float
    constant_regret: float
    hindsight_regret: float
    plan_error: float


def report(episode: Episode, plan: Plan | None = None) -> Report:
    """Answer the figures of an episode; with a plan, regrets are within its budget."""
    budget = plan.budget if plan is not None else np.inf
    spend = float(episode.spend.sum())
    expected = episode.expected_conversions
    return Report(
        episode.surplus,
        spend,
        float(episode.won.mean()) if len(episode.won) else 0.0,
        spend / expected if expected > 0 else float("nan"),
        best_constant(episode.market, budget).surplus - episode.surplus,
        hindsight(episode.market, budget) - episode.surplus,
        spend / plan.budget - 1.0 if plan is not None and plan.budget > 0 else 0.0,
    )


def picture(path: Path, episode: Episode, plan: Plan | None, multipliers: list[float]) -> None:
    """Draw spend against plan, the multiplier, and surplus as it grew, into a PNG."""
    # The figure alone: pyplot would keep state and look for a display.
    from matplotlib.figure import Figure

    slots = episode.market.settings.slots
    hours = np.arange(slots) / 60.0
    figure = Figure(figsize=(8.0, 8.0), layout="constrained")
    top, middle, bottom = figure.subplots(3, 1, sharex=True)
    top.plot(hours, np.cumsum(episode.spend), color=_INK, label="spent")
    if plan is not None:
        meant = np.cumsum(plan.weights) / plan.weights.sum() * plan.budget
        top.plot(hours, meant[:slots], color=_FADED, linestyle="--", label="planned")
    top.set_title("simulated: spend, micros")
    top.legend()
    middle.plot(hours[: len(multipliers)], multipliers[:slots], color=_INK)
    middle.set_title("multiplier of the value")
    bottom.plot(hours, np.cumsum(_surplus_by_slot(episode)), color=_INK)
    bottom.set_title("surplus, micros")
    bottom.set_xlabel("hour")
    for axes in (top, middle, bottom):
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=110)


def _surplus_by_slot(episode: Episode) -> Floats:
    market = episode.market
    gained = np.where(episode.won, market.value - episode.paid, 0.0) / 1_000.0
    slot = np.repeat(np.arange(market.settings.slots), np.diff(market.starts))
    sums = np.bincount(slot, weights=gained, minlength=market.settings.slots)
    return sums.astype(np.float64)
