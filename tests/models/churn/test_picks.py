"""Reasons picked for many rows are those told for each row alone, whatever is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.churn.features import FEATURES
from models.churn.picks import NONE, Picked, pick_many, reasons_at
from models.churn.reasons import REST, teller_of

OWN = [(one.name, one.group, one.unit) for one in FEATURES]
WORDS = [("attribute.plan=gold", "attribute.plan", ""), ("attribute.seats", "attribute.seats", "")]
TELLER = teller_of([*OWN, *WORDS], {OWN[0][0]: 12.0, "items": 7.0})
WIDTH = len(TELLER.names)


def _rows(n: int, seed: int, missing: float) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 60, (n, WIDTH)).astype(float)
    values[rng.random((n, WIDTH)) < missing] = np.nan
    contributions = rng.normal(0, 0.3, (n, WIDTH + 1))
    contributions[rng.random((n, WIDTH + 1)) < 0.3] = 0.0
    return contributions, values


@given(st.integers(0, 10_000), st.sampled_from([0.0, 0.3, 0.9, 1.0]), st.integers(0, 12))
def test_many_are_told_as_each_alone(seed: int, missing: float, most: int) -> None:
    contributions, values = _rows(20, seed, missing)
    picked = pick_many(TELLER, contributions, values, most)
    for row in range(20):
        alone = TELLER.reasons(contributions[row], values[row], most=most)
        mine = reasons_at(TELLER, picked, row)
        assert [one.text for one in mine] == [one.text for one in alone]
        for one, other in zip(mine, alone, strict=True):
            assert one[:3] == other[:3]
            assert one[4:6] == other[4:6]
            assert one.share == pytest.approx(other.share)
            assert one.contribution == pytest.approx(other.contribution)


def test_the_known_answer_of_one_row() -> None:
    contributions, values = np.zeros((1, WIDTH + 1)), np.full((1, WIDTH), np.nan)
    for name, value in (("recency", 41.0), ("order_gap_mean", 9.0)):
        values[0, TELLER.names.index(name)] = value
    contributions[0, TELLER.names.index("recency")] = 0.8
    contributions[0, -1] = -3.0
    picked = pick_many(TELLER, contributions, values)
    assert picked.group[0].tolist() == [TELLER.labels.index("recency"), NONE, NONE]
    (reason,) = reasons_at(TELLER, picked, 0)
    assert reason.text == "no order for 41 days; their usual gap is 9"
    assert (reason.share, reason.contribution) == (1.0, 0.8)


def test_what_is_left_out_is_the_rest() -> None:
    contributions, values = _rows(5, 3, 0.0)
    picked = pick_many(TELLER, contributions, values, 2)
    for row in range(5):
        told = reasons_at(TELLER, picked, row)
        assert [one.group == REST for one in told] == [False, False, True]
        assert sum(one.contribution for one in told) == pytest.approx(contributions[row, :-1].sum())
        assert sum(one.share for one in told) == pytest.approx(1.0)


def test_nothing_contributed_is_no_reason() -> None:
    picked = pick_many(TELLER, np.zeros((2, WIDTH + 1)), np.zeros((2, WIDTH)))
    assert reasons_at(TELLER, picked, 0) == ()
    assert isinstance(picked, Picked)
    assert (picked.group == NONE).all()


def test_no_rows_are_no_picks() -> None:
    picked = pick_many(TELLER, np.zeros((0, WIDTH + 1)), np.zeros((0, WIDTH)))
    assert picked.group.shape == (0, 3)


def test_another_width_is_refused() -> None:
    with pytest.raises(ValueError, match="values of"):
        pick_many(TELLER, np.zeros((1, WIDTH + 1)), np.zeros((1, 3)))
