"""The controller in a plant whose answer is known."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.bidding.control import MOST_TOTAL, Gains, State, controlled

GAINS = Gains(p=2.0, i=0.1, d=0.5, start=0.0, low=-2.0, high=2.0, prior=1.0)
REST = State(0.0, 0.0, 0.0)


def test_on_the_reference_nothing_moves():
    assert controlled(GAINS, REST, 40.0, 400.0, 10.0) == pytest.approx((0.0, 0.0, 0.0), abs=1e-12)


def test_the_three_parts_by_hand():
    state = controlled(GAINS, State(0.3, 0.2, 0.0), 10.0, 30.0, 3.0)
    # (30 + 10) / (3 + 1) = 10: no error, so only the sum and the change speak.
    assert state == pytest.approx((0.3, 0.0, 0.1 * 0.3 - 0.5 * 0.2))
    dear = controlled(GAINS, REST, 10.0, 70.0, 3.0)
    error = -math.log(2.0)
    assert dear == pytest.approx((error, error, 2.6 * error))


def test_too_dear_and_too_cheap_by_the_same_factor_weigh_the_same():
    dear = controlled(GAINS, REST, 10.0, 30.0, 1.0)
    cheap = controlled(GAINS, REST, 10.0, 0.0, 1.0)
    assert dear.phi == pytest.approx(-cheap.phi)


def test_a_plant_settles_at_the_reference():
    gains, state, cost, clicks = GAINS._replace(p=8.0), REST, 0.0, 0.0
    for _ in range(60):
        # Twice the limit brings twice the clicks, each at 1.5 times the limit: dear by itself.
        limit = math.exp(state.phi)
        cost, clicks = cost + 8 * limit * 1.5 * limit, clicks + 8 * limit
        state = controlled(gains, state, 1.0, cost, clicks)
    assert cost / clicks == pytest.approx(1.0, abs=0.05)


@given(
    st.lists(
        st.tuples(
            st.floats(allow_nan=True, allow_infinity=True, width=32),
            st.floats(0, 1e9, width=32),
        ),
        max_size=20,
    )
)
def test_no_figures_drive_it_out_of_its_bounds(figures):
    state = REST
    for cost, clicks in figures:
        state = controlled(GAINS, state, 40.0, cost, clicks)
        assert GAINS.low <= state.phi <= GAINS.high
        assert abs(state.total) <= MOST_TOTAL
        assert np.isfinite(state.last)
