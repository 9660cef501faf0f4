"""Competitors bid as their kind says, and the controller holds its spend."""

import numpy as np
import pytest

from training.evaluate.auction.competitors import (
    COMPETITORS,
    FIVE_SHADED,
    Competitor,
    Controller,
    bids_of,
)

WORTH = np.linspace(1e5, 2e6, 4_000)


def bids(kind, **given):
    one = Competitor(kind, noise=0.0, presence=1.0, **given)
    return bids_of(one, WORTH, np.random.default_rng(0))


def test_truthful_and_linear_bidders():
    np.testing.assert_allclose(bids("truthful", level=1.1), 1.1 * WORTH)
    np.testing.assert_allclose(bids("linear", shade=0.5, offset=1000.0), 0.5 * WORTH + 1000.0)
    np.testing.assert_array_equal(bids("pid"), bids("truthful"))


def test_a_shaded_bidder_turns_dear_impressions_down_more():
    part = bids("shaded", shade=0.8) / WORTH
    assert (np.diff(part) < 0).all()
    assert part.max() <= 0.8
    assert part.min() >= 0.4


def test_noise_moves_no_mean_and_presence_is_how_often_they_bid():
    one = Competitor("truthful", noise=0.5, presence=0.3)
    drawn = bids_of(one, np.full(40_000, 1e6), np.random.default_rng(1))
    assert (drawn > 0).mean() == pytest.approx(0.3, abs=0.01)
    assert drawn[drawn > 0].mean() == pytest.approx(1e6, rel=0.02)


def test_only_known_kinds():
    assert {one.kind for one in FIVE_SHADED} == {"shaded"}
    assert len(FIVE_SHADED) == 5
    assert set(COMPETITORS) == {"truthful", "linear", "shaded", "pid"}
    with pytest.raises(ValueError, match="truthful"):
        Competitor("psychic")


def test_the_controller_holds_its_spend():
    controller, rng, spends = Controller(due=10.0), np.random.default_rng(2), []
    for _ in range(600):
        spent = 25.0 * controller.multiplier**1.5 * rng.uniform(0.8, 1.2)
        spends.append(spent)
        controller.step(spent)
    assert np.mean(spends[200:]) == pytest.approx(10.0, rel=0.05)


def test_a_controller_without_a_budget_leaves_bids_alone():
    controller = Controller(due=0.0)
    controller.step(50.0)
    assert controller.multiplier == 1.0
    for _ in range(100):
        Controller(due=1.0).step(1e9)
    assert 0.05 <= controller.multiplier <= 3.0
