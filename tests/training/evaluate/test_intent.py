"""The judge: metrics by hand, intervals over users, accuracy beside the majority's."""

import numpy as np
import pytest

from training.evaluate.intent import (
    EVENTS,
    Rows,
    accuracy,
    balanced_accuracy,
    judge_events,
    measure_rows,
    share_of_gap,
)
from training.evaluate.probabilities import auc, average_precision

Y = np.array([1, 1, 0, 0, 0, 0, 0, 0, 0, 0], np.uint8)
P = np.array([0.9, 0.1, 0.6, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1])


def test_accuracies_by_hand():
    assert accuracy(Y, P, 0.5) == pytest.approx(0.8)
    assert balanced_accuracy(Y, P, 0.5) == pytest.approx((1 / 2 + 7 / 8) / 2)
    assert balanced_accuracy(Y, P, 0.05) == pytest.approx(0.5)


def test_weights_are_rows_said_again():
    weight = np.array([2, 1, 0, 3, 1, 1, 1, 1, 1, 1], np.float64)
    again = np.repeat(np.arange(10), weight.astype(int))
    for measured in (accuracy, balanced_accuracy):
        assert measured(Y, P, 0.5, weight) == pytest.approx(measured(Y[again], P[again], 0.5))


def test_balanced_accuracy_needs_both_answers():
    assert np.isnan(balanced_accuracy(np.zeros(3, np.uint8), np.zeros(3), 0.5))


def rows(n=2000, seed=0, users=100):
    rng = np.random.default_rng(seed)
    p = rng.beta(1, 8, n)
    y = (rng.random(n) < p).astype(np.uint8)
    return Rows(y, rng.integers(0, users, n), {"model": p, "blind": np.full(n, y.mean())})


def test_everybody_is_measured_on_the_same_rows():
    table = rows()
    found = measure_rows(table, 0.11, rounds=50)
    p = table.scores["model"]
    assert found["auc"].value == auc(table.y, p)
    assert found["average_precision"].value == average_precision(table.y, p)
    assert found["rows"].value == 2000
    assert found["blind_auc"].value == 0.5
    assert found["blind_balanced_accuracy"].value == 0.5
    assert found["log_loss"].value < found["blind_log_loss"].value


def test_always_no_reaches_the_majority_accuracy():
    table = rows()
    scores = {"model": table.scores["model"], "majority": np.full(2000, table.y.mean())}
    found = measure_rows(table._replace(scores=scores), float(table.y.mean()), rounds=20)
    never = measure_rows(table._replace(scores={"model": np.zeros(2000)}), 0.1, rounds=20)
    assert never["accuracy"].value == found["majority_accuracy"].value
    assert found["majority_accuracy"].value == pytest.approx(1 - found["base_rate"].value)


def test_intervals_hold_their_value_and_widen_with_fewer_users():
    few, many = rows(users=5), rows(users=1000)
    wide, narrow = (measure_rows(one, 0.11, rounds=100)["auc"] for one in (few, many))
    for metric in (wide, narrow):
        assert metric.low <= metric.value <= metric.high
    assert narrow.low < narrow.high


def test_intervals_repeat_themselves():
    one, other = (measure_rows(rows(), 0.11, rounds=20, seed=3) for _ in range(2))
    assert one == other


def test_each_event_is_judged_alone():
    table = rows()
    position = np.tile([1, 2, 3, 5], 500)
    found = judge_events(table, position, 0.11, rounds=10)
    at = position == 3
    assert found["event_3_auc"].value == auc(table.y[at], table.scores["model"][at])
    assert found["event_10_rows"].value == 0
    assert "event_10_auc" not in found
    assert "event_2_auc" not in found
    assert {name.split("_")[1] for name in found} == {str(event) for event in EVENTS}


def test_one_answer_only_gives_no_area_but_no_error():
    table = Rows(np.zeros(4, np.uint8), np.arange(4), {"model": np.full(4, 0.1)})
    found = measure_rows(table, 0.5, rounds=5)
    assert np.isnan(found["auc"].value)
    assert found["accuracy"].value == 1.0


@pytest.mark.parametrize(
    ("score", "floor", "best", "share"),
    [(0.7, 0.6, 0.8, 0.5), (0.8, 0.6, 0.8, 1), (0.5, 0.6, 0.8, -0.5)],
)
def test_share_of_the_gap(score, floor, best, share):
    assert share_of_gap(score, floor, best) == pytest.approx(share)


def test_without_a_gap_there_is_no_share():
    assert np.isnan(share_of_gap(0.7, 0.8, 0.8))
