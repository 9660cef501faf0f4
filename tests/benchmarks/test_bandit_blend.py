"""The benchmark of moving weights in small: known truths, replayed logs, bars to be missed."""

import asyncio
from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks import bandit_blend
from benchmarks.bandit_blend import Played, Pool, World, covered, gain, log_of, play, pool_of
from benchmarks.harness import Arguments
from domain.events import KINDS
from domain.ids import hash64
from models.recommend.contexts import WIDTH
from models.recommend.mixes import ARMS, Mix, open_arms
from models.recommend.model import RecommendModel
from models.recommend.popularity import Popularity
from service.recommend_settings import RecommendSettings
from tests.models.recommend.small import graph_of


def pool(rates: dict[int, float], n: int = 200) -> Pool:
    rng = np.random.default_rng(0)
    x = np.column_stack([np.ones(n), rng.normal(size=(n, WIDTH - 1)) / 2])
    chances = np.zeros((n, len(ARMS), bandit_blend.K))
    for arm, rate in rates.items():
        chances[:, arm, :2] = rate
    mixes = [Mix(ARMS[arm], arm, np.ones(1, np.float32)) for arm in rates]
    return Pool(x, ["home"] * n, chances, open_arms(mixes))


def test_a_log_is_of_a_bandit_that_finds_the_better_mix():
    log = log_of(pool({0: 0.1, 1: 0.25}), 1, 2_000, RecommendSettings())
    assert set(log.arm.tolist()) == {0, 1}
    assert (log.arm[1_000:] == 1).mean() > 0.7
    assert log.reward[log.arm == 1].mean() == pytest.approx(0.5, abs=0.06)
    assert (log.propensity >= 0.0099).all()


def test_coverage_is_how_often_the_truth_is_inside():
    found = covered(pool({0: 0.2, 1: 0.2}), 5, 400, RecommendSettings())
    assert set(found) == set(bandit_blend.PROMISED)
    assert all(0.6 <= part <= 1.0 for part in found.values())


def test_gain_is_held_against_the_released_weights():
    played = Played(np.array([1.0, 1.0, 3.0, 3.0]), np.full(4, 2.0), np.zeros(4, np.int64))
    assert gain(played, True) == pytest.approx(0.5)
    assert gain(played, False) == pytest.approx(-0.5)


def by_hand(_history, items, _settings, _progress) -> SimpleNamespace:
    """Stand in for a fit: all want the first items, and the graph knows nothing."""
    n = len(items)
    model = RecommendModel(
        tuple(items), np.array([hash64(item) for item in items], np.uint64),
        ("popularity", "graph"), (Popularity(np.arange(n, 0, -1) ** 2.0, None), graph_of(n, {})),
        np.array([1.0, 0.5], np.float32), np.ones(KINDS, np.float32), repeats=True,
    )  # fmt: skip
    return SimpleNamespace(model=model)


def test_a_small_shop_is_played_through_the_code_of_the_service(monkeypatch):
    monkeypatch.setattr(bandit_blend, "fit", by_hand)
    world = World(3, (0, 1), items=60, shoppers=80, past_days=6, days=2, visits=60)
    played = asyncio.run(play(world, 3, RecommendSettings()))
    assert len(played.earned) == len(played.released) == 120
    assert (played.earned >= 0).all()
    assert len(set(played.arms.tolist())) > 1, "mixes were drawn"
    made = pool_of(World(3, (0, 1), items=60, days=2, visits=50), RecommendSettings(), 20)
    assert made.chances.shape == (20, len(ARMS), bandit_blend.K)
    assert made.chances[:, 0].sum() > 0


def test_every_figure_is_there_and_bars_can_be_missed(monkeypatch):
    monkeypatch.setattr(bandit_blend, "DRAWS", 2)
    monkeypatch.setattr(bandit_blend, "ROWS", 200)
    monkeypatch.setattr(bandit_blend, "OTHER_DRIFTS", ((0, 2),))
    monkeypatch.setattr(bandit_blend, "pool_of", lambda *_: pool({0: 0.1, 1: 0.2}))

    async def lost(_world, _seed, _settings):
        return Played(np.ones(4), np.full(4, 2.0), np.zeros(4, np.int64))

    monkeypatch.setattr(bandit_blend, "play", lost)
    outcome = bandit_blend.run(Arguments(runs=2), world_of=lambda *_: None)
    assert outcome.figures["gain_after_drift"] == pytest.approx(-0.5)
    assert {"gain_after_drift_low", "coverage", "gain_taste_to_habit"} <= set(outcome.figures)
    assert not outcome.holds
