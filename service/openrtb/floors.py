"""Which floor a bid must meet, in its own currency: the deal's, the video's, the impression's.

Rounded up, always. Where several might apply and the specification leaves it to the parties,
the highest does. Knows nothing of what we would pay.
Source: IAB Tech Lab, OpenRTB 2.6, sections 3.2.12 and 3.2.35, and note 7.11.
"""

from typing import NamedTuple

from domain.currencies import Rates
from domain.opportunities import AuctionType, Deal, Floors, Opportunity, Spot
from service.openrtb.amounts import OUT_OF_REACH

SECOND_MS = 1_000


class Terms(NamedTuple):
    """What a bid must meet. floor: cpm micros of the bid's currency; fixed: the exact price."""

    floor: int
    fixed: bool = False


class UnknownCurrency(Exception):
    """A floor is in a currency that cannot be compared with the bid's."""


def terms_of(
    opportunity: Opportunity,
    spot: Spot,
    deal: Deal | None,
    duration_ms: int,
    currency: str,
    rates: Rates,
) -> Terms | None:
    """Answer what a bid of `duration_ms` in `currency` must meet; None when no price can.

    Raises UnknownCurrency.
    """
    exchange = _Exchange(currency, rates)
    if deal is not None and deal.at == AuctionType.fixed:
        agreed = exchange(deal.floors, deal.floors.flat or 0)
        return Terms(agreed, True) if 0 < agreed < OUT_OF_REACH else None
    if deal is None or not _guides(deal.floors):
        floor = _of_spot(opportunity, spot, duration_ms, exchange)
    else:
        floor = _of_deal(opportunity, deal.floors, duration_ms, exchange)
    return Terms(floor) if floor < OUT_OF_REACH else None


def flat_floor(opportunity: Opportunity, currency: str, rates: Rates) -> int:
    """Answer the impression's own floor in `currency`, rounded up; OUT_OF_REACH when no price can
    meet it. Raises UnknownCurrency."""
    floors = opportunity.floors
    return _Exchange(currency, rates)(floors, floors.flat or 0)


class _Exchange:
    """Converts a floor's micros into the bid's currency, rounding up."""

    __slots__ = ("_currency", "_rates")

    def __init__(self, currency: str, rates: Rates) -> None:
        self._currency = currency
        self._rates = rates

    def __call__(self, floors: Floors, micros: int) -> int:
        if micros >= OUT_OF_REACH:
            return OUT_OF_REACH
        try:
            return self._rates.up(micros, floors.currency, self._currency)
        except KeyError as error:
            raise UnknownCurrency from error


def _guides(floors: Floors) -> bool:
    return floors.flat is not None or floors.per_second is not None or bool(floors.by_duration)


def _of_spot(opportunity: Opportunity, spot: Spot, duration_ms: int, exchange: _Exchange) -> int:
    """Answer the open market's floor: video's or audio's where given, else the impression's."""
    flat = exchange(opportunity.floors, opportunity.floors.flat or 0)
    if spot.floors is None:
        return flat
    found = _timed(spot.floors, duration_ms)
    # An advertisement outside every span falls back on the impression's floor.
    return flat if found is None else exchange(spot.floors, found)


def _of_deal(
    opportunity: Opportunity, floors: Floors, duration_ms: int, exchange: _Exchange
) -> int:
    found = [exchange(floors, floors.flat)] if floors.flat is not None else []
    if floors.per_second is not None or floors.by_duration:
        timed = _timed(floors, duration_ms)
        if timed is None:
            found.append(exchange(opportunity.floors, opportunity.floors.flat or 0))
        else:
            found.append(exchange(floors, timed))
    return max(found)


def _timed(floors: Floors, duration_ms: int) -> int | None:
    """Answer the highest floor for a duration, None when it lies outside every span given."""
    found: list[int] = []
    if floors.per_second is not None:
        whole = floors.per_second < OUT_OF_REACH and duration_ms > 0
        found.append(-(-floors.per_second * duration_ms // SECOND_MS) if whole else OUT_OF_REACH)
    found += [
        span.floor
        for span in floors.by_duration
        if (span.low is None or span.low <= duration_ms)
        and (span.high is None or duration_ms <= span.high)
    ]
    return max(found) if found else None
