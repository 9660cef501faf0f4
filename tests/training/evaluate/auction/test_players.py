"""Players that learn come near what is best, bid within the rules, and learn from notices only."""

import numpy as np
import pytest

from tests.training.evaluate.auction.markets import small
from training.evaluate.auction.episode import Opening, play
from training.evaluate.auction.hindsight import best_constant, hindsight
from training.evaluate.auction.players import ARMS, Constant, Landscaped, Multipliers


@pytest.fixture(scope="module")
def market():
    return small(7, a_minute=24.0, slots=300)


def later(episode, half):
    """Surplus of the second half of the auctions."""
    market = episode.market
    gained = np.where(episode.won, market.value - episode.paid, 0.0)
    return gained[half:].sum()


def test_a_learned_landscape_ends_near_or_above_the_best_constant(market):
    episode = play(market, Landscaped(np.random.default_rng(0), buckets=8))
    half = len(market.value) // 2
    best = play(market, Constant(best_constant(market).multiplier))
    assert later(episode, half) > 0.93 * later(best, half)
    assert episode.surplus < hindsight(market)


def test_bids_are_between_floor_and_value(market):
    rng = np.random.default_rng(0)
    for player in (Landscaped(rng, buckets=8), Multipliers(rng, 8)):
        opening = Opening(
            0, market.hour[:200], market.exchange[:200], market.site[:200],
            market.floor[:200], market.value[:200], market.chance[:200],
        )  # fmt: skip
        bids = player.bid(opening)
        bidding = bids > 0
        assert bidding.any()
        assert (bids <= opening.value + 1e-6).all()
        assert (bids[bidding] >= opening.floor[bidding] - 1e-6).all()


def test_a_slot_without_auctions_is_no_trouble():
    empty = np.zeros(0)
    opening = Opening(0, *(empty.astype(int) for _ in range(3)), empty, empty, empty)
    for player in (Landscaped(np.random.default_rng(0)), Multipliers(np.random.default_rng(0), 8)):
        assert len(player.bid(opening)) == 0


def test_the_bandit_learns_which_multiplier_pays(market):
    player = Multipliers(np.random.default_rng(1), 8)
    episode = play(market, player)
    half = len(market.value) // 2
    best = play(market, Constant(best_constant(market).multiplier))
    lot = np.mean([later(play(market, Constant(float(one))), half) for one in ARMS])
    assert later(episode, half) > 0.85 * later(best, half) > 1.1 * lot
    assert 0 < player.explored < player.spent
    assert player.spent == pytest.approx(episode.spend.sum())


def test_only_notices_teach(market):
    """Prices of auctions that were not entered reach nobody: no bid, nothing learned."""
    player = Landscaped(np.random.default_rng(2), buckets=8)
    dear = market._replace(floor=2.0 * market.value)
    assert not play(dear, player).won.any()
    assert player.landscape_ is not None
    assert np.allclose(player.landscape_.weights[1:-1], 0.0)
