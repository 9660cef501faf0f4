"""All that may be bid: lines that want an auction, held against its rules, with their terms.

One candidate is a line, creatives that are alike, an impression and, for a private deal, the
deal; it says what a bid must meet and may not exceed. Knows the rules; nothing of what an
impression is worth, of budgets or of how many bids go out.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from domain.campaigns import Campaign, LineItem
from domain.currencies import Rates
from domain.opportunities import Auction, Deal, Opportunity
from service.openrtb.creatives import ReadyCreative, make_ready
from service.openrtb.eligibility import Fit, fit, refused_by_auction, refused_by_deal
from service.openrtb.floors import Terms, UnknownCurrency, terms_of

LINES_A_LOOK = 8
"""Lines between two looks at the clock."""


class Group(NamedTuple):
    """Creatives of a line that no rule of a request can tell apart; see ReadyCreative.

    numbers: of each, its place among the line's creatives.
    """

    brand: object
    shape: object
    creatives: tuple[ReadyCreative, ...]
    numbers: tuple[int, ...]


class ReadyLine(NamedTuple):
    """A line with its campaign and its creatives made ready, worked out once a change.

    standard, cap: its standard bid (never above the cap) and the most it may offer, in cpm
    micros of `currency`, the campaign's. arms: of each creative, its place among the active ones
    of the campaign. first: the row of its first creative in the table of prices; those of the
    others follow.
    """

    campaign: Campaign
    line: LineItem
    creatives: tuple[ReadyCreative, ...]
    deals: frozenset[str]
    open_market: bool
    currency: str
    standard: int
    cap: int
    groups: tuple[Group, ...]
    arms: tuple[int, ...]
    first: int = 0


class Matched(NamedTuple):
    """The lines that want an auction: int32[m], numbers of the market's. capped: how many more
    would, had the user not seen them often enough. off: nobody may bid, it was switched off."""

    numbers: npt.NDArray[np.int32]
    capped: int = 0
    off: bool = False

    @property
    def why(self) -> str:
        """The word for why there are none."""
        return "switched_off" if self.off else "frequency" if self.capped else "no_line"


def ready_lines(campaign: Campaign) -> tuple[ReadyLine, ...]:
    """Answer a campaign's active lines, each creative made ready once."""
    active = [one for one in campaign.creatives if one.active]
    ready = {one.creative: make_ready(one, campaign.seat) for one in active}
    places = {one.creative: place for place, one in enumerate(active)}
    lines: list[ReadyLine] = []
    for line in campaign.lines:
        if line.active:
            own = campaign.creatives_of(line)
            creatives = tuple(ready[one.creative] for one in own)
            lines.append(
                ReadyLine(
                    campaign,
                    line,
                    creatives,
                    frozenset(line.deals),
                    line.open_market,
                    campaign.currency,
                    min(line.bid, campaign.cap_of(line)),
                    campaign.cap_of(line),
                    _groups(creatives),
                    tuple(places[one.creative] for one in own),
                )
            )
    return tuple(lines)


def _groups(creatives: tuple[ReadyCreative, ...]) -> tuple[Group, ...]:
    numbers: dict[tuple[object, object], list[int]] = {}
    for number, one in enumerate(creatives):
        numbers.setdefault((one.brand, one.shape), []).append(number)
    return tuple(
        Group(brand, shape, tuple(creatives[number] for number in own), tuple(own))
        for (brand, shape), own in numbers.items()
    )


class Offer(NamedTuple):
    """One way to buy an impression, the same for every creative that is just like another.

    place: the opportunity's index. deal: None for the open market. terms: the floor of a bid
    in the auction's currency, or the agreed price.
    """

    place: int
    opportunity: Opportunity
    fit: Fit
    deal: Deal | None
    terms: Terms


class Candidate(NamedTuple):
    """A line, creatives of it that are all alike to the rules, and an offer it may take.

    standard: the line's standard bid; cap: nothing above it; both in cpm micros of the
    auction's currency. The offer's terms are within the cap.
    """

    ready: ReadyLine
    group: Group
    offer: Offer
    standard: int
    cap: int


