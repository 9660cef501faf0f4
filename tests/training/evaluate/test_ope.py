"""Off-policy estimators by hand on tiny tables, on logs whose truth is known, and bad logs."""

import numpy as np
import pytest

from domain.errors import TooLittleData
from training.evaluate.ope import (
    ESTIMATORS,
    Estimate,
    Log,
    crossfit,
    evaluate,
    gains,
    interval,
    switch_at,
    verdict,
)

WEIGHT = np.array([2.0, 0.0, 1.0, 5.0])
REWARD = np.array([1.0, 1.0, 0.0, 1.0])
Q = np.array([0.5, 0.2, 0.4, 0.9])
V = np.array([0.6, 0.3, 0.4, 0.5])


@pytest.mark.parametrize(
    ("name", "by_hand"),
    [
        ("ips", (2 + 0 + 0 + 5) / 4),
        ("snips", 7 / 8),
        ("dm", 1.8 / 4),
        ("dr", (0.6 + 2 * 0.5 + 0.3 + 0.4 - 0.4 + 0.5 + 5 * 0.1) / 4),
    ],
)
def test_by_hand(name, by_hand):
    assert ESTIMATORS[name](WEIGHT, REWARD, Q, V)[0] == pytest.approx(by_hand)


def test_influences_are_about_the_value():
    for name, estimator in ESTIMATORS.items():
        value, influence = estimator(WEIGHT, REWARD, Q, V)
        if name == "snips":
            share = WEIGHT / WEIGHT.sum()
            slope = WEIGHT * (REWARD - value) / WEIGHT.mean()
            assert influence * (1 - np.minimum(share, 0.5)) == pytest.approx(slope)
            assert slope.mean() == pytest.approx(0.0)
        else:
            assert influence.mean() == pytest.approx(value)


def test_switch_is_doubly_robust_up_to_its_threshold_and_the_model_beyond():
    n = 400
    weight = np.where(np.arange(n) < 4, 300.0, 0.5)
    reward, q, v = np.tile([1.0, 0.0], n // 2), np.full(n, 0.2), np.full(n, 0.3)
    threshold = switch_at(weight, reward, q)
    kept = weight <= threshold
    value = ESTIMATORS["switch"](weight, reward, q, v)[0]
    assert value == pytest.approx((v + weight * kept * (reward - q)).mean())
    assert switch_at(np.ones(50), reward[:50], q[:50]) == 1.0


def test_the_interval_without_skew_is_the_usual_one():
    values = np.concatenate([np.full(500, -1.0), np.full(500, 1.0)])
    low, high = interval(0.0, values)
    assert high == pytest.approx(1.96 / np.sqrt(1000), rel=5e-3)
    assert low == pytest.approx(-high)
    assert interval(3.0, np.ones(10)) == (3.0, 3.0)


def test_the_interval_of_rare_rewards_leans_up_and_covers():
    rng = np.random.default_rng(0)
    usual = leaning = 0
    for _ in range(1500):
        values = (rng.random(300) < 0.02) * rng.exponential(1.0, 300)
        low, high = interval(float(values.mean()), values)
        error = 1.96 * values.std(ddof=1) / np.sqrt(300)
        leaning += low <= 0.02 <= high
        usual += abs(values.mean() - 0.02) <= error
    assert leaning > usual
    assert leaning / 1500 > 0.9
    assert high - values.mean() > values.mean() - low


def test_few_large_values_are_few_observations():
    """Symmetric values, so that only the quantile differs from the usual one."""
    rare, often = np.zeros(1000), np.tile([1.0, -1.0], 500)
    rare[:6] = [50.0, -50.0] * 3
    for values, ratio in ((rare, 1.1), (often, 1.0)):
        low, high = interval(float(values.mean()), values)
        usual = 2 * 1.96 * values.std(ddof=1) / np.sqrt(1000)
        assert ratio - 0.01 < (high - low) / usual < ratio + 0.15


def world(rng, n, sharp=1.0):
    """Three arms in two dimensions: a log by a soft policy, target's odds and its true value."""
    x = rng.normal(size=(n, 2))
    weights = np.array([[1.0, 0.0], [-1.0, 0.5], [0.0, -1.0]])
    p = 1 / (1 + np.exp(-(x @ weights.T - 1)))
    logging = np.exp(sharp * x @ weights[::-1].T)
    logging /= logging.sum(1, keepdims=True)
    logging = 0.9 * logging + 0.1 / 3
    odds = np.exp(2 * x @ weights.T)
    odds /= odds.sum(1, keepdims=True)
    arm = (rng.random((n, 1)) > logging.cumsum(1)).sum(1).clip(0, 2)
    at = np.arange(n)
    reward = (rng.random(n) < p[at, arm]).astype(float)
    return Log(x, arm, logging[at, arm], reward), odds, float((odds * p).sum(1).mean())


def test_intervals_cover_and_the_robust_are_narrower():
    rng = np.random.default_rng(1)
    truth = world(rng, 400_000)[2]
    inside = dict.fromkeys(ESTIMATORS, 0)
    width = dict.fromkeys(ESTIMATORS, 0.0)
    for _ in range(200):
        log, odds, _ = world(rng, 800)
        for name, found in evaluate(log, odds, crossfit(log, 3)).items():
            inside[name] += found.low <= truth <= found.high
            width[name] += found.high - found.low
    for name in ("ips", "snips", "dr", "switch"):
        assert inside[name] >= 180, name
    assert width["dr"] < width["ips"]
    assert width["snips"] < width["ips"]


def test_the_policy_that_logged_is_valued_at_its_mean():
    log, _, _ = world(np.random.default_rng(2), 500)
    odds = np.zeros((500, 3))
    odds[np.arange(500), log.arm] = log.propensity
    rest = (1 - log.propensity) / 2
    odds[odds == 0] = np.repeat(rest, 2)
    found = evaluate(log, odds, crossfit(log, 3))
    for name in ("ips", "snips"):
        assert found[name].value == pytest.approx(log.reward.mean())
        assert found[name].effective == pytest.approx(500)


def test_predictions_have_not_seen_their_row():
    log, _, _ = world(np.random.default_rng(3), 200)
    before = crossfit(log, 3)
    changed = log.reward.copy()
    changed[10] = 1 - changed[10]
    after = crossfit(Log(log.x, log.arm, log.propensity, changed), 3)
    # the scale of the noise is shared; beyond it, rows of the same fold do not hear of it
    assert np.abs(after[10] - before[10]).max() < 2e-3
    assert np.abs(after[11] - before[11]).max() > 1e-3


def test_predictions_find_what_is_linear():
    rng = np.random.default_rng(4)
    x, arm = rng.normal(size=(3000, 2)), rng.integers(0, 4, 3000)
    truth = x @ rng.normal(size=(2, 4)) + np.arange(4.0)
    reward = truth[np.arange(3000), arm] + rng.normal(size=3000) * 0.1
    log = Log(x, arm, np.full(3000, 0.25), reward)
    assert np.abs(crossfit(log, 4) - truth).mean() < 0.1


def good(n=30):
    return {
        "x": np.zeros((n, 2)), "arm": np.zeros(n, int),
        "propensity": np.full(n, 0.5), "reward": np.ones(n),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        ({"propensity": np.zeros(30)}, "propensities"),
        ({"propensity": np.full(30, 1.2)}, "propensities"),
        ({"propensity": np.full(30, np.nan)}, "propensities"),
        ({"reward": np.full(30, np.nan)}, "rewards"),
        ({"arm": np.zeros(29, int)}, "equally long"),
    ],
)
def test_a_log_that_is_none_is_refused(spoil, says):
    with pytest.raises(ValueError, match=says):
        Log(**{**good(), **spoil})


