"""The decision: which of the candidates are bid on, at which price, for how long.

One bid for each deal and a few for the open market of every impression, within floors, caps,
agreed prices, pods and budgets; best value first. Prices and arms come from service.bid_prices.
Knows nothing of the wire, of stores or of where prices come from.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np

from domain.currencies import Rates
from domain.ids import new_id
from domain.notices import ONE, reserve_for
from domain.opportunities import Auction, Bid, NoBid, NoBidReason
from domain.targeting import Traits
from models.bidding.arms import NEUTRAL, arm_of
from models.bidding.memo import pack_memo
from models.bidding.pricing import AGREED, ASKED, BID, GUARANTEED, PLAIN, SCORE, multiplied
from service.bid_prices import Arm, Prices, Scene
from service.bid_settings import BidSettings
from service.known_user import NOBODY, KnownUser
from service.openrtb.candidates import Candidate, Matched
from service.openrtb.creatives import ReadyCreative
from service.openrtb.gathering import Gathered, Gatherer
from service.openrtb.pods import PodBook, most_bids
from service.openrtb.table import PriceTable

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
    at most, for all `quantity` millionths of an impression; owed: the same in thousandths of a
    micro, as it was before it was rounded up (0: it was whole). expires_in: seconds. entity: whose
    history the impression is to join, "" without leave. policy, arm, propensity: what chose the
    price. about: what those who learn want back, see models.bidding.memo.
    """

    bid: str
    candidate: Candidate
    creative: ReadyCreative
    price: int
    currency: str
    cost: int
    expires_in: int
    exchange: str
    test: bool
    at: int = 2
    entity: str = ""
    policy: str = ""
    arm: int = 0
    propensity: float = 1.0
    about: bytes = b""
    owed: int = 0
    quantity: int = ONE


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

    @property
    def table(self) -> PriceTable:
        """The prices' rows of every line; of the very lines that `matching` answers."""
        ...

    @property
    def gatherer(self) -> Gatherer:
        """Gathers what those lines may bid; their order is the one of `Matched.numbers`."""
        ...

    def matching(self, traits: Traits, now_ms: int, known: KnownUser = NOBODY) -> Matched:
        """Answer the lines that are running, want an opportunity with these traits, and may still
        be shown to whoever is known."""
        ...


class Made(NamedTuple):
    """A bid and what made it: its arm, the row of its price, the floor it had to meet, and the
    words of its context."""

    bid: Bid
    arm: Arm
    row: Sequence[float]
    floor: int
    words: Mapping[str, str]


class _Choice(NamedTuple):
    """One of the things that may be bid: a candidate with one of its creatives, priced.

    rows: of all creatives of its group, in their order.
    """

    candidate: Candidate
    creative: int
    rows: Sequence[list[float]]
    scene: Scene


@dataclass(slots=True)
class Decided:
    """What is bid, best first, or why nothing is."""

    made: list[Made] = field(default_factory=list[Made])
    causes: dict[str, int] = field(default_factory=dict[str, int])

    @property
    def bids(self) -> list[Bid]:
        """The bids alone."""
        return [one.bid for one in self.made]


