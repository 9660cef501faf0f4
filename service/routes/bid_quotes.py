"""POST /v1/bids:decide: what to bid, for callers without real-time bidding of their own.

Knows the JSON; the price itself is made by service.bidding, as for an exchange.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from domain.decisions import Decision
from domain.errors import BadField
from domain.ids import new_id
from domain.money import from_micros, to_micros
from service.bid_door import FAMILY
from service.codec import OneDecoder
from service.context import Context
from service.http import Reply, Request, Route, json_reply
from service.shapes import OptionalId, Price, check_id

PATH = "/v1/bids:decide"
MAX_BODY = 1 << 14
CURRENCY = "USD"


class QuoteIn(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A question about one impression; amounts are for 1,000 of them."""

    value: Annotated[Price, Meta(description="what 1,000 such impressions are worth")]
    standard_bid: (
        Annotated[Price, Meta(description="bid while little is known; absent: the value")] | None
    ) = None
    floor: Price = 0
    cap: Annotated[Price, Meta(description="never bid more; absent: the value")] | None = None
    currency: Annotated[
        str, Meta(description="ISO 4217", pattern="^[A-Z]{3}$", min_length=3, max_length=3)
    ] = CURRENCY
    auction: Literal["first", "second"] = "second"
    exchange: OptionalId = None
    site: OptionalId = None
    device: OptionalId = None
    country: OptionalId = None
    test: Annotated[bool, Meta(description="answer, and learn nothing from it")] = False


class QuoteOut(msgspec.Struct, frozen=True):
    """What to bid for 1,000 impressions; null is not to bid.

    shading: the bid as a part of the value. win_probability: null while no landscape is known.
    confidence: below one half the standard bid is used. propensity: the chance with which the
    policy bids just this.
    """

    decision_id: str
    bid: float | None
    currency: str
    shading: float | None
    win_probability: float | None
    confidence: Annotated[float, Meta(ge=0, le=1)]
    propensity: Annotated[float, Meta(ge=0, le=1)]
    policy: str
    reasons: tuple[str, ...]


_decode = OneDecoder(QuoteIn)


async def decide_bid(context: Context, request: Request) -> Reply:
    """Answer what to bid for one impression."""
    sent = _decode(request.body)
    for name in ("exchange", "site", "device", "country"):
        if getattr(sent, name):
            check_id(getattr(sent, name), name)
    value = _micros(sent.value, "value")
    standard = value if sent.standard_bid is None else _micros(sent.standard_bid, "standard_bid")
    cap = value if sent.cap is None else _micros(sent.cap, "cap")
    bidder = context.bids.bidder
    quote = bidder.quote(value, standard, _micros(sent.floor, "floor"), cap)
    price = quote.price
    out = QuoteOut(
        new_id(),
        None if price is None else from_micros(price),
        sent.currency,
        price / value if price is not None and value else None,
        quote.win_probability,
        quote.confidence,
        quote.propensity,
        bidder.policy,
        quote.reasons,
    )
    if not sent.test:
        context.decisions.put(_decision(out, sent, context.clock()))
    return json_reply(out)


def _micros(amount: float | int | str, field: str) -> int:
    try:
        return to_micros(amount)
    except ValueError as error:
        raise BadField("an amount of at most 1e9 units", field=field) from error


def _decision(out: QuoteOut, sent: QuoteIn, now: int) -> Decision:
    told = {
        "value": sent.value, "floor": sent.floor, "currency": sent.currency,
        "auction": sent.auction, "exchange": sent.exchange, "site": sent.site,
        "device": sent.device, "country": sent.country,
    }  # fmt: skip
    bids = () if out.bid is None else (out.bid,)
    return Decision(
        out.decision_id,
        now,
        FAMILY,
        "",
        out.policy,
        now,
        ("quote",) * len(bids),
        bids,
        (out.propensity,) * len(bids),
        "" if bids else out.reasons[-1],
        "",
        msgspec.json.encode(told).decode(),
    )


ROUTES = (
    Route(
        "POST", PATH, decide_bid, "What to bid for one impression?", "bids",
        body=QuoteIn, replies={200: QuoteOut}, body_cap=MAX_BODY,
        description=(
            "For callers who know what an impression is worth to them and want to know what to "
            "offer. No budget is touched and no creative is checked. Never above the value or the "
            "cap, never below the floor."
        ),
    ),
)  # fmt: skip
