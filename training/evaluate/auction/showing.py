"""A day at the simulated exchange as anybody may look at it: figures in a file, and a picture.

The bidding parts that serve play it: the learned landscape shades, a plan paces. Every figure is
simulated and says so. Knows nothing of command lines.
"""

import json
from pathlib import Path

import numpy as np

from domain.campaigns import Pacing
from models.bidding.pacing import plan
from training.evaluate.auction.episode import play
from training.evaluate.auction.hindsight import best_constant, hindsight
from training.evaluate.auction.market import SLOT_SECONDS, MarketSettings, draw
from training.evaluate.auction.pacers import Paced
from training.evaluate.auction.players import Landscaped
from training.evaluate.auction.report import picture, report

FIGURES, PICTURE = "simulated-auction.json", "simulated-auction.png"
SHARE = 0.4
"""Of what the best constant multiplier would spend without a budget: what the day may cost."""


def show(out: Path, seed: int, settings: MarketSettings | None = None) -> list[Path]:
    """Play a day of a market drawn from `seed` and write figures and picture; answer the files.

    Amounts in micros. cpa is null when nothing was won.
    """
    market = draw(settings or MarketSettings(), np.random.default_rng(seed))
    slots, best = market.settings.slots, best_constant(market)
    shape = plan(SHARE * best.spend, Pacing.even, 0.0, slots, SLOT_SECONDS)
    player = Paced(Landscaped(np.random.default_rng(seed)), shape)
    episode = play(market, player)
    found = report(episode, shape)._asdict()
    figures = {
        "simulated": True,
        "seed": seed,
        "auctions": len(market.value),
        "budget": shape.budget,
        **{name: value if np.isfinite(value) else None for name, value in found.items()},
        "best_constant": best_constant(market, shape.budget).surplus,
        "hindsight": hindsight(market, shape.budget),
    }
    out.mkdir(parents=True, exist_ok=True)
    (out / FIGURES).write_text(json.dumps(figures, indent=2) + "\n")
    picture(out / PICTURE, episode, shape, player.path)
    return [out / FIGURES, out / PICTURE]
