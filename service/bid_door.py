"""From the bytes of a bid request to the bytes of an answer: the stages, each within the deadline.

Read, judge privacy, find the lines that want it, hold them against the rules, decide, reply.
Whatever goes wrong after reading is a no-bid with a reason. Knows the order of the stages;
each stage knows its own trade. Knows nothing of HTTP.
"""

import time
from collections.abc import Callable
from typing import NamedTuple

import msgspec

from domain.clock import Clock
from domain.decisions import Decision
from domain.errors import BadBody
from domain.ids import new_id
from domain.opportunities import Auction, Bid, NoBid
from service.bid_settings import BidSettings
from service.bidding import Bidder, Market, no_bid
from service.codec import UNREADABLE, caller_error
from service.deadlines import Deadline
from service.openrtb.candidates import find_candidates
from service.openrtb.privacy import PrivacyJudge
from service.openrtb.reading import Reading, read_auction
from service.openrtb.replying import Replies
from service.openrtb.traits import traits_of
from service.openrtb.wire import BidRequest

FAMILY = "bidding"
SAMPLE = 64
"""Of so many no-bids one is logged."""


class Answered(NamedTuple):
    """A response's bytes, or why there is none; and what is to be logged, if anything."""

    body: bytes
    refused: NoBid | None = None
    log: Decision | None = None
    bids: int = 0


class BidDoor:
    """Answers bid requests one after another.

    now_ms: the wall clock, for flights. monotonic: seconds that never go back, for deadlines.
    """

    def __init__(
        self,
        settings: BidSettings,
        bidder: Bidder,
        market: Market,
        now_ms: Clock,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.settings = settings
        self.bidder = bidder
        self.market = market
        self.judge = PrivacyJudge(settings.vendor)
        self.monotonic = monotonic
        self._now_ms = now_ms
        self._reading = Reading(settings.rates, settings.special)
        self._replies = Replies(settings.public)
        self._decode = msgspec.json.Decoder(BidRequest).decode
        self._unlogged = 0

    async def answer(self, body: bytes, started: float, exchange: str = "") -> Answered:
        """Answer a request begun at `started` (monotonic); raises BadBody when unreadable."""
        request = self.read(body)
        privacy = self.judge.judge(request)
        auction = read_auction(request, privacy, self._reading, exchange, self.market.deals)
        deadline = Deadline(
            started,
            auction.limit_ms,
            cap_ms=self.settings.cap_ms,
            margin_ms=self.settings.margin_ms,
            clock=self.monotonic,
        )
        cause = self._forbidden(auction, deadline)
        if cause:
            return self._nothing(auction, cause)
        lines = self.market.matching(traits_of(auction), self._now_ms())
        if not lines:
            return self._nothing(auction, "no_line")
        found = find_candidates(auction, lines, self.settings.rates, deadline.in_time)
        if not found.candidates:
            return self._nothing(auction, _main(found.causes) if found.in_time else "late")
        if not deadline.in_time():
            return self._nothing(auction, "late")
        decided = self.bidder.decide(auction, found.candidates)
        if not decided.bids:
            return self._nothing(auction, _main(decided.causes))
        body = self._replies.encode(auction.id, auction.currency, decided.bids)
        return Answered(body, None, self._decision(auction, decided.bids, ""), len(decided.bids))

    def read(self, body: bytes) -> BidRequest:
        """Decode a request; raises BadBody when it is no JSON or lacks what is required."""
        try:
            return self._decode(body)
        except UNREADABLE as error:
            told = caller_error(error)
            raise BadBody(told.message, field="body", code=told.code) from error

    def _forbidden(self, auction: Auction, deadline: Deadline) -> str:
        """Answer why nothing is bid whatever campaigns there are, "" when something may be."""
        if auction.broken:
            return auction.broken
        if not deadline.in_time():
            return "late"
        if auction.robot:
            return "robot"
        if not auction.currency:
            return "currency"
        settings = self.settings
        if settings.whole_chain and not auction.chain_complete:
            return "chain_incomplete"
        if settings.blocked_nodes and not settings.blocked_nodes.isdisjoint(auction.chain):
            return "chain_blocked"
        return ""

    def _nothing(self, auction: Auction, cause: str) -> Answered:
        self._unlogged += 1
        log = None
        if self._unlogged >= SAMPLE:
            self._unlogged = 0
            log = self._decision(auction, (), cause)
        return Answered(b"", no_bid(cause), log)

    def _decision(
        self, auction: Auction, bids: "list[Bid] | tuple[()]", cause: str
    ) -> Decision | None:
        """Answer what to log of an auction; of a test nothing, for nothing is learned from it."""
        if auction.test:
            return None
        now = self._now_ms()
        return Decision(
            new_id(),
            now,
            FAMILY,
            "",
            self.bidder.policy,
            now,
            tuple([bid.creative.creative for bid in bids]),
            tuple([bid.price / 1_000_000 for bid in bids]),
            (1.0,) * len(bids),
            cause,
            "",
            _request_text(auction, bids),
        )


def _main(causes: dict[str, int]) -> str:
    return max(causes, key=causes.__getitem__, default="no_line")


def _request_text(auction: Auction, bids: "list[Bid] | tuple[()]") -> str:
    """Answer an auction as JSON without ids of anybody: enough to understand the prices."""
    place = auction.place
    told = {
        "at": int(auction.at),
        "currency": auction.currency,
        "exchange": auction.exchange,
        "personal": auction.privacy.personal,
        "why": auction.privacy.why,
        "site": place.domain or place.bundle,
        "country": place.country,
        "device": place.device,
        "impressions": len(auction.opportunities),
        "bids": [[bid.id, bid.campaign, bid.line, bid.price, bid.deal] for bid in bids],
    }
    return msgspec.json.encode(told).decode()
