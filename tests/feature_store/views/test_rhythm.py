"""The `rhythm` view by known answers."""

import math

import numpy as np
import pytest

from domain.events import Kind
from feature_store.views.rhythm import RHYTHM, gap_figures
from tests.feature_store.making import DAY, HOUR, event, row_of

MONDAY = 1_699_833_600_000
"""2023-11-13, midnight UTC."""


def test_gaps_between_active_days() -> None:
    events = [
        event("a", Kind.click, MONDAY + 5 * HOUR),
        event("b", Kind.click, MONDAY + 23 * HOUR),
        event("c", Kind.click, MONDAY + 1 * DAY),
        event("d", Kind.click, MONDAY + 4 * DAY + HOUR),
    ]
    row = row_of(RHYTHM, events, MONDAY + 8 * DAY + HOUR)
    assert row["active_days"] == 3
    assert row["gap_mean"] == 2.0
    assert row["gap_deviation"] == 1.0
    assert row["gap_last"] == 3.0
    assert row["overdue"] == 2.0


def test_profiles_are_shares_of_acts_in_utc() -> None:
    events = [
        event("a", Kind.click, MONDAY),
        event("b", Kind.click, MONDAY + 6 * DAY + 23 * HOUR + 59 * 60_000),
        event("c", Kind.impression, MONDAY + 3 * DAY),
    ]
    row = row_of(RHYTHM, events, MONDAY + 9 * DAY)
    assert row["weekdays"].tolist() == [0.5, 0, 0, 0, 0, 0, 0.5]
    assert row["hours"][0] == row["hours"][23] == 0.5
    assert row["hours"].sum() == 1.0
    assert row["active_days"] == 2


def test_orders_have_their_own_gaps_and_refunds_undo_them() -> None:
    events = [
        event("a", Kind.purchase, MONDAY, item="tea"),
        event("b", Kind.purchase, MONDAY + 2 * DAY, item="pot"),
        event("c", Kind.purchase, MONDAY + 6 * DAY, item="cup"),
        event("r", Kind.refund, MONDAY + 7 * DAY, item="pot"),
    ]
    before = row_of(RHYTHM, events, MONDAY + 7 * DAY)
    assert (before["orders"], before["order_gap_mean"], before["order_gap_last"]) == (3, 3.0, 4.0)
    after = row_of(RHYTHM, events, MONDAY + 12 * DAY)
    assert (after["orders"], after["order_gap_mean"], after["order_overdue"]) == (2, 6.0, 1.0)


@pytest.mark.parametrize("times", [[], [MONDAY]])
def test_fewer_than_two_times_have_no_gap(times: list[int]) -> None:
    assert gap_figures(np.array(times, np.int64), len(times)) == (-1.0, -1.0, -1.0)


def test_gap_figures_are_mean_deviation_and_last() -> None:
    days = np.array([0, 1, 3, 9], np.int64) * DAY
    assert gap_figures(days, 4) == pytest.approx((3.0, math.sqrt(14 / 3), 6.0))
