"""Upper bounds by hand and by brute force; no player that keeps the rules earns more."""

from itertools import product

import numpy as np
import pytest

from tests.training.evaluate.auction.markets import bare, small
from training.evaluate.auction.episode import play
from training.evaluate.auction.hindsight import MULTIPLIERS, best_constant, constant, hindsight
from training.evaluate.auction.players import Constant


def test_a_constant_beforehand_is_the_constant_that_plays():
    market = small(1)
    for multiplier in (0.3, 0.8):
        played, known = play(market, Constant(multiplier)), constant(market, multiplier)
        assert known.surplus == pytest.approx(played.surplus)
        assert known.spend == pytest.approx(played.spend.sum())
        assert known.conversions == pytest.approx(played.expected_conversions)


def test_the_best_constant_is_the_best_of_those_tried():
    market = small(2)
    best = best_constant(market)
    assert best.surplus == max(constant(market, float(one)).surplus for one in MULTIPLIERS)
    assert 0.1 < best.multiplier < 1.0
    tight = best_constant(market, best.spend / 3)
    assert tight.spend <= best.spend / 3
    assert 0 < tight.surplus < best.surplus
    assert best_constant(market, -1.0).surplus == 0.0


def test_in_second_price_the_truth_is_best():
    assert best_constant(small(3, at=2)).multiplier == pytest.approx(1.0, abs=0.12)


def test_hindsight_by_hand():
    market = bare([4000.0, 6000.0, 9000.0], [[1000.0], [7000.0], [2000.0]], [0.0, 0.0, 8500.0])
    assert hindsight(market) == pytest.approx(3.0 + 0.5)
    assert hindsight(market, 1.0) == pytest.approx(3.0)
    assert hindsight(market, 0.5) == pytest.approx(1.5)
    assert hindsight(market, 0.0) == 0.0


def test_no_choice_of_auctions_within_the_budget_earns_more():
    rng = np.random.default_rng(4)
    value, price = rng.uniform(1e3, 9e3, 10), rng.uniform(1e3, 9e3, 10)
    market = bare(list(value), [[one] for one in price], [0.0] * 10)
    budget = 12.0
    best = max(
        (np.array(take) * (value - price)).sum() / 1000
        for take in product([0, 1], repeat=10)
        if (np.array(take) * price).sum() / 1000 <= budget
    )
    assert best <= hindsight(market, budget) + 1e-9
    assert hindsight(market, budget) < best * 1.3


@pytest.mark.parametrize("at", [1, 2])
def test_hindsight_bounds_every_constant(at):
    market = small(5, at=at)
    assert hindsight(market) >= best_constant(market).surplus
    budget = best_constant(market).spend / 2
    assert hindsight(market, budget) >= best_constant(market, budget).surplus
