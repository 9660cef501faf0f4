"""Click curves on made-up auctions whose clicks depend on the price in a known way."""

import numpy as np
import pytest

from training.fit.bidding.click_curve import (
    ClickCurve,
    Shape,
    blocks,
    choose_shape,
    columns,
    fit_curve,
)

PLAIN, PRICED = Shape(), Shape(price=True)


def auctions(weight, n=60_000, seed=0):
    """Clicks with log-odds 0.8 × predicted + weight × log price."""
    rng = np.random.default_rng(seed)
    predicted = 1 / (1 + np.exp(-rng.normal(-4.0, 1.0, n)))
    price = np.round(rng.lognormal(3.5, 0.8, n))
    odds = 0.8 * np.log(predicted / (1 - predicted)) + weight * (np.log(price + 5) - 4)
    clicks = (rng.random(n) < 1 / (1 + np.exp(-odds))).astype(float)
    return predicted, price, clicks


def test_slope_and_price_come_back():
    curve = fit_curve(PRICED, *auctions(0.5))
    assert curve.weights[1:] == pytest.approx([0.8, 0.5], abs=0.12)


def test_likelihood_finds_the_price_when_it_matters():
    shapes = (PLAIN, PRICED, Shape((-1.0, 1.0, 3.0), False, 3.0))
    found, scores = choose_shape(*auctions(0.6), shapes, 5)
    assert found == PRICED
    assert scores[PRICED] > scores[PLAIN] + 10


def test_without_a_price_the_bid_is_the_worth_of_the_chance():
    curve = ClickCurve(PLAIN, np.array([-4.0, 1.0]))
    asked = np.array([0.0002, 0.001, 0.01])
    bids = curve.bids(asked, 5_000.0, np.full(200, 1 / 200))
    worth = 5_000 * curve.chance(asked, np.zeros(3))
    # Half a tick between the last price that pays and the first that does not.
    assert np.abs(bids - np.minimum(np.floor(worth) + 0.5, 199.5)).max() <= 0.5


def test_the_bid_gains_as_much_as_any_other():
    curve = fit_curve(PRICED, *auctions(0.5, 20_000))
    prices = np.random.default_rng(1).dirichlet(np.ones(120))
    asked, worth = np.array([0.003, 0.02, 0.1]), 800.0
    bids = curve.bids(asked, worth, prices)
    for predicted, bid in zip(asked, bids, strict=True):
        each = np.arange(120.0)
        gain = prices * (worth * curve.chance(np.full(120, predicted), each) - each)
        reached = np.concatenate([[0.0], np.cumsum(gain)])
        assert reached[int(np.ceil(bid))] == pytest.approx(reached.max())


def test_winning_cheaply_says_that_it_is_worth_less():
    curve = ClickCurve(PRICED, np.array([-4.0, 1.0, 0.5]))
    cheap, dear = curve.chance([0.01, 0.01], [5.0, 200.0])
    assert cheap < dear


def test_columns_bend_at_knots():
    shape = Shape((1.0,), True)
    x = columns(shape, 1 / (1 + np.exp(-np.array([-8.5, -6.5]))), np.array([0.0, 15.0]))
    np.testing.assert_allclose(x[:, 1], [0.0, 2.0], atol=1e-9)
    np.testing.assert_allclose(x[:, 2], [0.0, 1.0], atol=1e-9)
    np.testing.assert_allclose(x[:, 3], np.log([5.0, 20.0]) - 4)


def test_stretches_hold_every_row_once_in_order():
    parts = blocks(23, 5)
    assert np.concatenate(parts).tolist() == list(range(23))