@dataclass(slots=True)
class Found:
    """The candidates of an auction, and how often each word was the reason for none."""

    candidates: list[Candidate] = field(default_factory=list[Candidate])
    causes: dict[str, int] = field(default_factory=dict[str, int])
    in_time: bool = True


def find_candidates(
    auction: Auction, lines: Iterable[ReadyLine], rates: Rates, in_time: Callable[[], bool]
) -> Found:
    """Hold every line's creatives against every impression; causes count groups of them.

    in_time: asked before every few lines; once it says no, no further line is looked at and
    `Found.in_time` is False.
    """
    found = Found()
    search = _Search(auction, rates)
    currency, known = auction.currency, search.known
    refused: dict[object, str] = {}
    candidates, causes = found.candidates, found.causes
    for number, ready in enumerate(lines):
        if not number % LINES_A_LOOK and not in_time():
            found.in_time = False
            break
        standard, cap = ready.standard, ready.cap
        if ready.currency != currency:
            try:
                standard = rates.down(standard, ready.currency, currency)
                cap = rates.down(cap, ready.currency, currency)
            except KeyError:
                causes["currency"] = causes.get("currency", 0) + 1
                continue
        for group in ready.groups:
            why = refused.get(group.brand)
            if why is None:
                why = refused_by_auction(group.creatives[0], auction.blocks)
                refused[group.brand] = why
            if why:
                causes[why] = causes.get(why, 0) + 1
                continue
            chances = known.get(group.shape) or search.chances(group.creatives[0])
            why = chances.why
            offers = chances.open if ready.open_market else ()
            if ready.deals and chances.fits:
                offers = (*search.deals_of(ready, group.creatives[0], chances), *offers)
            for offer in offers:
                if offer.terms.floor <= cap:
                    candidates.append(Candidate(ready, group, offer, standard, cap))
                else:
                    why = "cap"
            if why:
                causes[why] = causes.get(why, 0) + 1
    return found


class _Chances(NamedTuple):
    """What creatives of one shape may do in an auction, whoever's they are.

    fits: impressions they fill. open: offers of the open market. why: the commonest word for
    what they may not, "" when nothing was refused.
    """

    fits: list[tuple[int, Opportunity, Fit]]
    open: tuple[Offer, ...]
    why: str


class _Search:
    """One auction's search; what one creative showed is not asked again of one of its shape."""

    def __init__(self, auction: Auction, rates: Rates) -> None:
        self._auction = auction
        self._rates = rates
        self.known: dict[object, _Chances] = {}

    def chances(self, creative: ReadyCreative) -> _Chances:
        """Work out what a creative may do, and remember it."""
        auction = self._auction
        fits: list[tuple[int, Opportunity, Fit]] = []
        offers: list[Offer] = []
        refused: list[str] = []
        for place, opportunity in enumerate(auction.opportunities):
            how = fit(creative, opportunity)
            if isinstance(how, str):
                refused.append(how)
                continue
            fits.append((place, opportunity, how))
            if opportunity.private:
                refused.append("private")
                continue
            terms = self._terms(opportunity, how, None, creative)
            if isinstance(terms, str):
                refused.append(terms)
            else:
                offers.append(Offer(place, opportunity, how, None, terms))
        why = max(refused, key=refused.count) if refused else ""
        chances = self.known[creative.shape] = _Chances(fits, tuple(offers), why)
        return chances

    def deals_of(
        self, ready: ReadyLine, creative: ReadyCreative, chances: _Chances
    ) -> Iterator[Offer]:
        """Yield a creative's offers under the deals that its line may buy."""
        for place, opportunity, how in chances.fits:
            for deal in opportunity.deals:
                if deal.id in ready.deals and not refused_by_deal(creative, deal):
                    terms = self._terms(opportunity, how, deal, creative)
                    if not isinstance(terms, str):
                        yield Offer(place, opportunity, how, deal, terms)

    def _terms(
        self, opportunity: Opportunity, how: Fit, deal: Deal | None, creative: ReadyCreative
    ) -> Terms | str:
        """Answer what a bid must meet, or the word for why there cannot be one."""
        duration, currency = creative.creative.duration_ms, self._auction.currency
        try:
            terms = terms_of(opportunity, how.spot, deal, duration, currency, self._rates)
        except UnknownCurrency:
            return "currency"
        return "floor" if terms is None else terms
