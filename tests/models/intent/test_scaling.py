"""Scaling: known numbers, missing values, and what no training row had."""

import numpy as np
import pytest

from models.intent.scaling import LIMIT, Scaling

NAN = np.nan


def test_a_column_gets_mean_zero_and_deviation_one_of_its_logarithms() -> None:
    column = np.array([[0.0], [np.e - 1], [np.e**2 - 1]])
    scaled = Scaling.learned(column).apply(column)
    assert scaled.dtype == np.float32
    assert scaled[:, 0] == pytest.approx(np.array([-1, 0, 1]) / np.sqrt(2 / 3))


def test_without_a_logarithm_numbers_are_only_moved_and_stretched() -> None:
    column = np.array([[1.0], [3.0]])
    scaling = Scaling.learned(column, logarithmic=False)
    assert scaling.apply([[2.0], [3.0]])[:, 0] == pytest.approx([0, 1])


def test_the_logarithm_keeps_the_sign() -> None:
    scaling = Scaling.learned(np.array([[-10.0], [10.0]]))
    assert scaling.apply([[-10.0], [10.0]])[:, 0] == pytest.approx([-1, 1])


def test_missing_is_the_mean_and_says_so() -> None:
    scaling = Scaling.learned(np.array([[1.0, 5.0], [3.0, NAN], [NAN, NAN]]))
    assert scaling.width == 4
    row = scaling.apply([[NAN, 5.0]])[0]
    assert row[0] == 0
    assert row[2:].tolist() == [1, 0]


@pytest.mark.parametrize("value", [np.inf, -np.inf, NAN])
def test_what_is_not_finite_counts_as_missing(value: float) -> None:
    scaling = Scaling.learned(np.array([[1.0], [NAN], [2.0]]))
    assert scaling.apply([[value]]).tolist() == [[0, 1]]


def test_columns_missing_together_share_one_flag() -> None:
    together = np.array([[1.0, 2.0, 1.0], [NAN, NAN, 1.0], [3.0, 1.0, 1.0]])
    assert Scaling.learned(together).flags.tolist() == [0]


def test_columns_always_or_never_missing_have_no_flag() -> None:
    assert not len(Scaling.learned(np.array([[NAN, 1.0], [NAN, 2.0]])).flags)


def test_a_constant_column_stays_quiet() -> None:
    scaling = Scaling.learned(np.full((5, 1), 7.0))
    assert scaling.apply([[7.0]])[0, 0] == 0
    assert np.isfinite(scaling.apply([[8.0]])).all()


def test_what_training_never_saw_is_held_within_limits() -> None:
    scaling = Scaling.learned(np.array([[1.0], [2.0]]))
    assert scaling.apply([[1e300], [-1e300]])[:, 0].tolist() == [LIMIT, -LIMIT]


def test_it_comes_back_from_its_arrays() -> None:
    scaling = Scaling.learned(np.array([[1.0, NAN], [5.0, 2.0]]))
    again = Scaling.from_arrays(scaling.arrays())
    asked = np.array([[2.0, NAN], [NAN, 7.0]])
    assert np.array_equal(again.apply(asked), scaling.apply(asked))


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("deviation", np.array([0.0, 1.0])),
        ("deviation", np.array([1.0])),
        ("mean", np.array([NAN, 0.0])),
        ("flags", np.array([2])),
    ],
)
def test_arrays_that_do_not_fit_are_refused(name: str, wrong: np.ndarray) -> None:
    arrays = Scaling.learned(np.array([[1.0, NAN], [5.0, 2.0]])).arrays()
    with pytest.raises(ValueError, match="do not fit"):
        Scaling.from_arrays({**arrays, name: wrong})
