"""Controlled replays against a replay by hand and a market whose answer is known."""

import numpy as np
import pytest

from models.bidding.control import Gains, State, controlled
from training.evaluate.controlled_replay import (
    Trace,
    rounds_of,
    run_rounds,
    settles_at,
    tune,
    worlds_of,
)

GAINS = Gains(p=25.0, i=0.3, d=0.5, start=0.0, low=-2.0, high=2.0, prior=1.0)


def market(n=20_000, seed=0):
    rng = np.random.default_rng(seed)
    prices = np.round(rng.lognormal(4.0, 0.8, n))
    chance = np.clip(rng.lognormal(-4.0, 1.0, n), 1e-4, 0.5)
    return prices, (rng.random(n) < chance).astype(float), chance


def test_a_round_buys_what_is_below_the_limit():
    prices, clicks, chance = market(1000)
    rounds = rounds_of(prices, clicks, chance, 7)
    trace = run_rounds(rounds, np.arange(7), GAINS, 2_000.0)
    cost = seen = 0.0
    state = State(0.0, 0.0, 0.0)
    for turn, part in enumerate(np.array_split(np.arange(1000), 7)):
        limit = 2_000.0 * np.exp(state.phi)
        won = part[prices[part] < limit * chance[part]]
        cost, seen = cost + prices[won].sum(), seen + clicks[won].sum()
        assert trace.cost[turn] == pytest.approx(cost)
        assert trace.clicks[turn] == seen
        state = controlled(GAINS, state, 2_000.0, cost, seen)


def test_what_a_click_costs_ends_at_the_reference():
    rounds = rounds_of(*market(), 40)
    for reference in (1_000.0, 1_500.0, 2_000.0):
        trace = run_rounds(rounds, np.arange(40), GAINS, reference)
        assert settles_at(trace, reference) <= 30
        assert trace.cost[-1] / trace.clicks[-1] == pytest.approx(reference, rel=0.1)


def test_settling_counts_from_the_last_time_outside():
    cost = np.array([100.0, 105.0, 130.0, 104.0, 96.0])
    assert settles_at(Trace(cost, np.ones(5)), 100.0) == 3
    assert settles_at(Trace(cost, np.ones(5)), 130.0) == 5
    assert settles_at(Trace(np.full(5, 100.0), np.ones(5)), 100.0) == 0
    assert settles_at(Trace(np.full(5, 200.0), np.ones(5)), 100.0, 1.0) == 0
    assert settles_at(Trace(np.array([50.0, 100.0]), np.array([0.0, 1.0])), 100.0) == 1


def test_tuning_takes_the_gains_that_hold_most_often():
    rounds = rounds_of(*market(), 20)
    asleep = GAINS._replace(p=0.0, i=0.0, d=0.0, start=2.0)
    found = tune(rounds, 1_500.0, [asleep, GAINS], worlds_of(20, 10, 0), by=18, least=10)
    assert found.gains == GAINS
    assert found.holds > 0.8
    assert found.clicks > 10


def test_worlds_are_the_same_for_the_same_seed():
    one, other = worlds_of(8, 3, 5), worlds_of(8, 3, 5)
    assert len(one) == 3 + 2
    assert all((a == b).all() for a, b in zip(one, other, strict=True))
    assert one[-1].tolist() == [4, 5, 6, 7, 0, 1, 2, 3]
