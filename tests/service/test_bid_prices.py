"""Prices put together: what was learned is looked up, what is switched off is not."""

import math
from typing import Any

import numpy as np
import pytest

from domain.campaigns import Aim, Campaign, Objective
from domain.clock import FixedClock
from domain.currencies import REFERENCE
from models.bandits.beliefs import Beliefs, frozen
from models.bandits.policies import Epsilon, Thompson
from models.bidding.arms import MULTIPLIERS, NEUTRAL, WIDTH
from models.bidding.columns import SHARED
from models.bidding.landscape import Landscape, columns_of
from models.bidding.pricing import BID, CHANCE, CONFIDENCE, TABLE, VALUE
from service.bid_prices import Arm, Prices, Untaught
from service.known_user import KnownUser
from service.openrtb.gathering import Gatherer
from service.openrtb.table import lay_out
from tests.models.bidding.test_model import model
from tests.service.openrtb.making import auction, creative, imp, line_of

NOW = FixedClock(1_790_000_000_000)
CPM = {"objective": Objective(Aim.cpm, 3_000_000)}
BUCKETS = 4


def landscape(location: float = math.log(1e6), deviation: float = 0.0) -> Landscape:
    weights = np.zeros(columns_of(BUCKETS) + 1)
    weights[0], weights[-1] = location, math.log(0.5)
    covariance = np.zeros((len(weights), len(weights)))
    covariance[0, 0] = deviation**2
    return Landscape(0, weights, covariance, BUCKETS)


def beliefs(*levels: float) -> Beliefs:
    mean = np.zeros((len(levels), WIDTH))
    mean[:, 0] = levels
    return frozen(mean, np.tile(np.eye(WIDTH) * 1e-6, (len(levels), 1, 1)), 10.0)


class Taught(Untaught):
    """Lessons as a test wants them."""

    def __init__(self, **chosen: Any) -> None:
        super().__init__()
        self.landscape = landscape()
        self.policy_numbers = Thompson().numbers
        self.sure, self.unit, self.most = 0.9, 1.0, 0.0
        self.kept = beliefs(0.1, 0.1, 0.2, 0.1, 0.1)
        self.clicks = beliefs(-3.0, -1.0)
        self.noted: list[tuple[str, float]] = []
        for name, value in chosen.items():
            setattr(self, name, value)

    def landscape_confidence(self, places: Any) -> float:
        return self.sure

    def scale_of(self, currency: str) -> float:
        return self.unit

    def multipliers(self, exchange: str, campaign: str) -> Beliefs:
        return self.kept

    def creatives(self, campaign: Campaign) -> Beliefs:
        return self.clicks

    def factors(self, campaign: str) -> tuple[float, float]:
        return 2.0, 1.0

    def limit(self, campaign: str, price_micros: int) -> float:
        return self.most

    def exploring(self, campaign: str, expected_micros: float) -> None:
        self.noted.append((campaign, expected_micros))


def priced(prices: Prices, offered: Any = None, known: Any = None, **parts: Any) -> Any:
    lines, table = lay_out([line_of(**{**CPM, **parts})])
    prices.fill(table)
    gatherer = Gatherer(lines)
    offered = offered or auction(imp(), at=1)
    found = gatherer.gather(offered, np.zeros(1, np.int32), REFERENCE)
    assert found is not None
    return prices.price(
        offered, offered.opportunities[0], found.asked.copy(), table, known or KnownUser()
    )


def test_untaught_a_first_price_bid_is_the_standard_bid() -> None:
    (row,) = priced(Prices(NOW)).rows
    assert (row[BID], row[CONFIDENCE], row[CHANCE]) == (2_000_000, 0.0, 0.0)


def test_a_known_landscape_shades_what_is_sure() -> None:
    (row,) = priced(Prices(NOW, Taught())).rows
    assert 0 < row[BID] < row[VALUE] == 3_000_000
    assert 0 < row[CHANCE] < 1
    dearer = priced(Prices(NOW, Taught(landscape=landscape(math.log(2e6))))).rows[0]
    assert dearer[BID] > row[BID]


def test_bids_are_drawn_from_the_posterior_by_the_random_numbers_given() -> None:
    def bids(seed: int) -> list[float]:
        wide = Taught(landscape=landscape(deviation=0.4))
        prices = Prices(NOW, wide, rng=np.random.default_rng(seed))
        return [priced(prices).rows[0][BID] for _ in range(5)]

    assert bids(1) == bids(1) != bids(2)
    assert len(set(bids(1))) == 5


def test_an_unknown_currency_leaves_prices_unknown() -> None:
    assert priced(Prices(NOW, Taught(unit=0.0))).rows[0][BID] == 2_000_000


def test_switched_off_nothing_that_was_learned_is_used() -> None:
    prices = Prices(NOW, Taught(), model)
    prices.learned = False
    for at in (1, 2):
        assert priced(prices, auction(imp(), at=at)).rows[0][BID] == 2_000_000


def test_a_model_values_by_who_is_asked_about() -> None:
    loaded = model()
    prices = Prices(NOW, model=lambda: loaded)
    goal = {"objective": Objective(Aim.cpc, 100_000)}
    keen, dull = (
        priced(prices, auction(imp(), at=2), KnownUser(scores={"intent": p}), **goal).rows[0]
        for p in (0.9, 0.1)
    )
    assert keen[CONFIDENCE] > 0.5
    assert keen[VALUE] > dull[VALUE]
    nonsense = KnownUser(scores={"intent": math.nan})
    nobody = priced(prices, auction(imp(), at=2), **goal).rows[0]
    assert priced(prices, auction(imp(), at=2), nonsense, **goal).rows[0] == nobody


