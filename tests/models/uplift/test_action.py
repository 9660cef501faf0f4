"""Contact only where the lower end pays; sleeping dogs are left alone and listed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.uplift.action import (
    ACTIONS,
    Action,
    Terms,
    actions_of,
    recommended_action,
    sleeping_dogs,
)

NAN = float("nan")


@pytest.mark.parametrize(
    ("low", "high", "value", "cost", "action"),
    [
        (0.05, 0.10, 100.0, 4.0, Action.contact),
        (0.05, 0.10, 100.0, 5.0, Action.contact),
        (0.05, 0.10, 100.0, 5.1, Action.wait),
        (-0.01, 0.30, 1e6, 0.0, Action.wait),
        (0.00, 0.10, 100.0, 0.0, Action.wait),
        (-0.20, -0.01, 100.0, 0.0, Action.leave_alone),
        (-0.20, 0.00, 100.0, 0.0, Action.wait),
        (0.05, 0.10, 0.0, 0.0, Action.wait),
        (0.05, 0.10, NAN, 1.0, Action.wait),
        (NAN, NAN, 100.0, 1.0, Action.wait),
    ],
)
def test_what_is_recommended(low, high, value, cost, action):
    assert recommended_action(low, high, value, cost) is action


ends = st.floats(-1, 1) | st.just(NAN)


@given(
    st.lists(st.tuples(ends, ends, st.floats(0, 1e6) | st.just(NAN)), max_size=20),
    st.floats(0, 1e4),
)
def test_many_are_told_what_each_would_be_told(rows, cost):
    low, high, value = (
        (np.array(column, float) for column in zip(*rows, strict=True))
        if rows
        else (np.empty(0) for _ in range(3))
    )
    many = [ACTIONS[place] for place in actions_of(low, high, value, cost)]
    assert many == [recommended_action(one, two, worth, cost) for one, two, worth in rows]


def test_one_value_may_stand_for_everyone():
    low, high = np.array([0.1, 0.001]), np.array([0.2, 0.2])
    assert [ACTIONS[n] for n in actions_of(low, high, 10.0, 0.5)] == [Action.contact, Action.wait]


def test_sleeping_dogs_are_listed_the_surest_first():
    high = np.array([0.1, -0.01, np.nan, -0.3, 0.0])
    assert sleeping_dogs(high).tolist() == [3, 1]
    assert sleeping_dogs(np.array([0.1])).tolist() == []


def test_terms_are_amounts():
    assert Terms().checked() == (1.0, 0.0)
    for wrong in (Terms(-1, 0), Terms(1, -1), Terms(float("inf"), 0), Terms(1, NAN)):
        with pytest.raises(ValueError, match="amounts"):
            wrong.checked()