class Bidder:
    """Prices candidates, lets arms be chosen, and asks the till for the money."""

    policy = "bid/1"

    def __init__(self, settings: BidSettings, till: Till, prices: Prices) -> None:
        self._rates: Rates = settings.rates
        self._open = settings.open_bids
        self._hold_s = settings.hold_s
        self._till = till
        self.prices = prices

    def decide(
        self,
        auction: Auction,
        candidates: Sequence[Candidate],
        table: PriceTable,
        known: KnownUser = NOBODY,
    ) -> Decided:
        """Answer the bids of an auction; each one's money is set aside.

        Of one impression every deal gets one bid and the open market a few, best first; a dynamic
        pod takes more. The same campaign never bids against itself.
        """
        decided = Decided()
        pods = PodBook()
        taken: dict[tuple[int, str], list[str]] = {}
        for choice in self._ranked(auction, candidates, table, known, decided):
            place, opportunity, how, deal, _ = choice.candidate.offer
            spot = how.spot
            campaigns = taken.setdefault((place, "" if deal is None else deal.id), [])
            campaign = choice.candidate.ready.campaign.campaign
            several = bool(spot.pod) and most_bids(spot) > 1
            if several:
                full = len(campaigns) >= most_bids(spot)
            else:
                room = self._open if deal is None else 1
                full = len(campaigns) >= room or campaign in campaigns
            if full:
                continue
            one = choice.candidate.group.creatives[choice.creative]
            if spot.pod and not pods.takes(opportunity.id, spot, one):
                _count(decided, "pod")
                continue
            # What a pod may show beside what is checked creative by creative: no arms there.
            made = self._make(auction, choice, known, alone=bool(spot.pod))
            if made is None:
                _count(decided, "budget")
                continue
            campaigns.append(campaign)
            if spot.pod:
                pods.note(opportunity.id, spot, one)
            decided.made.append(made)
        return decided

    def pick(
        self,
        auction: Auction,
        gatherer: Gatherer,
        gathered: Gathered,
        table: PriceTable,
        known: KnownUser = NOBODY,
    ) -> Made | None:
        """Answer the best bid for one impression of the open market; None where there is none, or
        its campaign has no money: `decide` then says why, or finds the next best."""
        asked = gathered.asked
        if not len(asked) or self._open > 1:
            return None
        priced = self.prices.price(
            auction, auction.opportunities[0], asked, table, known, best_alone=True
        )
        if priced.best < 0:
            return None
        rows: list[float] = asked[:, 0].tolist()
        candidate, place = gatherer.candidate(asked[priced.best].tolist(), auction, gathered)
        first = candidate.ready.first
        group = [priced.rows[rows.index(first + one)] for one in candidate.group.numbers]
        return self._make(auction, _Choice(candidate, place, group, priced.scene), known)

    def _ranked(
        self,
        auction: Auction,
        candidates: Sequence[Candidate],
        table: PriceTable,
        known: KnownUser,
        decided: Decided,
    ) -> list[_Choice]:
        """Answer what can be priced, best first; what must be bid comes before all else."""
        by_place: dict[int, list[Candidate]] = {}
        for one in candidates:
            by_place.setdefault(one.offer.place, []).append(one)
        ranked: list[tuple[bool, float, int, _Choice]] = []
        for place, own in by_place.items():
            asked: list[float] = []
            for one in own:
                _ask(asked, one, self._rates, auction.currency)
            opportunity = auction.opportunities[place]
            every = np.array(asked, np.float64).reshape(-1, len(ASKED))
            priced = self.prices.price(auction, opportunity, every, table, known)
            first = 0
            for one in own:
                deal = one.offer.deal
                optional = deal is None or not deal.guaranteed
                rows = priced.rows[first : first + len(one.group.creatives)]
                first += len(rows)
                for creative, row in enumerate(rows):
                    if row[BID] <= 0:
                        _count(decided, "floor")
                        continue
                    choice = _Choice(one, creative, rows, priced.scene)
                    ranked.append((optional, -row[SCORE], len(ranked), choice))
        ranked.sort()
        return [choice for *_, choice in ranked]

    def _make(
        self, auction: Auction, choice: _Choice, known: KnownUser, *, alone: bool = False
    ) -> Made | None:
        """Choose the arm, set money aside, and answer the bid; None without money.

        alone: the creative is no arm, it was checked beside others.
        """
        candidate, number = choice.candidate, choice.creative
        row = choice.rows[number]
        ready, group = candidate.ready, candidate.group
        _, opportunity, how, deal, terms = candidate.offer
        campaign, floor = ready.campaign, float(terms.floor)
        agreed = terms.fixed or (deal is not None and deal.guaranteed)
        own = (number,) if alone or agreed else range(len(group.numbers))
        # What may not be shown at this floor is no arm.
        arms = [place for place in own if choice.rows[place][BID] > 0]
        numbers = [ready.arms[group.numbers[place]] for place in arms]
        pay = opportunity.multiplier, auction.currency, campaign.currency
        cost = reserve_for(self._owed(int(row[BID]), *pay))
        if agreed:
            arm = Arm(number=arm_of(numbers[0], NEUTRAL))
        else:
            asked = (row, floor, choice.scene)
            arm = self.prices.choose(auction, campaign, numbers, asked, cost)
        number = arms[arm.creative]
        row = choice.rows[number]
        price = int(row[BID])
        if arm.times != 1.0:
            price = multiplied(row[BID], arm.times, floor, float(candidate.cap))
        owed = self._owed(price, *pay)
        # Money is set aside no longer than that: the exchange is told so.
        expires_in = min(opportunity.expiry or self._hold_s, self._hold_s)
        one, identity = group.creatives[number], new_id()
        memo = self.prices.memo(row, choice.scene, arm)
        if deal is not None:
            # A deal is no open contest: its outcome says nothing of other prices.
            memo = memo._replace(places=())
        order = Order(
            *(identity, candidate, one, price, auction.currency, reserve_for(owed), expires_in),
            *(auction.exchange, auction.test, int(auction.at), known.entity, self.policy),
            *(arm.number, arm.propensity, pack_memo(memo), owed, opportunity.multiplier),
        )
        token = self._till.reserve(order)
        if token is None:
            return None
        if not (arm.greedy or auction.test):
            self.prices.explored(campaign.campaign, order.cost, row)
        bid = Bid(
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
        return Made(bid, arm, row, terms.floor, choice.scene.words)

    def _owed(self, price: int, multiplier: int, currency: str, own: str) -> int:
        """Answer what a bid costs at most, in thousandths of a micro of the campaign's currency."""
        owed = -(-price * multiplier // ONE)
        return owed if currency == own else self._rates.up(owed, currency, own)


def _ask(asked: list[float], one: Candidate, rates: Rates, currency: str) -> None:
    """Add the rows of a candidate, one a creative; see models.bidding.pricing.ASKED."""
    ready, group, (_, _, _, deal, terms), standard, cap = one
    rate = 1.0 if ready.currency == currency else rates.ratio(ready.currency, currency)
    kind = AGREED if terms.fixed else GUARANTEED if deal is not None and deal.guaranteed else PLAIN
    first = ready.first
    for number in group.numbers:
        asked += (first + number, standard, cap, terms.floor, rate, kind)


def _count(decided: Decided, cause: str) -> None:
    decided.causes[cause] = decided.causes.get(cause, 0) + 1
