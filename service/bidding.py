"""The decision: which of the candidates are bid on, at which price, for how long.

One bid for each deal and a few for the open market of every impression, within floors, caps,
agreed prices, pods and budgets. So far every line is priced at its standard bid: nothing is
learned yet, and below a confidence of one half the standard bid is what is to be used anyway.
Knows nothing of the wire, of stores or of users.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from domain.currencies import Rates
from domain.ids import new_id
from domain.opportunities import Auction, Bid, NoBid, NoBidReason
from domain.targeting import Traits
from service.bid_settings import BidSettings
from service.openrtb.candidates import Candidate, ReadyLine
from service.openrtb.pods import PodBook, most_bids

THOUSAND_MILLIONTHS = 1_000 * 1_000_000

REASONS = {
    "late": NoBidReason.too_late,
    "shed": NoBidReason.technical,
    "error": NoBidReason.technical,
    "store": NoBidReason.technical,
    "robot": NoBidReason.crawler,
    "chain_incomplete": NoBidReason.incomplete_chain,
    "chain_blocked": NoBidReason.blocked_chain,
    "frequency": NoBidReason.user_cap,
    "too_many_impressions": NoBidReason.invalid_request,
    "duplicate_impression": NoBidReason.invalid_request,
    "site_and_app": NoBidReason.invalid_request,
}
"""Our words that the exchanges' list has a code for; every other is 0, unknown."""


def no_bid(cause: str) -> NoBid:
    """Answer a no-bid by our word for it, with the exchanges' code."""
    return NoBid(REASONS.get(cause, NoBidReason.unknown), cause)


class Order(NamedTuple):
    """Money asked for one bid.

    price: cpm micros of `currency`. cost: micros of the campaign's currency that the bid costs
    at most, for all `multiplier` millionths of an impression. expires_in: seconds.
    """

    bid: str
    candidate: Candidate
    price: int
    currency: str
    cost: int
    expires_in: int
    exchange: str
    test: bool


class Quote(NamedTuple):
    """What to bid where there is no campaign: cpm micros, None for no bid.

    win_probability: None while no landscape is known. confidence: how far value and landscape
    are trusted; below one half the standard bid is used. reasons: what decided, in our words.
    """

    price: int | None
    win_probability: float | None
    confidence: float
    propensity: float
    reasons: tuple[str, ...]


class Till(Protocol):
    """Where money is set aside."""

    def reserve(self, order: Order) -> str | None:
        """Set the order's cost aside and answer the token of its notices; None without money.

        A test sets nothing aside and its token moves nothing.
        """
        ...


class NoMoney:
    """A till without money: a worker that is not lent any must not spend any."""

    def reserve(self, order: Order) -> str | None:
        """Refuse every order."""
        return None


class Market(Protocol):
    """Which lines want an opportunity."""

    @property
    def deals(self) -> frozenset[str]:
        """Every deal that some line may buy."""
        ...

    def matching(self, traits: Traits, now_ms: int) -> Sequence[ReadyLine]:
        """Answer the lines that are running and want an opportunity with these traits."""
        ...


@dataclass(slots=True)
class Decided:
    """What is bid, in the order of the impressions, or why nothing is."""

    bids: list[Bid] = field(default_factory=list[Bid])
    causes: dict[str, int] = field(default_factory=dict[str, int])


