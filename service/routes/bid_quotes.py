"""POST /v1/bids:decide: what to bid, for callers without real-time bidding of their own.

Knows the JSON; the price itself is made by service.quoting, from what an exchange's prices taught.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from domain.clock import HOUR_MS
from domain.decisions import Decision
from domain.errors import BadField
from domain.ids import new_id
from domain.money import from_micros, to_micros
from domain.opportunities import AuctionType
from service.bid_learning import FAMILY
from service.codec import OneDecoder
from service.context import Context
from service.http import Reply, Request, Route, json_reply
from service.quoting import POLICY, Asked, quote
from service.shapes import OptionalId, Price, check_id

PATH = "/v1/bids:decide"
MAX_BODY = 1 << 14
CURRENCY = "USD"
_SIZE = "^[1-9][0-9]{0,4}x[1-9][0-9]{0,4}$"
_TYPES = {"first": AuctionType.first, "second": AuctionType.second}
_WORDS = ("exchange", "site", "size", "device", "country")
Device = Literal["phone", "tablet", "desktop", "tv", "connected", "box", "outdoor"]


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
    exchange: Annotated[OptionalId, Meta(description="who sells it")] = None
    site: Annotated[OptionalId, Meta(description="a domain, or an app's bundle")] = None
    size: Annotated[str, Meta(description="as 300x250", pattern=_SIZE)] | None = None
    device: Device | None = None
    country: Annotated[str, Meta(description="as DEU", pattern="^[A-Z]{3}$")] | None = None
    hour: Annotated[int, Meta(description="of UTC; absent: now", ge=0, le=23)] | None = None
    test: Annotated[bool, Meta(description="answer, and learn nothing from it")] = False


class QuoteOut(msgspec.Struct, frozen=True):
    """What to bid for 1,000 impressions; null is not to bid.

    shading: the bid as a part of the value. win_probability: null while nothing is known of
    prices. confidence: below one half the standard bid is used. propensity: the chance with which
    the policy bids just this.
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
    for name in ("exchange", "site"):
        if getattr(sent, name):
            check_id(getattr(sent, name), name)
    now = context.clock()
    words = _words_of(sent, now)
    value = _micros(sent.value, "value")
    standard = value if sent.standard_bid is None else _micros(sent.standard_bid, "standard_bid")
    cap = value if sent.cap is None else _micros(sent.cap, "cap")
    asked = Asked(
        value, standard, _micros(sent.floor, "floor"), cap, sent.currency, _TYPES[sent.auction],
        words,
    )  # fmt: skip
    found = quote(asked, context.learning, learned=not context.campaigns.switches.learning)
    price = found.price
    out = QuoteOut(
        new_id(),
        None if price is None else from_micros(price),
        sent.currency,
        price / value if price is not None and value else None,
        found.win_probability,
        found.confidence,
        found.propensity,
        POLICY,
        found.reasons,
    )
    if not sent.test:
        context.decisions.put(_decision(out, sent, words, now))
    return json_reply(out)


def _words_of(sent: QuoteIn, now_ms: int) -> dict[str, str]:
    """Answer the context in the landscape's words, as bid requests are told in them."""
    found = {name: text for name in _WORDS if (text := getattr(sent, name))}
    for name in ("exchange", "site"):
        if name in found:
            found[name] = found[name].lower()
    hour = now_ms // HOUR_MS % 24 if sent.hour is None else sent.hour
    return {**found, "hour": f"{hour:02d}"}


def _micros(amount: float | int | str, field: str) -> int:
    try:
        return to_micros(amount)
    except ValueError as error:
        raise BadField("an amount of at most 1e9 units", field=field) from error


def _decision(out: QuoteOut, sent: QuoteIn, words: dict[str, str], now: int) -> Decision:
    told = {
        "value": sent.value, "floor": sent.floor, "currency": sent.currency,
        "auction": sent.auction, "context": words,
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
            "offer. In a first-price auction the value is shaded by what notices have taught of "
            "prices, once that is known well enough; in a second-price auction it is bid. No "
            "budget is touched and no creative is checked. Never above the value or the cap, "
            "never below the floor."
        ),
    ),
)  # fmt: skip
