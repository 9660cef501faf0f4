"""A campaign that may buy anything, as JSON and as itself; an order of it."""

from dataclasses import replace
from typing import Any

from domain.campaigns import Budget, Campaign, Creative, LineItem, Media
from service.bidding import Order
from service.openrtb.candidates import ready_lines

CAMPAIGN = Campaign(
    "c1",
    budget=Budget(total=1_000_000),
    max_bid=5_000_000,
    creatives=(Creative("cr", Media.banner, 300, 250, domains=("brand.example",), markup="<b>"),),
    lines=(LineItem("l1", 1_000_000),),
    version=1,
)
BODY: dict[str, Any] = {
    "max_bid": 5,
    "budget": {"total": 1},
    "creatives": [
        {"creative": "cr", "width": 300, "height": 250, "domains": ["brand.example"],
         "markup": "<b>"}
    ],
    "lines": [{"line": "l1", "bid": 1}],
}  # fmt: skip


class _Chosen:
    """As much of a candidate as the till looks at."""

    def __init__(self, campaign: Campaign) -> None:
        self.ready = ready_lines(campaign)[0]


def order(bid: str, campaign: Campaign = CAMPAIGN, **fields: Any) -> Order:
    """Make an order of 1,000 micros for a bid."""
    chosen: Any = _Chosen(campaign)
    creative = chosen.ready.creatives[0]
    made = Order(bid, chosen, creative, 1_000_000, "USD", 1_000, 300, "north", False)
    return made._replace(**fields)


def many(count: int) -> list[Campaign]:
    """Make campaigns that differ in their names."""
    return [replace(CAMPAIGN, campaign=f"c{number}") for number in range(count)]
