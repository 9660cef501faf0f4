"""Prices of candidates: what was learned, looked up and handed to the compiled call; then the arms.

Beside it stand the released model of values, what notices taught (landscape, online factors,
beliefs about arms) and the paces; any of them may be missing. Knows nothing of the wire, of budgets
or of where any of it was learned.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from domain.campaigns import Campaign
from domain.clock import HOUR_MS, Clock
from domain.opportunities import Auction, Opportunity
from models.bandits.choosing import choose
from models.bandits.sites import LINEAR, LOGISTIC
from models.bidding.arms import MULTIPLIERS, NEUTRAL, arm_of
from models.bidding.beliefs import Beliefs
from models.bidding.columns import SCORES, SHARED, common_row
from models.bidding.landscape import Landscape, floor_word
from models.bidding.market import prior_landscape
from models.bidding.memo import Memo
from models.bidding.model import BiddingModel, no_model
from models.bidding.pricing import CONFIDENCE, price_rows
from models.bidding.value import TRUSTED
from service.known_user import NOBODY, KnownUser
from service.openrtb.table import PriceTable
from service.openrtb.traits import DEVICES

F64 = npt.NDArray[np.float64]
HOURS = 24
_KEPT = 16_384
_POOL = 4_096
_FIRST_SCORE = len(SHARED)
_FIRST_NUMBER = _FIRST_SCORE + len(SCORES)
_EVEN = np.ones(0, np.float64)
_ALL = np.ones(0, np.bool_)


class Scene(NamedTuple):
    """An impression's context, ready to be priced in.

    words: as they are logged and learned from. common: float64[COMMON] of nobody known. key,
    places: of the landscape. clock: sine and cosine of the hour.
    """

    words: Mapping[str, str]
    common: F64
    key: tuple[int, ...]
    places: npt.NDArray[np.int32]
    clock: tuple[float, float]


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
        self._scenes: dict[tuple[Any, ...], Scene] = {}
        rng = rng or np.random.default_rng()
        self._normal = _pool(rng.standard_normal)
        self._uniform = _pool(rng.random)
        self.learned = True
        self.explores = True

    def fill(self, table: PriceTable) -> None:
        """Fill in what moves: worth, online factors, paces."""
        model, told, pace = self._current(), self._told, self._pace

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
    ) -> Priced:
        """Answer the prices of candidates of one impression.

        asked: float64[n, columns of models.bidding.pricing.ASKED].
        """
        told = self._told if self.learned else self._untaught
        landscape = told.landscape
        floor = float(asked[0, 3])
        scene = self._scene(auction, opportunity, floor, landscape.buckets)
        common = scene.common.copy()
        for place, name in enumerate(SCORES, _FIRST_SCORE):
            score = known.scores.get(name)
            if score is not None:
                common[place] = score
        if known.numbers is not None:
            common[_FIRST_NUMBER:] = known.numbers
        click, conversion, numbers, variance, categories = self._current().kernel
        unit = told.scale_of(auction.currency)
        rows, best = price_rows(
            click,
            conversion,
            numbers,
            (variance, categories),
            common,
            table.rows,
            asked,
            (
                int(auction.at), landscape.law, landscape.weights, landscape.covariance,
                scene.places, next(self._normal), next(self._normal),
                self._trust(told, scene, unit), _log(unit),
            ),
        )  # fmt: skip
        return Priced(rows.tolist(), best, scene)

    def _trust(self, told: Lessons, scene: Scene, unit: float) -> float:
        """Answer how sure the landscape is of a scene; below 0 nothing at all is trusted."""
        if not self.learned:
            return -1.0
        return told.landscape_confidence(scene.key) if unit > 0 else 0.0

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
        value = row[1]
        features = (min(floor / value, 1.0) if value > 0 else 1.0, *scene.clock)
        lessons = self._lessons
        several, priceable = len(arms) > 1, row[CONFIDENCE] >= TRUSTED
        if lessons is None or not self.learned or not (several or priceable):
            return Arm(0, 1.0, arm_of(arms[0], NEUTRAL), features=features)
        name = campaign.campaign
        limit = lessons.limit(name, cost) if self.explores else 0.0
        # Two choices share what may be explored.
        limit *= 0.5 if several and priceable else 1.0
        x = np.array((1.0, *features))
        creative, times, chance, greedy = 0, NEUTRAL, 1.0, True
        if several:
            beliefs = lessons.creatives(campaign)
            allowed = np.zeros(len(beliefs.mean), np.bool_)
            allowed[list(arms)] = True
            arm, best, odds = self._draw(beliefs, x, allowed, LOGISTIC, limit)
            if arm >= 0:
                creative, chance, greedy = arms.index(arm), odds, arm == best
        if priceable:
            beliefs = lessons.multipliers(auction.exchange, name)
            arm, best, odds = self._draw(beliefs, x, _ALL, LINEAR, limit)
            if arm >= 0:
                times, chance, greedy = arm, chance * odds, greedy and arm == best
        if not greedy:
            lessons.exploring(name, cost * row[5])
        return Arm(
            creative, MULTIPLIERS[times], arm_of(arms[creative], times), chance, greedy, features
        )

    def _draw(
        self, beliefs: Beliefs, x: F64, allowed: npt.NDArray[np.bool_], kind: int, limit: float
    ) -> tuple[int, int, float]:
        """Answer the arm drawn, the best known, and the chance with which the first was drawn."""
        odds = np.empty(len(beliefs.mean))
        arm, best = choose(
            beliefs.mean, beliefs.covariance, x, _EVEN, allowed, kind, self._told.policy_numbers,
            beliefs.outcomes, limit, next(self._uniform), odds,
        )  # fmt: skip
        return arm, best, float(odds[arm]) if arm >= 0 else 0.0

    def memo(self, priced: Sequence[float], scene: Scene, arm: Arm) -> Memo:
        """Answer what the bid's token is to bring back; a price that was agreed teaches nothing
        of prices."""
        return Memo(
            scene.key, int(priced[1]), priced[2], priced[3], arm.features, arm.greedy,
            self._told.landscape.buckets,
        )  # fmt: skip

    def _current(self) -> BiddingModel:
        return (self._model() if self.learned else None) or self._blank

    def _scene(
        self, auction: Auction, opportunity: Opportunity, floor: float, buckets: int
    ) -> Scene:
        place, spot = auction.place, opportunity.spots[0]
        hour = self._clock() // HOUR_MS % HOURS
        step = round(math.log2(floor)) if floor >= 1 else -1
        size = spot.sizes[0] if spot.sizes else None
        key = (
            auction.exchange, place.domain or place.bundle, spot.media, size, place.device,
            place.system, place.country, hour, step, buckets,
        )  # fmt: skip
        found = self._scenes.get(key)
        if found is None:
            if len(self._scenes) >= _KEPT:
                self._scenes.clear()
            found = self._scenes[key] = self._made(auction, opportunity, floor, hour)
        return found

    def _made(self, auction: Auction, opportunity: Opportunity, floor: float, hour: int) -> Scene:
        place, spot = auction.place, opportunity.spots[0]
        size = spot.sizes[0] if spot.sizes else None
        words = {
            "exchange": auction.exchange,
            "site": place.domain or place.bundle,
            "media": spot.media.value,
            "size": f"{size.w}x{size.h}" if size else "",
            "device": DEVICES.get(place.device, ("",))[0],
            "os": place.system,
            "country": place.country,
            "hour": f"{hour:02d}",
        }
        places = self._told.landscape.places({**words, "floor": floor_word(floor)})
        turn = 2 * math.pi * hour / HOURS
        return Scene(
            words, common_row(words), tuple(places.tolist()), places,
            (math.sin(turn), math.cos(turn)),
        )  # fmt: skip


def _nothing() -> None:
    return None


@lru_cache(maxsize=256)
def _log(unit: float) -> float:
    return math.log(unit) if unit > 0 else 0.0


def _pool(draw: Callable[[int], Any]) -> Iterator[float]:
    """Yield random numbers one by one; drawn by thousands, for one costs as much as many."""
    while True:
        yield from draw(_POOL).tolist()
