"""A paced player keeps its plan, its target and its budget, whoever bids inside."""

import numpy as np
import pytest

from domain.campaigns import Pacing
from models.bidding.pacing import PacingSettings, plan
from tests.training.evaluate.auction.markets import small
from training.evaluate.auction.episode import play
from training.evaluate.auction.hindsight import best_constant, constant
from training.evaluate.auction.pacers import Paced
from training.evaluate.auction.players import Constant

LONG = {"a_minute": 60.0, "slots": 600}
EAGER = PacingSettings(top=5.0)


@pytest.fixture(scope="module")
def market():
    return small(11, **LONG)


def test_spend_is_the_plan(market):
    budget = 0.4 * constant(market, 0.6).spend
    shape = plan(budget, Pacing.even, 0, 600, 60)
    player = Paced(Constant(0.6), shape)
    episode = play(market, player)
    assert episode.spend.sum() == pytest.approx(budget, rel=0.02)
    spent = np.cumsum(episode.spend)
    for slot in (150, 300, 450):
        assert spent[slot] == pytest.approx(shape.by(slot + 1), rel=0.15)
    assert len(player.path) == 600
    assert player.path[-1] < 1.0


def test_a_budget_beyond_supply_is_not_forced(market):
    player = Paced(Constant(0.5), plan(1e12, Pacing.even, 0, 600, 60))
    episode = play(market, player)
    assert player.path[-1] == 1.0
    assert episode.spend.sum() == pytest.approx(constant(market, 0.5).spend)


@pytest.mark.parametrize("budget", [0.0, 5.0, 500.0])
def test_not_a_micro_is_overspent(market, budget):
    episode = play(market, Paced(Constant(1.0), plan(budget, Pacing.even, 0, 600, 60)))
    assert episode.spend.sum() <= budget


def test_a_target_alone_is_met(market):
    base = best_constant(market)
    target = 1.3 * base.spend / base.conversions
    player = Paced(Constant(0.6), plan(1e12, Pacing.even, 0, 600, 60), EAGER, target)
    episode = play(market, player)
    assert episode.spend.sum() / episode.expected_conversions == pytest.approx(target, rel=0.04)


def test_of_two_promises_the_tighter_binds(market):
    base = best_constant(market)
    target = 1.3 * base.spend / base.conversions
    budget = 0.3 * base.spend
    player = Paced(Constant(0.6), plan(budget, Pacing.even, 0, 600, 60), EAGER, target)
    episode = play(market, player)
    assert episode.spend.sum() == pytest.approx(budget, rel=0.03)
    assert episode.spend.sum() / episode.expected_conversions < target
