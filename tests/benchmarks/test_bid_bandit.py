"""The bandit benchmark in small: its worlds are as rich as they say, its bars can be missed."""

import numpy as np
import pytest

from benchmarks import bid_bandit
from benchmarks.harness import Arguments
from models.bandits.bandit import BanditSettings
from models.bandits.policies import Epsilon


@pytest.mark.parametrize(("low", "high"), bid_bandit.RATES.values())
def test_a_world_pays_what_it_says(low, high):
    world = bid_bandit.draw(3, low, high, steps=20_000)
    assert world.chance.mean() == pytest.approx(low, rel=0.05)
    assert world.chance.max(1).mean() == pytest.approx(high, rel=0.05)
    assert world.reward.mean() == pytest.approx(low, rel=0.05)
    assert world.x.shape == (20_000, 8)


def test_the_same_seed_is_the_same_world():
    one, two = (bid_bandit.draw(7, 0.4, 0.8, steps=50) for _ in range(2))
    np.testing.assert_array_equal(one.reward, two.reward)
    assert not np.array_equal(one.x, bid_bandit.draw(8, 0.4, 0.8, steps=50).x)


def test_choosing_by_lot_wins_nothing_and_learning_wins_much():
    world = bid_bandit.draw(5, 0.4, 0.8, steps=2_000)
    lot = BanditSettings(10, 9, policy=Epsilon(1.0))
    assert bid_bandit.share(world, lot, 0) == pytest.approx(0.0, abs=0.06)
    assert bid_bandit.share(world, BanditSettings(10, 9), 0) > 0.65


def test_an_interval_over_seeds():
    mean, low, high = bid_bandit.spread_of([0.1, 0.2, 0.3, 0.4])
    assert mean == pytest.approx(0.25)
    assert 0.1 < low < 0.25 < high < 0.4


def test_every_figure_is_there_and_bars_can_be_missed(monkeypatch):
    monkeypatch.setattr(bid_bandit, "STEPS", 300)
    short = bid_bandit.draw

    def quick(seed, low, high):
        return short(seed, low, high, 300)

    monkeypatch.setattr(bid_bandit, "draw", quick)
    outcome = bid_bandit.run(Arguments(runs=2))
    for name in ("dense", "sparse"):
        key = f"{name}_share"
        assert outcome.figures[f"{key}_low"] <= outcome.figures[key]
        assert outcome.figures[f"{name}_least"] <= outcome.figures[key]
        assert f"{name}_capped" in outcome.figures
    assert outcome.figures["seeds"] == 2
    assert not outcome.holds, "three hundred choices are not enough to learn eighty weights"
    assert [bar.name for bar in outcome.bars] == ["dense_share", "sparse_share"]
