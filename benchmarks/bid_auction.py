"""What the bidding parts earn in a simulated first-price exchange. Every figure is simulated.

A day of auctions against five shaded competitors; prices drawn from real histograms when the data
is there. What an impression is worth is told (oracle value); prices are learned from notices, by
the landscape and shading that serve. Three promises: the surplus, expected over seeds, against the
best constant multiplier of each seed in hindsight (`ratio`; the worst seed's is `ratio_worst`);
with a budget, spend against plan; with a target, cost a conversion, each in the worst seed.
Market and player were set up on seeds 1 and 2; the figures are of seeds 101 and on.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.harness import Arguments, Outcome, at_least, at_most
from domain.campaigns import Pacing
from models.bidding.forecast import HOURS, Floats, HourForecast
from models.bidding.pacing import PacingSettings, plan
from training.evaluate.auction.episode import Episode, play
from training.evaluate.auction.hindsight import best_constant, constant, hindsight
from training.evaluate.auction.market import SLOT_SECONDS, Market, MarketSettings, draw
from training.evaluate.auction.pacers import Paced
from training.evaluate.auction.players import Landscaped
from training.evaluate.auction.prices import histograms, made_up

SEEDS, FIRST_SEED = 3, 101
BUDGET = 0.4
"""Of what the best constant multiplier would spend."""
TARGET = 1.3
"""Of what a conversion costs the best constant multiplier: bids must rise above the value."""
QUICK_BUCKETS = 16
Figures = dict[str, float]


def market_settings(data: Path | None) -> MarketSettings:
    """Answer the benchmark's market, on real prices (iPinYou, campaign 1458) when they are here."""
    settings = MarketSettings()
    if data is not None and (data / "ipinyou-prices").is_dir():
        return replace(settings, prices=histograms(data / "ipinyou-prices")["1458"])
    return replace(settings, prices=made_up())


def hours_of(yesterday: Market) -> Floats:
    """Answer what each hour costs, learned from another day: a constant bidder's notices."""
    forecast = HourForecast()
    bids = 0.6 * yesterday.value
    won = (bids > yesterday.others.max(axis=1)) & (bids >= yesterday.floor)
    for hour in range(HOURS):
        rows = yesterday.hour == hour
        spent = float(bids[rows & won].sum() / 1_000.0)
        forecast.observe(hour, 3600.0, float(rows.sum()), float((rows & won).sum()), spent)
    return forecast.spend_weights()


def _paced(market: Market, hourly: Floats, budget: float, target: float, seed: int) -> Episode:
    slots = market.settings.slots
    shape = plan(budget, Pacing.demand, 0.0, slots, SLOT_SECONDS, hourly)
    inner = Landscaped(np.random.default_rng(seed), buckets=QUICK_BUCKETS)
    settings = PacingSettings(top=PacingSettings().highest) if target > 0 else PacingSettings()
    return play(market, Paced(inner, shape, settings, target))


def _off_plan(episode: Episode, hourly: Floats, budget: float) -> float:
    """Answer the largest gap between spend and plan at the end of any hour, of the budget."""
    meant = np.cumsum(hourly[: episode.market.settings.slots // 60])
    spent = np.cumsum(episode.spend.reshape(len(meant), -1).sum(1))
    return float(np.abs(spent / budget - meant / meant[-1]).max())


def figures_of(settings: MarketSettings, seed: int) -> Figures:
    """Measure one market; amounts in micros."""
    market = draw(settings, np.random.default_rng(seed))
    best, perfect = best_constant(market), hindsight(market)
    free = play(market, Landscaped(np.random.default_rng(seed)))
    hourly = hours_of(draw(settings, np.random.default_rng(10_000 + seed)))
    budget = BUDGET * best.spend
    held = _paced(market, hourly, budget, 0.0, seed)
    target = TARGET * best.spend / best.conversions
    aimed = _paced(market, hourly, 10.0 * best.spend, target, seed)
    cost = float(aimed.spend.sum()) / aimed.expected_conversions
    real = float(aimed.spend.sum()) / max(aimed.conversions, 1)
    return {
        "surplus": free.surplus,
        "best_constant": best.surplus,
        "ratio_worst": free.surplus / best.surplus,
        "hindsight_share": free.surplus / perfect,
        "truthful_ratio": constant(market, 1.0).surplus / best.surplus,
        "spend_error": abs(float(held.spend.sum()) / budget - 1.0),
        "off_plan": _off_plan(held, hourly, budget),
        "held_ratio": held.surplus / best_constant(market, budget).surplus,
        "overspent": max(0.0, float(held.spend.sum()) - budget),
        "cpa_error": abs(cost / target - 1.0),
        "cpa_error_counted": abs(real / target - 1.0),
        "conversions": float(aimed.conversions),
    }


WORST = {
    "ratio_worst": min,
    "spend_error": max,
    "off_plan": max,
    "overspent": max,
    "cpa_error": max,
}
"""Figures of which the worst seed counts; of the others the mean."""


def run(arguments: Arguments) -> Outcome:
    """Measure `runs` markets (default 3)."""
    settings = market_settings(arguments.data)
    seeds = range(FIRST_SEED, FIRST_SEED + (arguments.runs or SEEDS))
    rows = [figures_of(settings, seed) for seed in seeds]
    figures = {
        name: float(WORST[name](row[name] for row in rows))
        if name in WORST
        else float(np.mean([row[name] for row in rows]))
        for name in rows[0]
    }
    figures["ratio"] = figures["surplus"] / figures["best_constant"]
    notes = [
        f"simulated, seed {seed}: {row['ratio_worst']:.4f} of the best constant, spend off by "
        f"{row['spend_error']:.4f}, cost a conversion by {row['cpa_error']:.4f}"
        for seed, row in zip(seeds, rows, strict=True)
    ]
    bars = [
        at_least("ratio", figures, 1.0),
        at_most("spend_error", figures, 0.05),
        at_most("overspent", figures, 0.0),
        at_most("cpa_error", figures, 0.05),
    ]
    return Outcome(figures, bars, notes)
