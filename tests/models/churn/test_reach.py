"""Reach, leavers and profit by known answers, and the interval by drawing who leaves."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.churn.profit import Campaign
from models.churn.reach import Terms, reach

P = np.array([0.9, 0.5, 0.1])
V = np.array([100.0, 40.0, 400.0])


def test_a_sum_anybody_can_check() -> None:
    found = reach(P, V, Terms(contact=1.0, offer=10.0, success=0.5))
    assert found.users == 3
    assert found.leavers.expected == pytest.approx(1.5)
    assert found.saved == pytest.approx(0.75)
    # Three contacts; offers to the 0.75 who are saved and the 1.5 who would have stayed.
    assert found.cost == pytest.approx(3 + 10 * (0.75 + 1.5))
    assert found.profit is not None
    assert found.profit.expected == pytest.approx(0.5 * (90 + 20 + 40) - 25.5)
    assert found.unknown == 0


def test_only_who_pays_is_worth_it() -> None:
    found = reach(P, V, Terms(contact=1.0, offer=10.0, success=0.5))
    # 45 - 6.5, 10 - 8.5, 20 - 10.5: all three pay.
    assert found.worth == (3, pytest.approx(38.5 + 1.5 + 9.5))
    dear = reach(P, V, Terms(contact=5.0, offer=10.0, success=0.5))
    assert dear.worth == (2, pytest.approx(34.5 + 5.5))


def test_the_margin_is_what_is_earned() -> None:
    found = reach(P, V, Terms(0.0, 0.0, 1.0, 0.2))
    assert found.profit is not None
    assert found.profit.expected == pytest.approx(0.2 * 150)


def test_what_is_unknown_costs_and_saves_nothing() -> None:
    found = reach(P, np.array([100.0, np.nan, -5.0]), Terms(1.0, 0.0, 1.0))
    assert found.unknown == 1
    assert found.profit is not None
    assert found.profit.expected == pytest.approx(90 - 3)


def test_without_any_value_there_is_no_profit_to_tell() -> None:
    found = reach(P, np.full(3, np.nan), Terms())
    assert (found.profit, found.worth) == (None, None)
    assert found.leavers.expected == pytest.approx(1.5)


def test_nobody_is_reached() -> None:
    found = reach(np.zeros(0), np.zeros(0), Terms())
    assert (found.users, found.leavers, found.cost, found.profit) == (0, (0.0, 0.0, 0.0), 0.0, None)


def test_the_interval_covers_what_happens() -> None:
    rng = np.random.default_rng(4)
    p = rng.beta(2, 5, 400)
    found = reach(p, np.ones(400), Terms()).leavers
    drawn = (rng.random((4000, 400)) < p).sum(axis=1)
    covered = ((drawn >= found.low) & (drawn <= found.high)).mean()
    assert 0.935 <= covered <= 0.97


def test_a_model_that_was_off_widens_it() -> None:
    p = np.full(1000, 0.3)
    sure, unsure = (reach(p, np.ones(1000), Terms(), error).leavers for error in (0.0, 0.05))
    assert unsure.low == pytest.approx(sure.low - 50)
    assert unsure.high == pytest.approx(sure.high + 50)


@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(-10, 1e4)), max_size=20),
    st.floats(0, 100), st.floats(0, 100), st.floats(0, 1), st.floats(0, 0.3),
)  # fmt: skip
def test_bounds_hold_whatever_is_asked(rows, contact, offer, success, error) -> None:
    p, v = np.array([r[0] for r in rows]), np.array([r[1] for r in rows])
    found = reach(p, v, Terms(contact, offer, success), error)
    assert 0 <= found.leavers.low <= found.leavers.expected + 1e-9
    assert found.leavers.expected <= found.leavers.high + 1e-9
    assert found.leavers.high <= len(rows) + 1e-9
    if found.profit is not None:
        assert found.profit.low <= found.profit.expected <= found.profit.high
        assert found.worth is not None
        assert found.worth[1] >= max(found.profit.expected, 0.0) - 1e-6


@pytest.mark.parametrize(
    "terms", [Terms(success=1.1), Terms(margin=-0.1), Terms(contact=-1), Terms(offer=float("nan"))]
)
def test_terms_that_make_no_sense_are_refused(terms) -> None:
    with pytest.raises(ValueError, match=r"0 to 1|0 or more"):
        reach(P, V, terms)


def test_the_defaults_are_the_papers() -> None:
    paper = Campaign()
    assert Terms() == (paper.contact, paper.offer, paper.alpha / (paper.alpha + paper.beta), 1.0)
