"""From notices and outcomes to lessons: what each says of prices, arms, chances and spend.

A win tells what the price to beat was, or that it was no higher; a loss that it was higher; a bill
is an impression and spend. What cannot be true, or would let one absurd price rule, teaches
nothing or only what is certain. Knows nothing of how lessons are learned or shared.
"""

import math
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from domain.notices import Token
from models.bidding.arms import multiplier_of
from models.bidding.feedback import Kind
from models.bidding.memo import Memo

WIN, BILL, LOSS = "win", "bill", "loss"
WORDS = (WIN, BILL, LOSS)
"""In the order in which an exchange's are counted."""
FIRST_PRICE, FIXED_PRICE = 1, 3
STEP = 10_000
"""Prices to win are told to the cent of a thousand: in cpm micros."""
MOST_TIMES = 50.0
"""A price told by a loser's notice counts as a number up to so many times the bid; beyond it, it
only says that the bid was too low."""
PRICE_LOSSES = frozenset({0, 100, 101, 102})
"""Reasons that speak of price (OpenRTB 2.6, loss reason codes): none told, below the floor of the
auction or the deal, lost to a higher bid. All others say nothing of what would have won."""


class Price(NamedTuple):
    """One row for the landscape: see models.bidding.feedback. places, buckets: as in a memo."""

    memo: Memo
    kind: int
    low: float
    high: float


class Tried(NamedTuple):
    """A multiplier's reward: the share of the value that was kept, 0 for a loss."""

    exchange: str
    campaign: str
    multiplier: int
    features: tuple[float, ...]
    reward: float


class Impression(NamedTuple):
    """An ad was shown and paid for. chance: of a click, as foretold, 0 unknown. spent: micros of
    the campaign's currency. explores: another arm than the best known chose it. features: () when
    they are not known."""

    campaign: str
    creative: str
    features: tuple[float, ...]
    chance: float
    spent: int
    explores: bool


class Clicked(NamedTuple):
    """An impression of `age` ms ago was clicked. chance: of that, conversion: of what may follow;
    both as foretold, 0 unknown."""

    campaign: str
    creative: str
    features: tuple[float, ...]
    chance: float
    conversion: float
    age: int


class Bought(NamedTuple):
    """A click was followed by the first purchase. conversion: its chance, as foretold."""

    campaign: str
    conversion: float


@dataclass(slots=True)
class Lessons:
    """What is to be learned together. heard: (exchange, place in WORDS). refused: notices that
    taught nothing although they were meant to."""

    prices: list[Price] = field(default_factory=list[Price])
    tried: list[Tried] = field(default_factory=list[Tried])
    impressions: list[Impression] = field(default_factory=list[Impression])
    clicks: list[Clicked] = field(default_factory=list[Clicked])
    bought: list[Bought] = field(default_factory=list[Bought])
    heard: list[tuple[str, int]] = field(default_factory=list[tuple[str, int]])
    refused: int = 0

    def __len__(self) -> int:
        return self.refused + sum(len(one) for one in self._lists())

    def _lists(self) -> tuple[list[Any], ...]:
        return (
            *(self.prices, self.tried, self.impressions, self.clicks, self.bought),
            self.heard,
        )


class Told(NamedTuple):
    """A notice as lessons are drawn from it. price, to_win: cpm micros as told, None when nothing
    was. scale: units of the landscape's currency for one of the token's, 0 unknown. spent: micros
    of the campaign's currency that a bill cost."""

    word: str
    token: Token
    memo: Memo | None
    price: int | None
    to_win: int | None
    reason: int
    scale: float
    spent: int


def price_told(told: Told) -> tuple[int, float, float] | None:
    """Answer kind, low and high (cpm micros of the token's currency) of what a notice says of the
    price to beat; None when it says nothing.

    Fixed prices say nothing. A price that a winner pays beyond the bid, or to win below what lost,
    is a contradiction: only that the bid won, or lost, is then believed.
    """
    token, price, to_win = told.token, told.price, told.to_win
    bid = token.price
    if bid <= 0 or token.at == FIXED_PRICE:
        return None
    if told.word == LOSS:
        if told.reason not in PRICE_LOSSES:
            return None
        most = bid * MOST_TIMES
        if to_win is not None and bid < to_win <= most:
            return Kind.minimum, max(to_win - STEP, bid), to_win
        if price is not None and bid < price <= most:
            # In a second-price auction the winner paid less than the bid that was to be beaten.
            return (Kind.exact if token.at == FIRST_PRICE else Kind.lost), price, price
        return Kind.lost, bid, bid
    if to_win is not None and 0 < to_win <= bid:
        return Kind.minimum, max(to_win - STEP, 1), to_win
    if token.at != FIRST_PRICE and price is not None and 0 < price < bid:
        floor = _floor_of(told.memo)
        return (Kind.exact if price > floor else Kind.won), price, price
    return Kind.won, bid, bid


def _floor_of(memo: Memo | None) -> float:
    """Answer the floor that a memo's context tells, a hair above it for its rounding."""
    return 0.0 if memo is None else memo.features[0] * memo.value * 1.0001


def reward_of(told: Told) -> float | None:
    """Answer the share of the value that a win kept, -1 … 1, or 0 for a loss; None when unknown."""
    memo = told.memo
    if memo is None or memo.value <= 0:
        return None
    if told.word == LOSS:
        return 0.0 if told.reason in PRICE_LOSSES else None
    bid = told.token.price
    paid = bid if told.price is None else min(told.price, bid)
    return max(-1.0, min(1.0, (memo.value - paid) / memo.value))


def draw(told: Told, into: Lessons, *, bills_are_wins: bool) -> None:
    """Add what a notice teaches. bills_are_wins: its exchange tells of wins by bills alone."""
    token, memo = told.token, told.memo
    into.heard.append((token.exchange, WORDS.index(told.word)))
    if told.word == BILL:
        features = () if memo is None else memo.features
        chance = 0.0 if memo is None else memo.click
        explores = memo is not None and not memo.greedy
        into.impressions.append(
            Impression(token.campaign, token.creative, features, chance, told.spent, explores)
        )
        if not bills_are_wins:
            return
    if memo is None:
        into.refused += 1
        return
    if memo.places:
        _draw_price(told, memo, into)
    reward = reward_of(told)
    if reward is not None:
        place = multiplier_of(token.arm)
        into.tried.append(Tried(token.exchange, token.campaign, place, memo.features, reward))


def _draw_price(told: Told, memo: Memo, into: Lessons) -> None:
    found = price_told(told)
    if found is None:
        return
    if not (told.scale > 0.0 and math.isfinite(told.scale)):
        into.refused += 1
        return
    kind, low, high = found
    into.prices.append(
        Price(memo, kind, math.log(low * told.scale), math.log(high * told.scale))
    )  # fmt: skip