def test_a_handful_of_choices_says_nothing():
    with pytest.raises(TooLittleData):
        Log(**good(5))


@pytest.mark.parametrize(
    "odds",
    [
        np.full((30, 2), 0.6),
        np.full((30, 2), np.nan),
        np.tile([1.5, -0.5], (30, 1)),
        np.ones((9, 1)),
    ],
)
def test_odds_that_are_none_are_refused(odds):
    with pytest.raises(ValueError, match="odds"):
        evaluate(Log(**good()), odds, np.zeros_like(odds))


def test_an_arm_without_odds_is_refused():
    log = Log(**{**good(), "arm": np.full(30, 7)})
    with pytest.raises(ValueError, match="no odds"):
        evaluate(log, np.full((30, 2), 0.5), np.zeros((30, 2)))


def test_release_wants_both_lower_bounds():
    good_one, poor = Estimate(0.6, 0.5, 0.7, 99), Estimate(0.6, 0.4, 0.8, 99)
    assert verdict({"snips": good_one, "dr": good_one}, 0.5).release
    refused = verdict({"snips": good_one, "dr": poor}, 0.5)
    assert not refused.release
    assert refused.reasons == ("dr is 0.4 at the least, the current policy earns 0.5",)
    nothing = Estimate(float("nan"), float("nan"), float("nan"), 0)
    assert len(verdict({"snips": nothing, "dr": nothing}, 0.5).reasons) == 2


def test_a_choice_of_rows():
    log = Log(**good(40))
    assert len(log.rows(np.arange(25)).reward) == 25


def test_a_policy_that_chooses_the_same_gains_nothing_for_certain():
    rng = np.random.default_rng(8)
    reward = rng.random(400)
    log = Log(rng.normal(size=(400, 2)), np.zeros(400, int), np.ones(400), reward)
    found = gains(log, np.ones((400, 1)), crossfit(log, 1))
    for name in ("snips", "dr"):
        assert abs(found[name].low) < 1e-12
        assert abs(found[name].high) < 1e-12


def test_a_gain_is_the_difference_and_surer_than_both_apart():
    """Arm 1 earns .1 more than arm 0, drawn evenly: always arm 1 gains .05."""
    rng = np.random.default_rng(9)
    n = 4_000
    arm = rng.integers(0, 2, n)
    reward = 0.5 + 0.1 * arm + rng.normal(0, 0.02, n)
    log = Log(rng.normal(size=(n, 2)), arm, np.full(n, 0.5), reward)
    odds = np.tile([0.0, 1.0], (n, 1))
    predicted = crossfit(log, 2)
    found, apart = gains(log, odds, predicted), evaluate(log, odds, predicted)
    for name in ("snips", "dr"):
        assert found[name].value == pytest.approx(apart[name].value - reward.mean())
        assert found[name].low < 0.05 < found[name].high
        assert found[name].low > 0.04
