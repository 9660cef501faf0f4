"""The `rfm` view by known answers."""

import pytest

from domain.events import Kind
from feature_store.views.rfm import RFM, WINDOW_DAYS, trend
from tests.feature_store.making import DAY, T0, event, row_of, state_of

NOW = T0 + 400 * DAY
UNIT = 1_000_000


def bought(name: str, days_ago: float, value: int = 10, **fields: object) -> object:
    at = NOW - round(days_ago * DAY)
    return event(name, Kind.purchase, at, value=value * UNIT, **fields)


def test_windows_hold_what_lies_within_them_to_the_millisecond() -> None:
    events = [bought(f"p{days}", days) for days in WINDOW_DAYS]
    row = row_of(RFM, events, NOW)
    assert row["orders"].tolist() == [1, 2, 3, 4, 5]
    assert row["value"].tolist() == [10.0, 20.0, 30.0, 40.0, 50.0]
    assert row["recency"] == 1.0
    assert row_of(RFM, events, NOW + 1)["orders"].tolist() == [0, 1, 2, 3, 4]


def test_lines_of_one_moment_are_one_order() -> None:
    row = row_of(RFM, [bought("a", 2, item="tea"), bought("b", 2, item="pot")], NOW)
    assert row["orders"][1] == 1
    assert row["purchases"][1] == 2


def test_the_trend_compares_a_window_with_the_one_before() -> None:
    events = [bought("a", 3, 30), bought("b", 8, 5), bought("c", 9, 5)]
    row = row_of(RFM, events, NOW)
    assert row["orders_trend"][1] == pytest.approx((1 - 2) / 3)
    assert row["value_trend"][1] == pytest.approx((30 - 10) / 40)
    assert row["orders_trend"][3] == 1.0


@pytest.mark.parametrize(
    ("now", "before", "expected"), [(0, 0, 0.0), (5, 0, 1.0), (0, 5, -1.0), (3, 1, 0.5)]
)
def test_trend_formula(now: int, before: int, expected: float) -> None:
    assert trend(now, before) == expected


def test_a_refunded_purchase_is_no_purchase() -> None:
    events = [
        bought("a", 20, item="tea"),
        bought("b", 3, item="pot"),
        event("r", Kind.refund, NOW - DAY, item="pot", value=10 * UNIT),
    ]
    row = row_of(RFM, events, NOW)
    assert row["recency"] == 20.0
    assert row["purchases"].tolist() == [0, 0, 1, 1, 1]
    assert (row["lifetime_purchases"], row["lifetime_refunds"]) == (1, 1)
    assert row["lifetime_value"] == 10.0


def test_lifetime_reaches_beyond_the_cap_and_stops_at_as_of() -> None:
    events = [bought(f"p{n}", 100 - n) for n in range(50)]
    row = row_of(RFM, events, NOW - 80 * DAY, cap=3)
    assert row["lifetime_purchases"] == 20
    assert row["lifetime_value"] == 200.0
    assert row["lifetime_events"] == 20
    assert row["tenure"] == 20.0
    assert row["purchases"].tolist() == [1, 3, 3, 3, 3]


def test_a_lifetime_that_the_history_no_longer_holds_is_kept() -> None:
    events = [bought(f"p{n}", 100 - n) for n in range(50)]
    lifetime, records = state_of(events)
    row = RFM.row(lifetime, records[-5:], NOW, 512)
    assert (row["lifetime_purchases"], row["lifetime_value"]) == (50, 500.0)
    assert row["tenure"] == 100.0