def test_paces_and_factors_reach_the_table() -> None:
    _, table = lay_out([line_of(**CPM)])
    Prices(NOW, Taught(), pace=lambda campaign: 0.5).fill(table)
    assert table.rows[0, TABLE.index("pace")] == 0.5
    assert table.rows[0, TABLE.index("click")] == 2.0
    (row,) = priced(Prices(NOW, pace=lambda campaign: 0.5), auction(imp(), at=2)).rows
    assert row[BID] == 1_500_000


def test_a_scene_has_the_words_that_training_reads() -> None:
    offered = auction(
        imp(bidfloor=1), at=2, site={"domain": "News.example"},
        device={"devicetype": 4, "os": "iOS", "geo": {"country": "DEU"}},
    )._replace(exchange="north")  # fmt: skip
    prices = Prices(NOW)
    scene = priced(prices, offered).scene
    assert tuple(scene.words) == SHARED
    assert scene.words == {
        "exchange": "north", "site": "news.example", "media": "banner", "size": "300x250",
        "device": "phone", "os": "ios", "country": "DEU", "hour": f"{NOW() // 3_600_000 % 24:02d}",
    }  # fmt: skip
    assert priced(prices, offered).scene is scene
    other = offered.place._replace(country="FRA")
    assert priced(prices, offered._replace(place=other)).scene is not scene


ROW = [2_000_000.0, 3_000_000.0, 0.01, 0.1, 0.9, 0.5, 3_000_000.0]
TWO = line_of(creative(), creative(creative="cr-2"), **CPM).campaign


def chosen(prices: Prices, arms: list[int], row: list[float] = ROW) -> Arm:
    scene = priced(prices).scene
    return prices.choose(auction(imp(), at=1), TWO, arms, (row, 300_000.0, scene), 2_000)


def test_the_best_known_arms_are_chosen_where_nothing_may_be_explored() -> None:
    found = chosen(Prices(NOW, Taught()), [0, 1])
    assert (found.creative, found.times, found.propensity, found.greedy) == (1, 1.0, 1.0, True)
    assert found.number == 1 * len(MULTIPLIERS) + NEUTRAL
    assert found.features[0] == pytest.approx(0.1)
    assert math.hypot(*found.features[1:]) == pytest.approx(1.0)


def test_switched_off_scenes_are_of_the_landscape_that_is_used() -> None:
    wide = np.zeros(columns_of(64) + 1)
    prices = Prices(NOW, Taught(landscape=Landscape(0, wide, np.eye(len(wide)), 64)))
    prices.learned = False
    found = priced(prices)
    buckets = Untaught().landscape.buckets
    assert max(found.scene.key) < columns_of(buckets)
    assert prices.memo(found.rows[0], found.scene, Arm()).buckets == buckets


def test_what_is_explored_is_noted_with_what_it_may_cost() -> None:
    lessons = Taught(most=1.0, policy_numbers=Epsilon(1.0).numbers)
    prices = Prices(NOW, lessons, rng=np.random.default_rng(3))
    found = [chosen(prices, [0, 1]) for _ in range(60)]
    explored = [one for one in found if not one.greedy]
    assert 0 < len(explored) < 60
    assert lessons.noted == []
    prices.explored("c-1", 2_000, ROW)
    assert lessons.noted == [("c-1", 2_000 * 0.5)]
    assert {one.times for one in found} == set(MULTIPLIERS)
    prices.explores = False
    assert all(chosen(prices, [0, 1]).greedy for _ in range(20))


def test_an_untrusted_price_is_not_multiplied() -> None:
    prices = Prices(NOW, Taught(most=1.0, policy_numbers=Epsilon(1.0).numbers))
    doubted = [*ROW[:4], 0.4, *ROW[5:]]
    assert {chosen(prices, [0, 1], doubted).times for _ in range(20)} == {1.0}
    assert chosen(prices, [0], doubted) == Arm(
        0, 1.0, NEUTRAL, features=chosen(prices, [0]).features
    )


def test_without_lessons_or_switched_off_there_are_no_arms() -> None:
    off = Prices(NOW, Taught(most=1.0))
    off.learned = False
    for prices in (Prices(NOW), off):
        found = chosen(prices, [1])
        assert (found.times, found.number, found.propensity) == (1.0, len(MULTIPLIERS) + 2, 1.0)


def test_a_memo_brings_back_what_was_believed() -> None:
    prices = Prices(NOW, Taught())
    found = priced(prices)
    memo = prices.memo(found.rows[0], found.scene, Arm(greedy=False, features=(0.1, 0.2, 0.3)))
    assert (memo.value, memo.greedy, memo.features) == (3_000_000, False, (0.1, 0.2, 0.3))
    assert (memo.places, memo.buckets) == (found.scene.key, BUCKETS)


def test_a_memo_without_a_model_says_nothing_of_chances() -> None:
    prices = Prices(NOW, Taught())
    found = priced(prices)
    memo = prices.memo(found.rows[0], found.scene, Arm())
    assert (memo.click, memo.conversion) == (0.0, 0.0)
    loaded = model()
    with_model = Prices(NOW, Taught(), lambda: loaded)
    found = priced(with_model)
    assert with_model.memo(found.rows[0], found.scene, Arm()).click == found.rows[0][2] > 0
