"""Numbers out of packed rows: every kind, odd places in the bytes, absent values, refusals."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feature_store.views.catalogue import views_named
from models.churn.features import PLAIN, VIEWS, matrix
from models.churn.gathering import Gatherer, Want, gather

ROW = np.dtype(
    [("flag", "u1"), ("age", "<i8"), ("few", "<f4"), ("many", "<f8", (3,)), ("count", "<i4", (2,))]
)


def rows_of(n: int) -> np.ndarray:
    rows = np.zeros(n, ROW)
    for i in range(n):
        rows[i] = (i % 2, -(2**40) - i, i + 0.5, [i, -1.0, np.nan], [-7, i])
    return rows


def test_every_kind_is_read_wherever_it_lies() -> None:
    wants = [
        Want("count", 1, np.nan, 0),
        Want("flag", -1, np.nan, 1),
        Want("age", -1, np.nan, 2),
        Want("few", -1, np.nan, 3),
        Want("many", 0, np.nan, 4),
        Want("many", 1, -1.0, 5),
        Want("many", 2, np.nan, 6),
        Want("count", 0, -7.0, 7),
    ]
    out = np.full((3, 9), 42.0)
    gather(rows_of(3), wants, out)
    nan = np.nan
    assert np.array_equal(
        out,
        [[i, i % 2, -(2**40) - i, i + 0.5, i, nan, nan, nan, 42] for i in range(3)],
        equal_nan=True,
    )


def test_rows_that_may_not_be_written_or_lie_apart_are_read_too() -> None:
    wants, rows = [Want("many", 0, np.nan, 0)], rows_of(6)
    out = np.zeros((3, 1))
    gather(rows[::2], wants, out)
    assert out[:, 0].tolist() == [0, 2, 4]
    rows.flags.writeable = False
    gather(rows[3:], wants, out)
    assert out[:, 0].tolist() == [3, 4, 5]
    gather(rows[:0], wants, np.zeros((0, 1)))


@pytest.mark.parametrize(
    ("want", "error"),
    [
        (Want("none", -1, 0, 0), KeyError),
        (Want("many", 3, 0, 0), IndexError),
        (Want("many", -1, 0, 0), IndexError),
        (Want("age", 0, 0, 0), IndexError),
    ],
)
def test_a_row_that_does_not_hold_it_is_refused(want: Want, error: type[Exception]) -> None:
    with pytest.raises(error):
        gather(rows_of(1), [want], np.zeros((1, 1)))


def test_a_kind_that_no_plan_reads_is_refused() -> None:
    rows = np.zeros(1, np.dtype([("name", "S4")]))
    with pytest.raises(TypeError, match="name"):
        gather(rows, [Want("name", -1, 0, 0)], np.zeros((1, 1)))


@given(st.integers(0, 2**32 - 1))
def test_any_bytes_become_what_numpy_makes_of_them(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = {
        view.name: np.frombuffer(rng.bytes(view.dtype.itemsize * 5), view.dtype)
        for view in views_named(VIEWS)
    }
    found = matrix(rows)
    for place, feature in enumerate(PLAIN):
        column = rows[feature.view][feature.field]
        with np.errstate(invalid="ignore"):
            plain = (column if feature.place < 0 else column[:, feature.place]).astype(np.float64)
        plain[plain == feature.absent] = np.nan
        assert np.array_equal(found[:, place], plain, equal_nan=True), feature.name


def test_one_gatherer_reads_rows_of_any_layout_that_holds_them() -> None:
    gatherer, out = (
        Gatherer([Want("many", 1, -1.0, 0), Want("age", -1, np.nan, 1)]),
        np.zeros((2, 2)),
    )
    other = np.zeros(2, np.dtype([("age", "<i8"), ("many", "<f8", (2,))]))
    other["many"][:, 1], other["age"] = 8.0, [3, 4]
    for _ in range(2):
        gatherer.write(rows_of(2), out)
        assert np.array_equal(out, [[np.nan, -(2**40)], [np.nan, -(2**40) - 1]], equal_nan=True)
        gatherer.write(other, out)
        assert out.tolist() == [[8.0, 3.0], [8.0, 4.0]]
    with pytest.raises(KeyError, match="many"):
        gatherer.write(np.zeros(2, [("age", "<i8")]), out)
