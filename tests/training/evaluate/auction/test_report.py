"""Reports say what happened, and a picture is drawn without a display."""

import numpy as np
import pytest

from domain.campaigns import Pacing
from models.bidding.pacing import plan
from tests.training.evaluate.auction.markets import small
from training.evaluate.auction.episode import play
from training.evaluate.auction.hindsight import best_constant, hindsight
from training.evaluate.auction.pacers import Paced
from training.evaluate.auction.players import Constant
from training.evaluate.auction.report import picture, report


def test_the_best_constant_regrets_nothing_but_hindsight():
    market = small(1)
    best = best_constant(market)
    found = report(play(market, Constant(best.multiplier)))
    assert found.constant_regret == pytest.approx(0.0)
    assert found.hindsight_regret == pytest.approx(hindsight(market) - best.surplus)
    assert found.cpa == pytest.approx(best.spend / best.conversions)
    assert 0 < found.wins < 1
    assert found.plan_error == 0.0


def test_with_a_plan_regret_is_within_its_budget():
    market = small(2)
    one = plan(0.3 * best_constant(market).spend, Pacing.even, 0, 240, 60)
    found = report(play(market, Paced(Constant(0.5), one)), one)
    assert abs(found.plan_error) < 0.1
    assert found.hindsight_regret < hindsight(market)
    assert found.spend <= one.budget


def test_whoever_never_bids_has_no_cost_a_conversion():
    found = report(play(small(3), Constant(0.0)))
    assert np.isnan(found.cpa)
    assert found.surplus == found.spend == found.wins == 0.0
    assert found.constant_regret > 0


def test_a_picture_is_drawn(tmp_path):
    market = small(4)
    one = plan(best_constant(market).spend / 2, Pacing.front, 0, 240, 60)
    player = Paced(Constant(0.6), one)
    episode = play(market, player)
    picture(tmp_path / "one.png", episode, one, player.path)
    picture(tmp_path / "two.png", episode, None, [])
    for name in ("one.png", "two.png"):
        assert (tmp_path / name).read_bytes()[:4] == b"\x89PNG"
