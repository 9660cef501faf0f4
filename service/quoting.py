"""Quotes: what to bid for an impression whose value the caller knows, without a campaign.

The live landscape shades the value in a first-price auction; in a second-price auction the value
itself is bid. The most likely landscape is asked, not a draw from it: a caller whose outcomes are
never heard of is not explored with. Knows nothing of the wire, of budgets or of users.
"""

from collections.abc import Mapping, Sequence
from math import isfinite, log
from typing import NamedTuple, Protocol

from domain.opportunities import AuctionType
from models.bidding.landscape import Landscape, drawn, floor_word, win_chance
from models.bidding.shading import priced
from models.bidding.value import TRUSTED

POLICY = "quote/1"


class Ground(Protocol):
    """What is known of prices; see service.bid_learning."""

    @property
    def landscape(self) -> Landscape: ...
    def landscape_confidence(self, places: Sequence[int]) -> float: ...
    def scale_of(self, currency: str) -> float: ...


class Asked(NamedTuple):
    """One impression; amounts are cpm micros of `currency`.

    standard: what to bid while little is known. words: the context, by the landscape's fields
    but for the floor; what is missing is unknown.
    """

    value: int
    standard: int
    floor: int
    cap: int
    currency: str
    auction: AuctionType
    words: Mapping[str, str]


class Quote(NamedTuple):
    """What to bid, in cpm micros; None for no bid.

    win_probability: None while nothing is known of prices. confidence: how far what decided the
    bid is trusted, below one half the standard bid is used. reasons: what decided, in our words.
    """

    price: int | None
    win_probability: float | None
    confidence: float
    propensity: float
    reasons: tuple[str, ...]


def quote(asked: Asked, ground: Ground, *, learned: bool = True) -> Quote:
    """Answer what to bid: never above the value or the cap, never below the floor.

    learned: False while the kill switch of learning is thrown; then nothing is known of prices.
    """
    location, scale, sure = _prices(asked, ground) if learned else (0.0, 1.0, 0.0)
    law = ground.landscape.law
    reasons: list[str] = []
    most = min(asked.value, asked.cap)
    if asked.auction != AuctionType.first:
        # What one bids there is not what one pays: no price needs to be known.
        confidence, price = 1.0, most
        reasons.append("value")
    elif sure >= TRUSTED:
        confidence = sure
        floor = float(max(asked.floor, 0))
        price = priced(1, float(asked.value), floor, float(asked.cap), law, location, scale).bid
        reasons.append("shaded" if price < most else "value")
    else:
        confidence, price = sure, min(asked.standard, most)
        reasons.append("unsure" if sure > 0 else "no_landscape" if learned else "learning_off")
        reasons.append("standard_bid" if price == asked.standard else "value")
    if asked.cap < asked.value and price == asked.cap:
        reasons.append("cap")
    if price <= 0 or price < asked.floor:
        return Quote(None, None, confidence, 1.0, (*reasons, "floor"))
    if price == asked.floor and "shaded" in reasons:
        reasons.append("floor")
    chance = win_chance(law, float(price), location, scale) if sure > 0 else None
    return Quote(price, chance, confidence, 1.0, tuple(reasons))


def _prices(asked: Asked, ground: Ground) -> tuple[float, float, float]:
    """Answer location and scale in the caller's currency, and how sure they are: 0 for not."""
    unit = ground.scale_of(asked.currency)
    if not (unit > 0 and isfinite(unit)):
        return 0.0, 1.0, 0.0
    landscape = ground.landscape
    places = landscape.places({**asked.words, "floor": floor_word(float(asked.floor))})
    location, scale = drawn(landscape.weights, landscape.covariance, places, 0.0, 0.0)
    sure = ground.landscape_confidence(places.tolist())
    if not (isfinite(location) and isfinite(scale) and scale > 0 and 0.0 < sure <= 1.0):
        return 0.0, 1.0, 0.0
    return location - log(unit), scale, sure
