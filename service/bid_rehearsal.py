"""A rehearsal of a bid: everything between an auction and its arms, once, before anybody asks.

What is compiled, or fetched from where compiled code is kept, takes a while the first time;
nobody's auction shall wait for it. Knows nothing of stores: campaign and auction are made up.
"""

import numpy as np

from domain.campaigns import Aim, Campaign, Creative, LineItem, Objective
from domain.clock import FixedClock
from domain.currencies import REFERENCE
from domain.opportunities import (
    Auction,
    Blocks,
    Floors,
    Opportunity,
    Place,
    Privacy,
    Size,
    Spot,
)
from domain.targeting import Traits
from models.bandits.beliefs import frozen
from models.bandits.policies import Thompson
from models.bidding.arms import MULTIPLIERS, WIDTH
from models.bidding.drawing import draw_arms
from models.bidding.targeting import TargetingIndex
from service.bid_prices import Prices
from service.openrtb.candidates import ready_lines
from service.openrtb.gathering import Gatherer
from service.openrtb.table import lay_out

CAMPAIGN = Campaign(
    "rehearsal",
    objective=Objective(Aim.cpm, 1_000_000),
    max_bid=1_000_000,
    creatives=(
        Creative("c", width=300, height=250, domains=("rehearsal.example",), markup="<b></b>"),
    ),
    lines=(LineItem("l", 1_000_000),),
)


def auctions() -> tuple[Auction, Auction]:
    """Answer an auction of each type for one banner."""
    spot = Spot(CAMPAIGN.creatives[0].media, sizes=(Size(300, 250),))
    one = Opportunity("1", (spot,), Floors("USD", 1_000))
    first, second = (
        Auction("rehearsal", at, "USD", (one,), Place(), Blocks(), Privacy(False)) for at in (1, 2)
    )
    return first, second


def rehearse() -> int:
    """Bid in both auctions and draw arms; answer how many bids came of it. May run in a thread."""
    lines, table = lay_out(ready_lines(CAMPAIGN))
    gatherer, prices = Gatherer(lines), Prices(FixedClock(0), rng=np.random.default_rng(0))
    numbers = TargetingIndex.of([ready.line.targeting for ready in lines]).match(Traits())
    bids = 0
    for auction in auctions():
        found = gatherer.gather(auction, numbers, REFERENCE)
        assert found is not None
        for best_alone in (False, True):
            priced = prices.price(
                auction, auction.opportunities[0], found.asked, table, best_alone=best_alone
            )
            bids += priced.best >= 0
    spread = np.tile(np.eye(WIDTH), (len(MULTIPLIERS), 1, 1))
    arms = frozen(np.zeros((len(MULTIPLIERS), WIDTH)), spread, 0.0)
    context, chances = np.zeros(WIDTH), (0.5, 0.5, 0.5)
    draw_arms(arms, np.zeros(1, np.int64), arms, context, Thompson().numbers, chances)
    return bids