class Bidder:
    """Prices candidates at their lines' standard bids and asks the till for the money."""

    policy = "standard"

    def __init__(self, settings: BidSettings, till: Till) -> None:
        self._rates: Rates = settings.rates
        self._open = settings.open_bids
        self._hold_s = settings.hold_s
        self._till = till

    def decide(self, auction: Auction, candidates: Sequence[Candidate]) -> Decided:
        """Answer the bids of an auction; each one's money is set aside.

        Of one impression every deal gets one bid and the open market a few, best price first;
        a dynamic pod takes more. The same campaign never bids against itself.
        """
        decided = Decided()
        pods = PodBook()
        taken: dict[tuple[int, str], list[str]] = {}
        for _, price, _, candidate in self._ranked(auction, candidates, decided):
            place, opportunity, fit, deal, _ = candidate.offer
            spot = fit.spot
            campaigns = taken.setdefault((place, "" if deal is None else deal.id), [])
            campaign = candidate.ready.campaign.campaign
            if spot.pod and (several := most_bids(spot)) > 1:
                full = len(campaigns) >= several
            else:
                room = self._open if deal is None else 1
                full = len(campaigns) >= room or campaign in campaigns
            if full:
                continue
            if spot.pod and not pods.takes(opportunity.id, spot, candidate.creative):
                _count(decided, "pod")
                continue
            bid = self._bid(auction, candidate, -price)
            if bid is None:
                _count(decided, "budget")
                continue
            campaigns.append(campaign)
            if spot.pod:
                pods.note(opportunity.id, spot, candidate.creative)
            decided.bids.append(bid)
        return decided

    def _ranked(
        self, auction: Auction, candidates: Sequence[Candidate], decided: Decided
    ) -> list[tuple[bool, int, int, Candidate]]:
        """Answer what can be priced, best first; what must be bid comes before all else.

        Of each: whether it may be left, the price below zero, its number, and itself.
        """
        priced: list[tuple[bool, int, int, Candidate]] = []
        for number, candidate in enumerate(candidates):
            price = self.price(auction, candidate)
            if price is None:
                _count(decided, "floor")
            else:
                deal = candidate.offer.deal
                optional = deal is None or not deal.guaranteed
                priced.append((optional, -price, number, candidate))
        priced.sort()
        return priced

    def price(self, auction: Auction, candidate: Candidate) -> int | None:
        """Answer the price in cpm micros, within floor and cap; None when it is not worth it."""
        terms = candidate.offer.terms
        floor = terms.floor
        if terms.fixed:
            return floor
        if candidate.standard >= floor:
            return candidate.standard or None
        deal = candidate.offer.deal
        # A guaranteed deal must be bid on: at its floor, which is within the cap.
        return floor if deal is not None and deal.guaranteed else None

    def quote(self, value: int, standard: int, floor: int, cap: int) -> Quote:
        """Answer what to bid for an impression of a known value; all cpm micros.

        With nothing learned the confidence is 0, so that it is the standard bid, never above
        the value or the cap and never below the floor.
        """
        reasons = ["no_landscape", "standard_bid"]
        price = min(standard, value)
        if price < standard:
            reasons.append("value")
        if price > cap:
            price = cap
            reasons.append("cap")
        if price < floor or price <= 0:
            return Quote(None, None, 0.0, 1.0, (*reasons, "floor"))
        return Quote(price, None, 0.0, 1.0, tuple(reasons))

    def _bid(self, auction: Auction, candidate: Candidate, price: int) -> Bid | None:
        ready, one = candidate.ready, candidate.creative
        _, opportunity, how, deal, _ = candidate.offer
        campaign = ready.campaign
        # Money is set aside no longer than that: the exchange is told so.
        expires_in = min(opportunity.expiry or self._hold_s, self._hold_s)
        identity = new_id()
        cost = -(-price * opportunity.multiplier // THOUSAND_MILLIONTHS)
        if auction.currency != campaign.currency:
            cost = self._rates.up(cost, auction.currency, campaign.currency)
        order = Order(
            identity,
            candidate,
            price,
            auction.currency,
            cost,
            expires_in,
            auction.exchange,
            auction.test,
        )
        token = self._till.reserve(order)
        if token is None:
            return None
        return Bid(
            identity,
            opportunity.id,
            campaign.campaign,
            ready.line.line,
            one.creative,
            campaign.seat,
            price,
            "" if deal is None else deal.id,
            how.w,
            how.h,
            how.ratio,
            expires_in,
            token,
            one.markup if how.markup is None else how.markup,
        )


def _count(decided: Decided, cause: str) -> None:
    decided.causes[cause] = decided.causes.get(cause, 0) + 1
