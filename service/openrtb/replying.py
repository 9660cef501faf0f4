"""Bids as a bid response: every attribute an exchange checks, notices with macros, one currency.

Knows the wire; nothing of how bids were chosen or what their tokens mean.
Source: IAB Tech Lab, OpenRTB 2.6, sections 4.2 and 4.4.
"""

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from domain.campaigns import Media
from domain.opportunities import Bid
from service.openrtb.amounts import price_of
from service.openrtb.creatives import CONTENT_1, MEDIA_TYPES, SKIPPABLE
from service.openrtb.macros import fill

WIN = (
    "/v1/openrtb2/win?token={token}&price=${AUCTION_PRICE}&currency=${AUCTION_CURRENCY}"
    "&min_to_win=${AUCTION_MIN_TO_WIN}"
)
BILL = (
    "/v1/openrtb2/bill?token={token}&price=${AUCTION_PRICE}&currency=${AUCTION_CURRENCY}"
    "&multiplier=${AUCTION_MULTIPLIER}"
)
LOSS = (
    "/v1/openrtb2/loss?token={token}&price=${AUCTION_PRICE}&currency=${AUCTION_CURRENCY}"
    "&min_to_win=${AUCTION_MIN_TO_WIN}&loss=${AUCTION_LOSS}"
)
SECOND_MS = 1_000


class BidOut(Struct, omit_defaults=True, gc=False):
    """One bid (4.2.3)."""

    id: str
    impid: str
    price: float
    nurl: str
    burl: str
    lurl: str
    adm: str
    adid: str
    adomain: tuple[str, ...]
    cid: str
    crid: str
    mtype: int
    attr: tuple[int, ...]
    cat: tuple[str, ...]
    cattax: int = CONTENT_1
    iurl: str = ""
    bundle: str = ""
    apis: tuple[int, ...] = ()
    protocol: int = 0
    language: str = ""
    langb: str = ""
    dealid: str = ""
    w: int = 0
    h: int = 0
    wratio: int = 0
    hratio: int = 0
    dur: int = 0
    exp: int = 0


class SeatBidOut(Struct, omit_defaults=True, gc=False):
    """The bids of one seat (4.2.2); each may be won by itself (group 0)."""

    bid: list[BidOut]
    seat: str = ""


class BidResponseOut(Struct, gc=False):
    """The whole response (4.2.1)."""

    id: str
    bidid: str
    cur: str
    seatbid: list[SeatBidOut]


_encode = msgspec.json.Encoder().encode


class Replies:
    """Builds responses whose notices come back to `public`, such as https://bid.example.com."""

    def __init__(self, public: str) -> None:
        base = public.rstrip("/")
        self._win, self._bill, self._loss = (
            tuple((base + notice).split("{token}")) for notice in (WIN, BILL, LOSS)
        )

    def encode(self, auction: str, currency: str, bids: Sequence[Bid]) -> bytes:
        """Answer the JSON of a response with at least one bid, grouped by seat.

        The response's own id is its first bid's.
        """
        seats: dict[str, list[BidOut]] = {}
        for bid in bids:
            seats.setdefault(bid.seat, []).append(self._bid(bid))
        return _encode(
            BidResponseOut(
                auction,
                bids[0].id,
                currency,
                [SeatBidOut(group, seat) for seat, group in seats.items()],
            )
        )

    def _bid(self, bid: Bid) -> BidOut:
        one, token = bid.creative, bid.token
        attributes = one.attributes
        if one.skippable and SKIPPABLE not in attributes:
            attributes = (*attributes, SKIPPABLE)
        timed = one.media is Media.video or one.media is Media.audio
        whole = "-" not in one.language
        return BidOut(
            bid.id,
            bid.opportunity,
            price_of(bid.price),
            self._win[0] + token + self._win[1],
            self._bill[0] + token + self._bill[1],
            self._loss[0] + token + self._loss[1],
            fill(bid.markup, bid),
            one.creative,
            one.domains,
            bid.campaign,
            one.creative,
            MEDIA_TYPES[one.media],
            attributes,
            one.categories,
            one.taxonomy,
            one.image,
            one.bundle,
            one.apis,
            one.protocol if timed else 0,
            one.language if whole else "",
            "" if whole else one.language,
            bid.deal,
            bid.w,
            bid.h,
            *bid.ratio,
            -(-one.duration_ms // SECOND_MS) if timed else 0,
            bid.expires_in,
        )
