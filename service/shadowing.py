"""Shadow: what a challenger would have bid where the released model did, logged and never bid.

A challenger that a fit left beside the release is loaded here; for a share of the auctions that
were bid in, its price of the very same candidate is worked out in the background and put on the
decision log as a decision of its own policy. Knows nothing of the wire, and nothing waits for it.
"""

import asyncio
import random
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from math import log
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import msgspec
import numpy as np

from domain.campaigns import Campaign, LineItem
from domain.clock import Clock
from domain.currencies import Rates
from domain.decisions import Decision
from domain.errors import BundleRefused
from domain.ids import new_id
from domain.opportunities import Bid
from models.bidding.columns import NUMBERS, common_row, own_codes
from models.bidding.earnings import earnings_of
from models.bidding.landscape import drawn, floor_word, win_chance
from models.bidding.market import confidence_at
from models.bidding.model import BiddingModel
from models.bidding.pricing import sane_pace
from models.bidding.shading import FIRST_PRICE, priced
from models.bidding.value import AIMS, TRUSTED, Line
from models.bundle import CHALLENGER, open_bundle, read_pointer
from models.families import load_scorer
from service.decisions import DecisionLog
from service.logs import log_info, log_unexpected, log_warning
from service.metrics import Metrics
from service.polling import Poller

FAMILY, OF = "bidding-shadow", "bidding"
VARIANT = "shadow"
SHARE = 0.05
"""Of so many of the auctions that were bid in the challenger's price is worked out."""
MOST_WAITING = 500
"""Auctions that wait for the next turn; beyond it the oldest are let go, and counted."""
POLL_S = 1.0

_encode = msgspec.json.Encoder().encode


class Made(Protocol):
    """A bid as service.bidding made it."""

    @property
    def bid(self) -> Bid: ...
    @property
    def floor(self) -> int: ...
    @property
    def words(self) -> Mapping[str, str]: ...


class Known(Protocol):
    """As much of a user as prices are made from."""

    @property
    def scores(self) -> Mapping[str, float]: ...
    @property
    def numbers(self) -> Any: ...


class Contest(Protocol):
    """As much of an auction as prices are made from."""

    @property
    def at(self) -> int: ...
    @property
    def currency(self) -> str: ...
    @property
    def test(self) -> bool: ...


class Beside(NamedTuple):
    """What every model's prices are made with: campaigns as they stand, paces, what the online
    calibration says of clicks and conversions, units of the landscape's currency, and rates."""

    campaigns: Callable[[], Mapping[str, Campaign]]
    pace: Callable[[str], float]
    factors: Callable[[str], tuple[float, float]]
    scale_of: Callable[[str], float]
    rates: Rates


class _Noted(NamedTuple):
    at: int
    auction: Contest
    known: Known
    made: tuple[Made, ...]


