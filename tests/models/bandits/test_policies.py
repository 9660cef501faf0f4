"""Policies are typed values that travel as JSON and refuse what makes no sense."""

import numpy as np
import pytest

from models.bandits.choosing import EPSILON, LINUCB, SQUARECB, THOMPSON
from models.bandits.policies import (
    POLICIES,
    Epsilon,
    LinUCB,
    SquareCB,
    Thompson,
    params_of,
    policy_of,
)


def test_each_policy_is_five_numbers_of_its_kind():
    kinds = {"epsilon": EPSILON, "thompson": THOMPSON, "squarecb": SQUARECB, "linucb": LINUCB}
    assert set(kinds) == set(POLICIES)
    for name, policy in POLICIES.items():
        numbers = policy().numbers
        assert numbers.shape == (5,)
        assert numbers[0] == kinds[name]
        assert not numbers.flags.writeable
    assert Thompson(0.5, 0.02).numbers.tolist() == [THOMPSON, 0.5, 0, 0, 0.02]
    assert SquareCB(1, 2, 3, 0.04).numbers.tolist() == [SQUARECB, 1, 2, 3, 0.04]


@pytest.mark.parametrize(
    "policy", [Thompson(0.7), SquareCB(2.0, 0.25), LinUCB(1.5), Epsilon(0.1)], ids=repr
)
def test_a_policy_comes_back_from_its_params(policy):
    assert policy_of(params_of(policy)) == policy


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"kind": "greedy"},
        {"kind": "thompson", "depth": 1.0},
        {"kind": "thompson", "width": -1.0},
        {"kind": "thompson", "width": float("nan")},
        {"kind": "thompson", "floor": 0.5},
        {"kind": "epsilon", "share": 1.5},
    ],
)
def test_what_is_no_policy_is_refused(params):
    with pytest.raises(ValueError, match=r"polic|share|floor"):
        policy_of(params)


def test_a_policy_is_a_value():
    assert Thompson() == Thompson()
    assert Thompson() != Thompson(1.0)
    assert len({LinUCB(), LinUCB(), Epsilon()}) == 2
    assert np.array_equal(Epsilon(0.3).numbers, Epsilon(0.3).numbers)
