import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.btyd import Customers, customers_from_orders


def naive(orders, as_of):
    seen = {}
    for code, time in orders:
        if time <= as_of:
            seen.setdefault(code, set()).add(time)
    return {
        code: (len(times) - 1, max(times) - min(times), as_of - min(times))
        for code, times in seen.items()
    }


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 20)), max_size=40), st.integers(0, 22))
def test_counts_as_a_dict_of_sets_does(orders, as_of):
    codes = np.array([code for code, _ in orders], np.int64)
    times = np.array([time for _, time in orders], np.float64)
    who, customers = customers_from_orders(codes, times, as_of)
    found = {int(code): row for code, *row in zip(who, *customers, strict=True)}
    assert found == {code: list(row) for code, row in naive(orders, as_of).items()}
    assert not customers.faults().any()


def test_what_comes_later_changes_nothing():
    codes, times = np.array([1, 1, 2, 3]), np.array([0.0, 4.0, 1.0, 9.0])
    before = customers_from_orders(codes[:3], times[:3], 5.0)
    after = customers_from_orders(codes, times, 5.0)
    assert before[0].tolist() == after[0].tolist() == [1, 2]
    assert np.array_equal(np.stack(before[1]), np.stack(after[1]))


def test_scaling_leaves_counts():
    weeks = Customers.of([2, 0], [14, 0], [21, 7]).scaled(7)
    assert np.stack(weeks).tolist() == [[2, 0], [2, 0], [3, 1]]


@pytest.mark.parametrize(
    "row",
    [
        (-1, 0, 1),
        (1, -1, 1),
        (1, 2, 1),
        (0, 1, 2),
        (0, 0, -1),
        (np.nan, 0, 1),
        (1, np.nan, 2),
        (1, 1, np.nan),
        (1, 1, np.inf),
    ],
)
def test_what_no_customer_can_be(row):
    assert Customers.of(*row).faults().tolist() == [True]


@pytest.mark.parametrize("row", [(0, 0, 0), (0, 0, 5), (1, 0, 0), (3, 5, 5)])
def test_what_a_customer_can_be(row):
    assert Customers.of(*row).faults().tolist() == [False]


def test_columns_of_different_lengths_are_refused():
    with pytest.raises(ValueError, match="one length"):
        Customers.of([1, 2], [0.5], [3.0, 4.0])
    with pytest.raises(ValueError, match="one length"):
        Customers.of([[1]], [[1]], [[1]])
