"""Auctions against a loop that takes one at a time; notices tell what their exchange tells."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.training.evaluate.auction.markets import bare, small
from training.evaluate.auction.competitors import Competitor
from training.evaluate.auction.episode import play, settle
from training.evaluate.auction.market import FIRST_PRICE, SECOND_PRICE
from training.evaluate.auction.players import Constant


def oracle(bid, others, floor, at):
    """One auction, naively: everybody in a list, sorted; ties are not ours."""
    if bid <= 0 or bid < floor:
        return False, 0.0
    rivals = sorted((other for other in others if other > 0), reverse=True)
    if rivals and rivals[0] >= bid:
        return False, 0.0
    second = max([floor, *rivals])
    return True, bid if at == FIRST_PRICE else second


amounts = st.sampled_from([0.0, 1.0, 2.0, 3.0, 5.0, 8.0])


@given(
    st.lists(st.tuples(amounts, st.lists(amounts, min_size=3, max_size=3), amounts), min_size=1),
    st.sampled_from([FIRST_PRICE, SECOND_PRICE]),
)
@settings(max_examples=200)
def test_auctions_are_those_of_the_naive_loop(auctions, at):
    bids, others, floor = (np.array(column) for column in zip(*auctions, strict=True))
    won, paid, to_beat = settle(bids, others, floor, at)
    for row, one in enumerate(auctions):
        assert (bool(won[row]), paid[row]) == oracle(*one, at)
        assert to_beat[row] == max([one[2], *one[1]])


class Listener:
    """Bids a constant and keeps what it is told."""

    def __init__(self, multiplier=1.0):
        self.multiplier, self.heard, self.seen = multiplier, [], []

    def bid(self, opening):
        self.seen.append(opening)
        return opening.value * self.multiplier

    def learn(self, opening, told):
        self.heard.append(told)


def test_surplus_and_spend_by_hand():
    market = bare([4000.0, 6000.0, 9000.0], [[1000.0], [7000.0], [2000.0]], [0.0, 0.0, 8500.0])
    first = play(market, Constant(0.5))
    assert first.won.tolist() == [True, False, False]
    assert first.surplus == pytest.approx(2.0)
    assert first.spend.tolist() == [2.0]
    assert first.expected_conversions == pytest.approx(0.1)
    assert first.conversions == 1
    second = play(market._replace(settings=bare([1.0], [[1.0]], [0.0], at=2).settings), Constant())
    assert second.won.tolist() == [True, False, True]
    assert second.paid.tolist() == [1000.0, 0.0, 8500.0]


def test_the_minimum_is_told_by_those_exchanges_that_tell_it():
    market, player = small(), Listener()
    play(market, player)
    minimum = np.concatenate([told.minimum for told in player.heard])
    assert np.isfinite(minimum[market.exchange == 0]).all()
    assert np.isnan(minimum[market.exchange == 1]).all()
    np.testing.assert_allclose(minimum[market.exchange == 0], market.to_beat[market.exchange == 0])


def test_conversions_are_told_once_and_late():
    market, player = small(a_minute=60.0, delay=30.0), Listener()
    episode = play(market, player)
    told = [one.conversions for one in player.heard]
    in_time = episode.won & market.converts & (market.told_at < 240)
    assert sum(told) == in_time.sum()
    assert sum(told[:5]) < sum(told[-5:])
    assert episode.conversions > sum(told)


def test_a_player_sees_each_auction_once_and_not_the_others():
    market, player = small(), Listener()
    play(market, player)
    np.testing.assert_array_equal(np.concatenate([one.value for one in player.seen]), market.value)
    assert not hasattr(player.seen[0], "others")


def test_bids_that_are_none_win_nothing():
    class Broken(Listener):
        def bid(self, opening):
            return np.full(len(opening.value), [np.nan, np.inf, -1.0][opening.slot % 3])

    episode = play(small(), Broken())
    assert not episode.won.any()
    assert episode.surplus == 0.0


def test_a_pid_competitor_holds_its_budget_and_reacts_to_us():
    field = (Competitor("pid", 1.0, 0.2, 0.9, budget=2.0), Competitor("shaded", 0.7, 0.3, 0.6))
    market = small(slots=600, a_minute=30.0, competitors=field)
    silent, loud = (play(market, Constant(one)) for one in (0.0, 1.5))
    assert loud.won.mean() > 0.5
    assert not silent.won.any()
    without = small(slots=600, a_minute=30.0, competitors=(field[0], field[1]))
    assert play(without, Constant(0.6)).won.mean() > 0.05
