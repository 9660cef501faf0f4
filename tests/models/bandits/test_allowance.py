"""Exploration stays within its share of spend, however choices and prices fall."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.bandits.allowance import Allowance


@pytest.mark.parametrize("given", [{"share": -0.1}, {"share": 1.1}, {"opening_micros": -1}])
def test_what_is_no_allowance_is_refused(given):
    with pytest.raises(ValueError, match="allowance"):
        Allowance(**given)


def test_a_new_campaign_may_explore_within_its_opening():
    allowance = Allowance(0.05, 1_000)
    assert allowance.left(0, 0) == 50
    assert allowance.limit(0, 0, price=10) == 1.0
    assert allowance.limit(0, 45, price=10) == 0.0
    assert allowance.limit(0, 0, price=60) == 0.0


def test_what_is_reserved_counts_as_spent():
    allowance = Allowance(0.05, 1_000)
    assert allowance.left(0, 20, pending=30) == 0
    assert allowance.limit(0, 20, price=1, pending=30) == 0.0


def test_no_share_never_explores():
    assert Allowance(0.0, 10**9).limit(10**12, 0, price=1) == 0.0
    assert Allowance(0.05, 10**9).limit(10**12, 0, price=0) == 0.0


@given(st.integers(0, 2**32 - 1), st.floats(0.0, 0.3), st.integers(0, 5_000))
@settings(deadline=None, max_examples=30)
def test_the_promise_holds_after_every_choice(seed, share, opening):
    rng = np.random.default_rng(seed)
    allowance = Allowance(share, opening)
    spent = explored = 0
    for _ in range(500):
        price = int(rng.integers(1, 200))
        if rng.random() < allowance.limit(spent, explored, price):
            explored += price
        spent += price
        assert explored <= share * max(spent, opening)


def test_the_share_is_used_when_the_policy_wants_more():
    rng = np.random.default_rng(0)
    allowance = Allowance(0.05, 2_000)
    spent = explored = 0
    for _ in range(40_000):
        if rng.random() < allowance.limit(spent, explored, 10):
            explored += 10
        spent += 10
    assert 0.045 < explored / spent <= 0.05
