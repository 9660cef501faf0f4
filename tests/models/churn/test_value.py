import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.churn.value import (
    Action,
    estimate,
    expected_loss,
    recommended_action,
    survival_value,
)


def test_loss_is_chance_times_value():
    assert expected_loss([0.5, 0.1, 0.9], [100.0, 0.0, -20.0]).tolist() == [50.0, 0.0, 0.0]


def test_survival_value_by_hand():
    survival = np.array([[0.9, 0.5], [1.0, 1.0]])
    assert survival_value(survival, [10.0, 20.0]) == pytest.approx([14.0, 40.0])
    wanted = [10 * (0.9 / 1.1 + 0.5 / 1.21), 20 * (1 / 1.1 + 1 / 1.21)]
    assert survival_value(survival, [10.0, 20.0], 0.1) == pytest.approx(wanted)


def test_survival_value_of_a_constant_hazard_is_a_geometric_sum():
    survival = 0.8 ** np.arange(1, 400)[None]
    assert survival_value(survival, 1.0, 0.05)[0] == pytest.approx(0.8 / (1.05 - 0.8))


def test_a_discount_that_destroys_more_than_all_is_refused():
    with pytest.raises(ValueError, match="above -1"):
        survival_value(np.ones((1, 2)), 1.0, -1.0)


def test_estimate_by_hand():
    found = estimate(
        [0.9, 0.5, 0.4, math.nan, 0.8], [100, 50, 10, 5, math.nan], 0.5, cost=2, success=0.3
    )
    assert (found.reach, found.left_out) == (2, 2)
    assert found.leavers == pytest.approx(1.4)
    assert found.saved == pytest.approx(0.42)
    assert found.cost == 4.0
    assert found.profit == pytest.approx(0.3 * (90 + 25) - 4)


rows = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1e4)), min_size=1, max_size=40)


@given(rows, st.floats(0, 1), st.floats(0, 1), st.floats(0, 10))
def test_estimate_equals_a_loop_and_shrinks_with_the_threshold(pairs, one, other, cost):
    low, high = sorted([one, other])
    wide, narrow = (estimate(*zip(*pairs, strict=True), t, cost=cost) for t in (low, high))
    assert narrow.reach <= wide.reach
    assert narrow.leavers <= wide.leavers + 1e-9
    wanted = sum(p * value - cost for p, value in pairs if p >= low)
    assert wide.profit == pytest.approx(wanted, abs=1e-6)


def test_nobody_above_the_threshold_costs_nothing():
    assert estimate([0.1], [5.0], 0.9, cost=3.0) == (0, 0.0, 0.0, 0.0, 0.0, 0)


@pytest.mark.parametrize(
    ("threshold", "terms"),
    [(1.1, {}), (math.nan, {}), (0.5, {"success": 2}), (0.5, {"cost": -1})],
)
def test_impossible_terms_are_refused(threshold, terms):
    with pytest.raises(ValueError, match="0 to 1"):
        estimate([0.5], [1.0], threshold, **terms)


@pytest.mark.parametrize(
    ("low", "middle", "high", "value", "cost", "action", "why"),
    [
        (0.05, 0.10, None, 100.0, 4.0, "contact", "pays"),
        (0.05, 0.10, None, 100.0, 5.0, "none", "not_proven"),
        (-0.01, 0.20, None, 1e6, 0.0, "none", "not_proven"),
        (0.0, 0.2, None, 100.0, 0.0, "none", "not_proven"),
        (-0.30, -0.20, None, 100.0, 1.0, "leave_alone", "sleeping_dog"),
        (-0.30, -0.10, None, 100.0, 1.0, "none", "not_proven"),
        (-0.30, -0.10, -0.05, 100.0, 1.0, "leave_alone", "sleeping_dog"),
        (0.05, 0.10, None, -50.0, 0.0, "none", "not_proven"),
        (None, None, None, 100.0, 1.0, "none", "no_uplift"),
        (0.1, 0.2, None, math.nan, 1.0, "none", "no_uplift"),
    ],
)
def test_contact_only_when_the_lower_bound_pays(low, middle, high, value, cost, action, why):
    found = recommended_action(low, middle, value, cost, uplift_high=high)
    assert (found.action, found.why) == (Action(action), why)


def test_advice_says_what_is_certain_to_be_gained():
    assert recommended_action(0.05, 0.1, 100.0, 2.0).least_gain == pytest.approx(3.0)
    assert recommended_action(None, None, 100.0, 2.0).least_gain is None