class Shadow(Poller):
    """Notes bids, prices them as the challenger would, and logs that.

    share: of the auctions noted that are looked at; `uniform` draws which.
    """

    def __init__(
        self,
        root: Path,
        decisions: DecisionLog,
        metrics: Metrics,
        clock: Clock,
        beside: Beside,
        *,
        share: float = SHARE,
        uniform: Callable[[], float] = random.random,
        poll_s: float = POLL_S,
    ) -> None:
        super().__init__(poll_s)
        self._family = root / OF
        self._decisions = decisions
        self._metrics = metrics
        self._clock = clock
        self._beside = beside
        self._share = share
        self._uniform = uniform
        self._waiting: deque[_Noted] = deque(maxlen=MOST_WAITING)
        self._refused: str = ""
        self.version: str = ""
        """Of the challenger, "" while there is none."""
        self._model: BiddingModel | None = None

    def note(self, auction: Contest, known: Known, made: Sequence[Made]) -> None:
        """Note what was bid; costs nothing while there is no challenger, and waits for nothing."""
        if self._model is None or not made or auction.test or self._uniform() >= self._share:
            return
        if len(self._waiting) == MOST_WAITING:
            self._metrics.decisions.labels("shadow dropped").inc()
        self._waiting.append(_Noted(self._clock(), auction, known, tuple(made)))

    async def look(self) -> None:
        """Look for a challenger, and price what was noted; lets no error out."""
        try:
            await asyncio.to_thread(self._load)
        except BundleRefused as error:
            self._model, self.version = None, ""
            self._metrics.bundle_refusals.labels(FAMILY).inc()
            log_warning("challenger refused, nothing is bid in its shadow", why=str(error))
        except Exception as error:
            self._model, self.version = None, ""
            log_unexpected(error, stage="shadow")
        noted = list(self._waiting)
        self._waiting.clear()
        if self._model is None or not noted:
            return
        try:
            for decision in await asyncio.to_thread(self._price, self._model, noted):
                self._decisions.put(decision)
        except Exception as error:
            log_unexpected(error, stage="shadow")

    def _load(self) -> None:
        """Hold the challenger that its pointer names, unless it is the release itself."""
        pointer, current = read_pointer(self._family, CHALLENGER), read_pointer(self._family)
        version = "" if pointer is None else pointer.version
        if current is not None and version == current.version:
            version = ""
        if version == self.version or (version and version == self._refused):
            return
        self._model, self.version, self._refused = None, "", version
        if version:
            # Refused once, it is not tried again until another one is named.
            self._model = load_scorer(open_bundle(self._family / version))
            self.version, self._refused = version, ""
            log_info("challenger bids in shadow", version=version)

    def _price(self, model: BiddingModel, noted: Sequence[_Noted]) -> list[Decision]:
        found: list[Decision] = []
        campaigns = self._beside.campaigns()
        for one in noted:
            rows = [
                row for made in one.made if (row := self._row(model, one, made, campaigns))
            ]  # fmt: skip
            if not rows:
                continue
            told = {
                "context": one.made[0].words, "currency": one.auction.currency, "bids": rows,
            }  # fmt: skip
            found.append(
                Decision(
                    new_id(), one.at, FAMILY, "", self.version, one.at,
                    tuple([row["creative"] for row in rows]),
                    tuple([row["price"] / 1_000_000 for row in rows]),
                    (1.0,) * len(rows), "", VARIANT, _encode(told).decode(),
                )
            )  # fmt: skip
        return found

    def _row(
        self, model: BiddingModel, one: _Noted, made: Made, campaigns: Mapping[str, Campaign]
    ) -> dict[str, Any] | None:
        """Answer what the challenger would have bid for a candidate; None for a deal, whose price
        is not its to make, or a campaign that is gone."""
        bid, floor = made.bid, made.floor
        campaign = campaigns.get(bid.campaign)
        line = campaign and next((held for held in campaign.lines if held.line == bid.line), None)
        if bid.deal or campaign is None or line is None:
            return None
        terms = _terms(model, campaign, line, self._beside, one.auction.currency)
        common = common_row(made.words, one.known.scores)
        if one.known.numbers is not None:
            common[-len(NUMBERS) :] = one.known.numbers
        own = own_codes(bid.campaign, bid.line, bid.creative.creative)[None, :]
        valued = model.value(common, own, terms.line)
        value = float(valued.value[0]) * terms.pace
        sure, at = float(valued.confidence[0]), int(one.auction.at)
        words = {**made.words, "floor": floor_word(float(floor))}
        location, scale, known = _prices(model, words, terms.unit)
        confidence = min(sure, known) if at == FIRST_PRICE else sure
        if confidence >= TRUSTED:
            price = priced(
                at, value, float(floor), terms.cap, model.landscape.law, location, scale
            ).bid  # fmt: skip
        else:
            price = int(min(terms.standard * min(terms.pace, 1.0), terms.cap))
            price = price if price >= floor else 0
        win = win_chance(model.landscape.law, float(price), location, scale) if known > 0 else 0.0
        return {
            "bid": bid.id, "campaign": bid.campaign, "line": bid.line,
            "creative": bid.creative.creative, "at": at, "floor": floor, "price": price,
            "value": int(value), "confidence": round(confidence, 4), "win": round(win, 4),
            "standard": int(terms.standard), "earns": terms.earns,
        }  # fmt: skip


class _Terms(NamedTuple):
    """A line's terms in the auction's currency, cpm micros. unit: of that currency in the
    landscape's. earns: see models.bidding.earnings."""

    line: Line
    standard: float
    cap: float
    pace: float
    unit: float
    earns: tuple[float, float, float]


def _terms(
    model: BiddingModel, campaign: Campaign, line: LineItem, beside: Beside, currency: str
) -> _Terms:
    rate = 1.0
    if campaign.currency != currency:
        rate = beside.rates.ratio(campaign.currency, currency)
    aim, target = campaign.objective.aim.value, float(campaign.objective.target)
    worth = model.worth_of(campaign.campaign) * rate
    standard = line.bid * rate
    money = target if aim == "roas" else target * rate
    clicks, conversions = beside.factors(campaign.campaign)
    one = np.ones(1)
    asked = Line(
        np.array([AIMS[aim]]), one * money, one * standard, one * worth, one * clicks,
        one * conversions,
    )  # fmt: skip
    means = (model.click.mean, model.conversion.mean)
    pace = sane_pace(beside.pace(campaign.campaign))
    return _Terms(
        asked, standard, campaign.cap_of(line) * rate, pace, beside.scale_of(currency),
        earnings_of(AIMS[aim], money, standard, worth, means),
    )  # fmt: skip


def _prices(
    model: BiddingModel, words: Mapping[str, str], unit: float
) -> tuple[float, float, float]:
    """Answer the challenger's own location and scale there, and how sure they are."""
    places = model.landscape.places(words)
    held = model.landscape
    location, scale = drawn(held.weights, held.covariance, places, 0.0, 0.0)
    if not unit > 0:
        return location, scale, 0.0
    return location - log(unit), scale, confidence_at(held, tuple(places.tolist()))
