"""Challengers judged by their shadows, in a market whose best price is known."""

import json

import numpy as np
import polars as pl
import pytest

from domain.errors import TooLittleData
from feature_store.settings import Home
from models.bidding.arms import MULTIPLIERS, NEUTRAL
from training.evaluate.ope import Log
from training.evaluate.shadow import (
    FAMILY,
    LEAST,
    NOTHING,
    Joined,
    Shadowed,
    check_shadow,
    earned,
    join,
    odds_of,
    read_shadows,
)
from training.fit.bidding.bids import Bid, bids_of

BASE, STANDARD = 1_000_000, 1_000_000
EARNS = (2_000.0, 0.0, 0.0)
"""Being shown is worth twice the standard bid."""
WINS = dict(zip(MULTIPLIERS, (0.58, 0.62, 0.65, 0.68, 0.7), strict=True))
"""First price: paying more hardly wins more, so that the lowest multiple earns the most."""


def truth(times: float) -> float:
    return WINS[times] * (2.0 - times)


def market(n=4_000, seed=0, chances=(0.1, 0.1, 0.6, 0.1, 0.1)):
    """Bids drawn among the multipliers with these chances, and what came of them."""
    rng = np.random.default_rng(seed)
    arms = rng.choice(len(MULTIPLIERS), n, p=chances)
    return [
        Bid(
            bid=f"b{number}", at=number, entity="uada", context={}, scores={}, campaign="c",
            line="l", creative="k", auction=1, price=round(BASE * MULTIPLIERS[arm]), floor=100_000,
            shown=number + 1 if won else None, won=bool(won), arm=int(arm),
            propensity=chances[arm],
        )
        for number, arm in enumerate(arms)
        for won in [rng.random() < WINS[MULTIPLIERS[arm]]]
    ]  # fmt: skip


def shadows_of(bids, times):
    return {bid.bid: Shadowed(BASE * times, STANDARD, EARNS) for bid in bids}


def test_a_better_price_is_released_and_a_worse_one_is_not():
    bids = market()
    better, worse = (check_shadow(bids, shadows_of(bids, times)) for times in (0.8, 1.25))
    assert better.passed, better.detail
    assert not worse.passed
    assert "SNIPS" in worse.detail
    assert "DR" in worse.detail


def test_the_gain_is_the_true_one():
    current = 0.1 * sum(truth(times) for times in MULTIPLIERS) + 0.5 * truth(1.0)
    gains = []
    for seed in range(12):
        bids = market(seed=seed, n=2_000)
        detail = check_shadow(bids, shadows_of(bids, 0.8)).detail
        gains.append(float(detail.split("DR ")[1].split()[0]))
    assert np.mean(gains) == pytest.approx(truth(0.8) - current, abs=0.03)


def test_a_policy_that_bids_just_the_same_may_be_released():
    bids = market(chances=(0.0, 0.0, 1.0, 0.0, 0.0))
    check = check_shadow(bids, shadows_of(bids, 1.0))
    assert check.passed, check.detail
    assert "+0.0000 [+0.0000, +0.0000]" in check.detail


def test_bidding_nothing_loses_all_that_is_earned():
    bids = market()
    nothing = check_shadow(bids, shadows_of(bids, 0.0))
    assert not nothing.passed
    losing = {bid.bid: Shadowed(0.0, STANDARD, (0.0, 0.0, 0.0)) for bid in bids}
    assert check_shadow(bids, losing).passed, "where every win is a loss"


def test_prices_beyond_all_that_was_tried_are_not_judged():
    bids = market()
    for times in (0.5, 2.0):
        far = check_shadow(bids, shadows_of(bids, times))
        assert not far.passed
        assert "beyond" in far.detail


def test_without_enough_bids_in_shadow_nothing_is_released():
    bids = market(n=LEAST - 1)
    check = check_shadow(bids, shadows_of(bids, 0.8))
    assert (check.name, check.passed) == ("off_policy", False)
    assert "leave it the challenger" in check.detail
    assert not check_shadow([], {}).passed


@pytest.mark.parametrize(
    "change", [{"entity": ""}, {"won": None}, {"arm": -1}, {"propensity": 0.0}, {"bid": "other"}]
)
def test_bids_that_say_nothing_are_left_out(change):
    bids = market(n=LEAST)
    assert len(join(bids, shadows_of(bids, 0.8)).ratio) == LEAST
    with pytest.raises(TooLittleData):
        join([bids[0]._replace(**change), *bids[1:]], shadows_of(bids, 0.8))


