"""Known rates and delays come back although many conversions have not come yet."""

import numpy as np
import pytest

from training.fit.bidding.delays import FASTEST_MS, SLOWEST_MS, correct, to_come

HOUR = 3_600_000.0


def clicks(rate, delay, span, n=40_000, seed=0):
    """Clicks spread evenly over `span` ms until now; only what came by now is seen."""
    rng = np.random.default_rng(seed)
    age = rng.random(n) * span
    converts, after = rng.random(n) < rate, rng.exponential(delay, n)
    converted = converts & (after < age)
    return converted, np.where(converted, after, age), converts


def everybody(labels):
    return np.full(len(labels), labels.mean())


@pytest.mark.parametrize(("rate", "delay_hours"), [(0.1, 12), (0.3, 24), (0.05, 48)])
def test_a_known_rate_and_delay_come_back(rate, delay_hours):
    converted, waited, _ = clicks(rate, delay_hours * HOUR, 72 * HOUR)
    assert converted.mean() < 0.9 * rate
    found = correct(converted, waited, everybody)
    assert found.labels.mean() == pytest.approx(rate, rel=0.12)
    assert found.delay == pytest.approx(delay_hours * HOUR, rel=0.15)


def test_rates_of_groups_come_back_where_the_newer_group_looks_worse():
    one = clicks(0.1, 20 * HOUR, 200 * HOUR, seed=1)
    other = clicks(0.2, 20 * HOUR, 20 * HOUR, seed=2)
    converted, waited = (np.r_[a, b] for a, b in zip(one[:2], other[:2], strict=True))
    group = np.repeat([0, 1], 40_000)
    assert converted[group == 1].mean() < converted[group == 0].mean()

    def by_group(labels):
        return (np.bincount(group, labels) / np.bincount(group))[group]

    labels = correct(converted, waited, by_group).labels
    assert labels[group == 0].mean() == pytest.approx(0.1, rel=0.1)
    assert labels[group == 1].mean() == pytest.approx(0.2, rel=0.15)


def test_labels_mean_what_they_say_for_those_who_wait():
    converted, waited, converts = clicks(0.3, 24 * HOUR, 72 * HOUR)
    labels = correct(converted, waited, everybody).labels
    for low, high in ((0, 12), (12, 36), (36, 72)):
        waits = ~converted & (waited >= low * HOUR) & (waited < high * HOUR)
        assert labels[waits].mean() == pytest.approx(converts[waits].mean(), abs=0.02)


def test_old_clicks_need_no_correction():
    converted, waited, converts = clicks(0.2, 1 * HOUR, 10_000 * HOUR)
    assert correct(converted, waited, everybody).labels.mean() == pytest.approx(
        converts.mean(), rel=0.01
    )


def test_after_the_window_nothing_comes():
    converted = np.array([True, False, False])
    waited = np.array([5 * HOUR, 5 * HOUR, 30 * HOUR])
    labels = correct(converted, waited, everybody, window=24 * HOUR).labels
    assert labels[0] == 1.0
    assert 0 < labels[1] < 1
    assert labels[2] == 0.0


def test_without_a_conversion_nothing_is_made_up():
    found = correct(np.zeros(5, bool), np.full(5, HOUR), everybody)
    assert found.labels.tolist() == [0.0] * 5
    assert found.delay == SLOWEST_MS


def test_delays_stay_within_limits():
    at_once = correct(np.ones(5, bool), np.zeros(5), everybody)
    assert at_once.delay == FASTEST_MS


def test_the_chance_that_is_left_by_hand():
    assert to_come(np.array([0.5]), np.array([HOUR]), HOUR)[0] == pytest.approx(
        0.5 / np.e / (0.5 + 0.5 / np.e)
    )


def test_nobody_converts_before_the_click():
    with pytest.raises(ValueError, match="before the click"):
        correct(np.ones(1, bool), np.array([-1.0]), everybody)
