"""Prices of candidates: what was learned, looked up and handed to the compiled call; then the arms.

Beside it stand the released model of values, what notices taught (landscape, online factors,
beliefs about arms) and the paces; any of them may be missing. Knows nothing of the wire, of budgets
or of where any of it was learned.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from domain.campaigns import Campaign
from domain.clock import HOUR_MS, Clock
from domain.opportunities import Auction, Opportunity
from models.bandits.beliefs import Beliefs, frozen
from models.bidding.arms import MULTIPLIERS, NEUTRAL, WIDTH, arm_of
from models.bidding.columns import NUMBERS, SCORES, SHARED, code_of
from models.bidding.drawing import draw_arms
from models.bidding.landscape import Landscape, Moments, floor_word, moments_at
from models.bidding.market import prior_landscape
from models.bidding.memo import Memo
from models.bidding.model import BiddingModel, no_model
from models.bidding.pricing import CHANCE, CONFIDENCE, VALUE, price_rows
from models.bidding.ready import ReadyModel, ready_of
from models.bidding.value import TRUSTED
from service.known_user import NOBODY, KnownUser
from service.openrtb.table import PriceTable
from service.openrtb.traits import DEVICES

F64 = npt.NDArray[np.float64]
HOURS = 24
_KEPT = 16_384
_POOL = 4_096
_UNSAID = (np.zeros(0, np.uint8), (0.0, 0.0))
_BLANK = np.full(len(SCORES) + len(NUMBERS), np.nan)
_NO_BELIEFS = frozen(np.zeros((0, WIDTH)), np.zeros((0, WIDTH, WIDTH)), 0.0)


@dataclass(slots=True)
class Scene:
    """An impression's context, ready to be priced in.

    words: as they are logged and learned from. codes: int64[8], of the words. key: of the
    landscape's places, it having so many buckets. clock: sine and cosine of the hour. What a
    model and a landscape make of them is kept as long as they stay.
    """

    words: Mapping[str, str]
    codes: npt.NDArray[np.int64]
    key: tuple[int, ...]
    clock: tuple[float, float]
    buckets: int = 0
    model: ReadyModel | None = None
    said: tuple[npt.NDArray[np.uint8], tuple[float, float]] = _UNSAID
    landscape: Landscape | None = None
    moments: Moments = (0.0, 0.0, 0.0, 0.0, 0.0)
    sure: float = 0.0


class Priced(NamedTuple):
    """What the compiled call answered: a row each (see models.bidding.pricing), and the best."""

    rows: list[list[float]]
    best: int
    scene: Scene


class Arm(NamedTuple):
    """What a bandit chose: the place of the creative in its group, the price's multiplier, the
    number both have in a token, with which chance they were drawn, and whether they are the best
    known. features: of the context, as a memo has them."""

    creative: int = 0
    times: float = 1.0
    number: int = NEUTRAL
    propensity: float = 1.0
    greedy: bool = True
    features: tuple[float, float, float] = (0.0, 0.0, 0.0)


class Lessons(Protocol):
    """What notices have taught; see service.bid_learning."""

    @property
    def landscape(self) -> Landscape: ...
    @property
    def policy_numbers(self) -> F64: ...
    def landscape_confidence(self, places: Sequence[int]) -> float: ...
    def scale_of(self, currency: str) -> float: ...
    def multipliers(self, exchange: str, campaign: str) -> Beliefs: ...
    def creatives(self, campaign: Campaign) -> Beliefs: ...
    def factors(self, campaign: str) -> tuple[float, float]: ...
    def limit(self, campaign: str, price_micros: int) -> float: ...
    def exploring(self, campaign: str, expected_micros: float) -> None: ...


class Untaught:
    """Lessons of a deployment that never heard a notice: nothing is known, nothing explored."""

    def __init__(self) -> None:
        self.landscape = prior_landscape(math.log(1e6))
        self.policy_numbers = np.zeros(5)

    def landscape_confidence(self, places: Sequence[int]) -> float:
        """Answer 0."""
        return 0.0

    def scale_of(self, currency: str) -> float:
        """Answer 1."""
        return 1.0

    def multipliers(self, exchange: str, campaign: str) -> Beliefs:
        """Never asked, for nothing is explored."""
        raise LookupError("nothing was learned")

    def creatives(self, campaign: Campaign) -> Beliefs:
        """Never asked, for nothing is explored."""
        raise LookupError("nothing was learned")

    def factors(self, campaign: str) -> tuple[float, float]:
        """Answer 1 and 1."""
        return 1.0, 1.0

    def limit(self, campaign: str, price_micros: int) -> float:
        """Answer 0."""
        return 0.0

    def exploring(self, campaign: str, expected_micros: float) -> None:
        """Forget it."""


def _one_pace(_: str) -> float:
    return 1.0


class Prices:
    """Prices candidates and chooses arms.

    model: answers the released model of values, None without one. pace: of a campaign. rng: draws
    from posteriors and among arms. `learned` False is the kill switch: standard bids and no arms;
    `explores` False takes the best known arm always.
    """

    def __init__(
        self,
        clock: Clock,
        lessons: Lessons | None = None,
        model: Callable[[], BiddingModel | None] | None = None,
        pace: Callable[[str], float] = _one_pace,
        rng: np.random.Generator | None = None,
    ) -> None:
        self._clock = clock
        self._lessons: Lessons | None = lessons
        self._told: Lessons = lessons or Untaught()
        self._untaught = Untaught()
        self._model = model or _nothing
        self._pace = pace
        self._blank = no_model()
        self._laid_out = (self._blank, ready_of(self._blank))
        self._scenes: dict[tuple[Any, ...], Scene] = {}
        rng = rng or np.random.default_rng()
        self._normal = _pool(rng.standard_normal)
        self._uniform = _pool(rng.random)
        self.learned = True
        self.explores = True

    def fill(self, table: PriceTable) -> None:
        """Fill in what moves: worth, online factors, paces."""
        model, told, pace = self._current(), self._told, self._pace
        ready = self._ready()
        if table.model is not ready:
            table.ask(ready)

        def moving(campaign: str) -> tuple[float, float, float, float]:
            return model.worth_of(campaign), *told.factors(campaign), pace(campaign)

        table.fill(moving)

    def price(
        self,
        auction: Auction,
        opportunity: Opportunity,
        asked: F64,
        table: PriceTable,
        known: KnownUser = NOBODY,
        *,
        best_alone: bool = False,
    ) -> Priced:
        """Answer the prices of candidates of one impression.

        asked: float64[n, columns of models.bidding.pricing.ASKED]. best_alone: only the best
        line's rows need bids.
        """
        told = self._told if self.learned else self._untaught
        landscape, model = told.landscape, self._ready()
        scene = self._scene(auction, opportunity, float(asked[0, 3]), landscape)
        if scene.model is not model:
            scene.model, scene.said = model, model.scene(scene.codes)
        if table.model is not model:
            table.ask(model)
        if scene.landscape is not landscape:
            places = np.array(scene.key, np.int32)
            scene.moments = moments_at(landscape.weights, landscape.covariance, places)
            scene.sure = told.landscape_confidence(scene.key)
            scene.landscape = landscape
        person = _BLANK.copy()
        if known.scores:
            for place, name in enumerate(SCORES):
                score = known.scores.get(name)
                # Anything that is no probability says nothing.
                if score is not None and 0.0 <= score <= 1.0:
                    person[place] = score
        if known.numbers is not None:
            person[len(SCORES) :] = known.numbers
        unit = told.scale_of(auction.currency)
        sure = scene.sure if unit > 0 else 0.0
        rows, best = price_rows(
            model.trees,
            scene.said,
            person,
            (table.rows, table.patterns),
            asked,
            (
                int(auction.at), landscape.law, scene.moments, next(self._normal),
                next(self._normal), sure if self.learned else -1.0, _log(unit),
            ),
            best_alone,
        )  # fmt: skip
        return Priced(rows.tolist(), best, scene)

    def choose(
        self,
        auction: Auction,
        campaign: Campaign,
        arms: Sequence[int],
        priced: tuple[Sequence[float], float, Scene],
        cost: int,
    ) -> Arm:
        """Choose among creatives (their places among the campaign's active ones) and multipliers.

        priced: the best creative's row, the floor and the scene. cost: micros of the campaign's
        currency that the bid may cost. Without trust in the price its multiplier is 1.
        """
        row, floor, scene = priced
        value = row[VALUE]
        features = (min(floor / value, 1.0) if value > 0 else 1.0, *scene.clock)
        lessons = self._lessons
        several, priceable = len(arms) > 1, row[CONFIDENCE] >= TRUSTED
        if lessons is None or not self.learned or not (several or priceable):
            return Arm(0, 1.0, arm_of(arms[0], NEUTRAL), features=features)
        name = campaign.campaign
        limit = lessons.limit(name, cost) if self.explores else 0.0
        drawn = draw_arms(
            lessons.creatives(campaign) if several else _NO_BELIEFS,
            np.array(arms, np.int64),
            lessons.multipliers(auction.exchange, name) if priceable else _NO_BELIEFS,
            np.array((1.0, *features)),
            lessons.policy_numbers,
            (limit, next(self._uniform), next(self._uniform)),
        )
        creative, times, propensity, greedy = drawn
        if times < 0:
            times = NEUTRAL
        number = arm_of(arms[creative], times)
        return Arm(creative, MULTIPLIERS[times], number, propensity, greedy, features)

    def explored(self, campaign: str, cost: int, row: Sequence[float]) -> None:
        """Note that another arm than the best known was bid. cost: micros that it may cost."""
        if self._lessons is not None:
            self._lessons.exploring(campaign, cost * row[CHANCE])

    def memo(self, priced: Sequence[float], scene: Scene, arm: Arm) -> Memo:
        """Answer what the bid's token is to bring back; a price that was agreed teaches nothing
        of prices. Without a model no chance was foretold, so that none is held against it."""
        foretold = (0.0, 0.0) if self._laid_out[0] is self._blank else (priced[2], priced[3])
        return Memo(
            scene.key, int(priced[1]), *foretold, arm.features, arm.greedy, scene.buckets,
        )  # fmt: skip

    def _current(self) -> BiddingModel:
        return (self._model() if self.learned else None) or self._blank

    def _ready(self) -> ReadyModel:
        """Answer the model in use, laid out; once a release."""
        model = self._current()
        if model is not self._laid_out[0]:
            self._laid_out = (model, ready_of(model))
        return self._laid_out[1]

    def _scene(
        self, auction: Auction, opportunity: Opportunity, floor: float, landscape: Landscape
    ) -> Scene:
        place, spot = auction.place, opportunity.spots[0]
        hour = self._clock() // HOUR_MS % HOURS
        step = round(math.log2(floor)) if floor >= 1 else -1
        size = spot.sizes[0] if spot.sizes else None
        key = (
            auction.exchange, place.domain or place.bundle, spot.media, size, place.device,
            place.system, place.country, hour, step, landscape.buckets,
        )  # fmt: skip
        found = self._scenes.get(key)
        if found is None:
            if len(self._scenes) >= _KEPT:
                self._scenes.clear()
            words = self._words(auction, opportunity, hour)
            places = landscape.places({**words, "floor": floor_word(floor)})
            turn = 2 * math.pi * hour / HOURS
            found = self._scenes[key] = Scene(
                words,
                np.array([code_of(name, words[name]) for name in SHARED], np.int64),
                tuple(places.tolist()),
                (math.sin(turn), math.cos(turn)),
                landscape.buckets,
            )
        return found

    def _words(self, auction: Auction, opportunity: Opportunity, hour: int) -> dict[str, str]:
        place, spot = auction.place, opportunity.spots[0]
        size = spot.sizes[0] if spot.sizes else None
        return {
            "exchange": auction.exchange,
            "site": place.domain or place.bundle,
            "media": spot.media.value,
            "size": f"{size.w}x{size.h}" if size else "",
            "device": DEVICES.get(place.device, ("",))[0],
            "os": place.system,
            "country": place.country,
            "hour": f"{hour:02d}",
        }


def _nothing() -> None:
    return None


@lru_cache(maxsize=256)
def _log(unit: float) -> float:
    return math.log(unit) if unit > 0 else 0.0


def _pool(draw: Callable[[int], Any]) -> Iterator[float]:
    """Yield random numbers one by one; drawn by thousands, for one costs as much as many."""
    while True:
        yield from draw(_POOL).tolist()
