"""Refusals say what is missing; a telltale feature is refused unless someone has looked at it."""

import numpy as np
import pytest

from domain.errors import ScientistError, TooLittleData
from training.fit.churn.checks import check_labels, check_leaks, check_span, varying
from training.snapshots import Definition

DAY = 86_400_000


def test_three_horizons_are_enough_and_a_day_less_is_not() -> None:
    check_span(0, 270 * DAY, Definition(horizon_days=90))
    with pytest.raises(TooLittleData, match=r"spans 269 days.*needs 270.*1 more days"):
        check_span(0, 269 * DAY, Definition(horizon_days=90))


def test_a_horizon_longer_than_the_history_is_refused() -> None:
    with pytest.raises(TooLittleData, match="three horizons"):
        check_span(0, 60 * DAY, Definition(horizon_days=90))


def test_a_hundred_different_people_of_either_label() -> None:
    y = np.array([1] * 100 + [0] * 100, np.uint8)
    check_labels(y, np.arange(200), "here")
    with pytest.raises(TooLittleData, match=r"99 people left and 100 stayed.*\(1 and 0 more\)"):
        check_labels(y[1:], np.arange(199), "here")
    # A hundred rows of one person are one person.
    with pytest.raises(TooLittleData, match="1 people left"):
        check_labels(y, np.array([0] * 100 + list(range(1, 101))), "here")


def test_one_label_only_says_which() -> None:
    with pytest.raises(TooLittleData, match="everybody stayed"):
        check_labels(np.zeros(500, np.uint8), np.arange(500), "here")
    with pytest.raises(TooLittleData, match="everybody left"):
        check_labels(np.ones(500, np.uint8), np.arange(500), "here")
    with pytest.raises(TooLittleData, match="nobody"):
        check_labels(np.zeros(0, np.uint8), np.zeros(0), "here")


@pytest.mark.parametrize("turn", [1.0, -1.0])
def test_a_feature_that_tells_the_label_is_refused(turn) -> None:
    rng = np.random.default_rng(0)
    y = (rng.random(500) < 0.3).astype(np.uint8)
    x = np.stack([rng.normal(size=500), turn * (y + rng.normal(0, 0.2, 500))], axis=1)
    with pytest.raises(ScientistError, match=r"exit_survey .*allowed_leaks"):
        check_leaks(x, y, ["age", "exit_survey"], [])
    check_leaks(x, y, ["age", "exit_survey"], ["exit_survey"])


def test_missing_values_may_leak_too() -> None:
    y = np.array([0, 1] * 200, np.uint8)
    x = np.where(y > 0, 1.0, np.nan)[:, None]
    with pytest.raises(ScientistError, match="ended_at"):
        check_leaks(x, y, ["ended_at"], [])
    check_leaks(x, y, ["attribute.ended=yes"], ["attribute.ended"])


def test_constant_columns_are_no_news() -> None:
    x = np.array([[1.0, np.nan, 1.0], [1.0, np.nan, np.nan]])
    assert varying(x).tolist() == [False, False, True]
    check_leaks(x, np.array([0, 1], np.uint8), ["a", "b", "c"], ["c"])