def test_a_creative_s_share_is_taken_out_of_the_propensity():
    """Two creatives, drawn evenly beside the multipliers: propensities are half as large."""
    several = len(MULTIPLIERS)
    bids = [
        bid._replace(arm=bid.arm + several * (number % 2), propensity=bid.propensity / 2)
        for number, bid in enumerate(market(n=1_000))
    ]
    joined = join(bids, shadows_of(bids, 1.0))
    assert joined.log.propensity[joined.log.arm == NEUTRAL] == pytest.approx(0.6, rel=0.05)
    assert set(joined.log.arm) == set(range(several))


def test_a_campaign_s_usual_multiplier_is_the_challenger_s_too():
    bids = market(chances=(0.6, 0.1, 0.1, 0.1, 0.1))
    joined = join(bids, shadows_of(bids, 1.0))
    assert set(joined.usual) == {0}
    odds, far = odds_of(joined)
    assert not far.any()
    np.testing.assert_allclose(odds, np.eye(NOTHING + 1)[np.zeros(len(odds), int)], atol=1e-9)


def test_between_two_multiples_odds_are_shared_by_nearness():
    log = Log(np.zeros((20, 1)), np.zeros(20, int), np.ones(20), np.zeros(20))
    ratios = np.array([1.0, np.sqrt(0.9), 1.25, 0.8, 0.0, 1.3, 2.0] + [1.0] * 13)
    odds, far = odds_of(Joined(log, ratios, np.full(20, NEUTRAL)))
    np.testing.assert_allclose(odds.sum(1), 1.0)
    assert odds[0, NEUTRAL] == pytest.approx(1.0)
    assert odds[1, [1, 2]] == pytest.approx([0.5, 0.5])
    assert odds[2, 4] == pytest.approx(1.0)
    assert odds[3, 0] == pytest.approx(1.0)
    assert odds[4, NOTHING] == 1.0
    assert far[:7].tolist() == [False] * 6 + [True]


def test_what_is_earned_is_worth_less_cost_in_standard_bids():
    shadow = Shadowed(0.0, 2_000_000, (500.0, 30_000.0, 400_000.0))
    bid = market(n=LEAST)[0]._replace(shown=None, price=1_000_000)
    assert earned(bid, shadow) == 0.0
    shown = bid._replace(shown=1)
    assert earned(shown, shadow) == pytest.approx((500 - 1_000) / 2_000)
    assert earned(shown._replace(paid=400_000), shadow) == pytest.approx((500 - 400) / 2_000)
    clicked = shown._replace(clicked=2)
    assert earned(clicked, shadow) == pytest.approx((30_500 - 1_000) / 2_000)
    assert earned(clicked._replace(converted=3), shadow) == pytest.approx(429_500 / 2_000)


def write(home: Home, rows, model="v1", family=FAMILY):
    """Write decisions as the log does, as much of them as is read."""
    folder = home.decisions / "day=2025-10-09" / "bucket=000"
    folder.mkdir(parents=True, exist_ok=True)
    number = len(list(folder.iterdir()))
    frame = pl.DataFrame(
        {"family": [family] * len(rows), "model": [model] * len(rows), "request": rows}
    )
    frame.write_parquet(folder / f"{number + 1}-0_{number + 1}-9.parquet")


def row(**changes):
    plain = {"bid": "b1", "price": 900_000, "standard": 1_000_000, "earns": [1.0, 2.0, 3.0]}
    return {**plain, **changes}


def test_shadows_are_read_of_one_version_and_what_cannot_be_is_left_out(tmp_path):
    home = Home(tmp_path)
    assert read_shadows(home.decisions, "v1") == {}
    bad = [
        row(bid="b2", price=-1), row(bid="b3", price="NaN"), row(bid="b4", earns=[1.0]),
        row(bid="b5", standard=0), row(bid="", price=1), row(bid="b6", earns=None), "text",
    ]  # fmt: skip
    write(home, [json.dumps({"bids": [row(), *bad]}), "{", json.dumps({"bids": 7}), "[]"])
    write(home, [json.dumps({"bids": [row(bid="other")]})], model="v2")
    write(home, [json.dumps({"bids": [row(bid="real")]})], family="bidding")
    assert read_shadows(home.decisions, "v1") == {
        "b1": Shadowed(900_000, 1_000_000, (1.0, 2.0, 3.0))
    }


def test_bids_are_read_with_their_arms_and_chances():
    told = {"bids": [
        {"bid": "a", "price": 5, "arm": 7}, {"bid": "b", "price": 0, "arm": 1},
        {"bid": "c", "price": 6, "arm": "x"}, {"bid": "d", "price": 7},
    ]}  # fmt: skip
    logged = {
        "decision_id": "d1", "at": 1, "entity": "", "request": json.dumps(told),
        "propensities": [0.5, 0.25, 0.75],
    }  # fmt: skip
    found = [(bid.bid, bid.arm, bid.propensity) for bid in bids_of(logged)]
    assert found == [("a", 7, 0.5), ("c", -1, 0.75), ("d", -1, 0.0)]
