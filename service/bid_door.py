"""From the bytes of a bid request to the bytes of an answer: the stages, each within the deadline.

Read, judge privacy, know the user if one may, find the lines that want it, hold them against the
rules, decide, reply.
Whatever goes wrong after reading is a no-bid with a reason. Knows the order of the stages;
each stage knows its own trade. Knows nothing of HTTP.
"""

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import msgspec

from domain.clock import Clock
from domain.decisions import Decision
from domain.errors import BadBody
from domain.ids import new_id
from domain.opportunities import Auction, NoBid
from models.bidding.pricing import CHANCE, CONFIDENCE, VALUE
from service.bid_settings import BidSettings
from service.bidding import Bidder, Made, Market, no_bid
from service.codec import UNREADABLE, caller_error
from service.deadlines import Deadline
from service.known_user import NOBODY, KnownUser
from service.openrtb.candidates import find_candidates
from service.openrtb.privacy import PrivacyJudge
from service.openrtb.reading import Reading, read_auction
from service.openrtb.replying import Replies
from service.openrtb.traits import traits_of
from service.openrtb.wire import BidRequest
from service.shedding import Waits

FAMILY = "bidding"
SAMPLE = 64
"""Of so many no-bids one is logged."""
RESERVED_MS = 8.0
"""What deciding and answering take when the machine is busy: the store is not waited for longer."""

_encode = msgspec.json.Encoder().encode


class Answered(NamedTuple):
    """A response's bytes, or why there is none; and what is to be logged, if anything."""

    body: bytes
    refused: NoBid | None = None
    logs: tuple[Decision, ...] = ()
    bids: int = 0


class Users(Protocol):
    """Who is behind an auction; see service.bid_users."""

    async def read(self, auction: Auction, patience_s: float) -> KnownUser:
        """Answer whom an auction is about; NOBODY when that may not or cannot be known."""
        ...


Noted = Callable[[Auction, KnownUser, Sequence[Made]], None]


class BidDoor:
    """Answers bid requests one after another.

    now_ms: the wall clock, for flights. users: reads who is asked about, None: nobody is known.
    monotonic: seconds that never go back, for deadlines.
    """

    def __init__(
        self,
        settings: BidSettings,
        bidder: Bidder,
        market: Market,
        now_ms: Clock,
        users: Users | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.settings = settings
        self._users = users
        self.bidder = bidder
        self.market = market
        self.judge = PrivacyJudge(settings.vendor)
        self.waits = Waits()
        self.monotonic = monotonic
        self._now_ms = now_ms
        self._reading = Reading(settings.rates, settings.special)
        self._replies = Replies(settings.public)
        self._decode = msgspec.json.Decoder(BidRequest).decode
        self._unlogged = 0
        self.noted: Noted | None = None
        """Told of what was bid, for whom; must not wait."""

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
            return self._nothing(auction, NOBODY, cause)
        known, users = NOBODY, self._users
        if users is not None and auction.privacy.personal:
            self.waits.ended()
            known = await users.read(auction, (deadline.left_ms() - RESERVED_MS) / 1_000)
            self.waits.resumed()
        market = self.market
        matched = market.matching(traits_of(auction, known), self._now_ms(), known)
        if not len(matched.numbers):
            return self._nothing(auction, known, matched.why)
        if not deadline.in_time():
            return self._nothing(auction, known, "late")
        gatherer, rates, table = market.gatherer, self.settings.rates, market.table
        gathered = gatherer.gather(auction, matched.numbers, rates)
        if gathered is not None:
            one = self.bidder.pick(auction, gatherer, gathered, table, known)
            if one is not None:
                return self._answered(auction, known, (one,))
        wanted: list[int] = matched.numbers.tolist()
        lines = [gatherer.lines[number] for number in wanted]
        found = find_candidates(auction, lines, rates, deadline.in_time)
        if not found.candidates:
            if matched.capped:
                found.causes["frequency"] = matched.capped
            return self._nothing(auction, known, _main(found.causes) if found.in_time else "late")
        if not deadline.in_time():
            return self._nothing(auction, known, "late")
        decided = self.bidder.decide(auction, found.candidates, table, known)
        if not decided.made:
            return self._nothing(auction, known, _main(decided.causes))
        return self._answered(auction, known, decided.made)

    def _answered(self, auction: Auction, known: KnownUser, made: Sequence[Made]) -> Answered:
        bids = [one.bid for one in made]
        reply = self._replies.encode(auction.id, auction.currency, bids)
        if self.noted is not None:
            self.noted(auction, known, made)
        return Answered(reply, None, self._logs(auction, known, made), len(bids))

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

    def _nothing(self, auction: Auction, known: KnownUser, cause: str) -> Answered:
        self._unlogged += 1
        if self._unlogged < SAMPLE or auction.test:
            return Answered(b"", no_bid(cause))
        self._unlogged = 0
        log = self._decision(auction, known, (), cause)
        return Answered(b"", no_bid(cause), (log,))

    def _logs(
        self, auction: Auction, known: KnownUser, made: Sequence[Made]
    ) -> tuple[Decision, ...]:
        """Answer what to log of bids, one decision for each context; of a test nothing, for
        nothing is learned from it."""
        if auction.test:
            return ()
        if len(made) == 1:
            return (self._decision(auction, known, made, ""),)
        groups: dict[int, list[Made]] = {}
        for one in made:
            groups.setdefault(id(one.words), []).append(one)
        return tuple(self._decision(auction, known, own, "") for own in groups.values())

    def _decision(
        self, auction: Auction, known: KnownUser, made: Sequence[Made], cause: str
    ) -> Decision:
        now = self._now_ms()
        return Decision(
            new_id(),
            now,
            FAMILY,
            known.entity,
            self.bidder.policy,
            now,
            tuple([one.bid.creative.creative for one in made]),
            tuple([one.bid.price / 1_000_000 for one in made]),
            tuple([one.arm.propensity for one in made]),
            cause,
            "",
            _request_text(auction, known, made),
        )


def _main(causes: dict[str, int]) -> str:
    """Answer the commonest cause; that a line is of another medium says little beside any other."""
    telling = [cause for cause in causes if cause != "media"] or list(causes)
    return max(telling, key=causes.__getitem__, default="no_line")


def _request_text(auction: Auction, known: KnownUser, made: Sequence[Made]) -> str:
    """Answer an auction as JSON without ids of anybody: what training.fit.bidding reads, and
    enough to understand the prices."""
    place = auction.place
    at = int(auction.at)
    told = {
        "context": made[0].words
        if made
        else {"exchange": auction.exchange, "site": place.domain or place.bundle,
              "country": place.country},
        "scores": dict(known.scores),
        "bids": [
            {"bid": one.bid.id, "campaign": one.bid.campaign, "line": one.bid.line,
             "creative": one.bid.creative.creative, "at": at, "price": one.bid.price,
             "floor": one.floor, "deal": one.bid.deal, "arm": one.arm.number,
             "value": int(one.row[VALUE]), "confidence": round(one.row[CONFIDENCE], 4),
             "win": round(one.row[CHANCE], 4)}
            for one in made
        ],
        "currency": auction.currency,
        "personal": auction.privacy.personal,
        "why": auction.privacy.why,
        "impressions": len(auction.opportunities),
    }  # fmt: skip
    return _encode(told).decode()
