"""What could have been earned: by the best constant multiplier, and by knowing every price.

Both know the whole market beforehand and are upper bounds of their kind, for markets whose
competitors do not react. Amounts in micros. Knows nothing of players.
"""

from typing import NamedTuple

import numpy as np

from training.evaluate.auction.episode import settle
from training.evaluate.auction.market import Market
from training.evaluate.auction.prices import Floats

MULTIPLIERS = np.round(np.arange(0.02, 1.501, 0.01), 2)


class Constant(NamedTuple):
    """A constant multiplier of the value: what it earns, spends, and expects in conversions."""

    multiplier: float
    surplus: float
    spend: float
    conversions: float


def constant(market: Market, multiplier: float) -> Constant:
    """Answer what bidding this multiple of every value would have brought."""
    bids = market.value * multiplier
    won, paid, _ = settle(bids, market.others, market.floor, market.settings.at)
    return Constant(
        multiplier,
        float((market.value - paid)[won].sum() / 1_000.0),
        float(paid.sum() / 1_000.0),
        float(market.chance[won].sum()),
    )


def best_constant(
    market: Market, budget: float = np.inf, multipliers: Floats = MULTIPLIERS
) -> Constant:
    """Answer the multiplier of most surplus among those that keep within a budget."""
    tried = [constant(market, float(one)) for one in multipliers]
    kept = [one for one in tried if one.spend <= budget]
    return max(kept, key=lambda one: one.surplus, default=Constant(0.0, 0.0, 0.0, 0.0))


def hindsight(market: Market, budget: float = np.inf) -> float:
    """Answer the surplus of whoever pays what was to beat wherever that is below the value.

    With a budget, those of most surplus for the money first, the last one in part: the linear
    relaxation, so nobody earns more.
    """
    price, value = market.to_beat / 1_000.0, market.value / 1_000.0
    gain = value - price
    good = gain > 0
    if not np.isfinite(budget):
        return float(gain[good].sum())
    order = np.argsort(-gain[good] / np.maximum(price[good], 1e-12))
    cost, gained = price[good][order], gain[good][order]
    before = np.concatenate([[0.0], np.cumsum(cost)[:-1]])
    part = np.clip((budget - before) / np.maximum(cost, 1e-12), 0.0, 1.0)
    return float((gained * part).sum())
