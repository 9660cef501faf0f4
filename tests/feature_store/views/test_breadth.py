"""The `breadth` view by known answers."""

import pytest

from domain.events import Event, Kind
from feature_store.views.breadth import BREADTH, WINDOW_DAYS
from tests.feature_store.making import DAY, HOUR, T0, event, row_of

NOW = (T0 // DAY + 500) * DAY
UNIT = 1_000_000


def bought(name: str, days_ago: float, value: int = 10, **fields: object) -> Event:
    at = NOW - round(days_ago * DAY)
    return event(name, Kind.purchase, at, value=value * UNIT, **fields)


def happened(name: str, kind: Kind, days_ago: float, **fields: object) -> Event:
    return event(name, kind, NOW - round(days_ago * DAY), **fields)


def test_days_count_each_day_once_within_each_window() -> None:
    events = [bought(f"p{days}", days) for days in WINDOW_DAYS]
    events += [bought("again", 14 - 1 / 24), bought("later", 14 - 2 / 24)]
    assert row_of(BREADTH, events, NOW)["days"].tolist() == [1, 2, 3, 4, 5]
    # A millisecond later the first order of each edge day is out, its later ones are not.
    assert row_of(BREADTH, events, NOW + 1)["days"].tolist() == [1, 1, 2, 3, 4]


def test_faded_orders_weigh_half_after_each_half_life() -> None:
    row = row_of(BREADTH, [bought("a", 28), bought("b", 7)], NOW)
    assert row["faded"][0] == pytest.approx(0.5 + 1 / 16)
    assert row["faded"][1] == pytest.approx(0.5 + 2**-0.25)


def test_gaps_and_where_the_silence_lies_in_them() -> None:
    events = [bought(f"p{days}", days) for days in (20, 18, 14, 6)]
    row = row_of(BREADTH, events, NOW)
    assert (row["gap_median"], row["gap_max"]) == (4.0, 8.0)
    assert row["silence"] == pytest.approx(2 / 3)
    assert row_of(BREADTH, events[:1], NOW)["silence"] == -1


def test_lines_items_and_orders() -> None:
    basket = [
        bought("a", 9, 6, item="tea", quantity=2.0),
        bought("b", 9, 4, item="pot", campaign="spring"),
        bought("c", 2, 5, item="tea"),
    ]
    row = row_of(BREADTH, basket, NOW)
    assert (row["items"], row["basket"], row["order_value"]) == (2, 1.5, 7.5)
    assert row["order_value_last"] == 5.0
    assert row["repeat_share"] == pytest.approx(1 / 3)
    assert row["discount_share"] == pytest.approx(1 / 3)
    assert row["price"] == pytest.approx(15 / 4)


def test_a_cart_is_abandoned_when_nothing_of_it_is_bought_afterwards() -> None:
    events = [
        bought("early", 9, item="tea"),
        happened("a", Kind.add_to_cart, 8, item="tea"),
        happened("b", Kind.add_to_cart, 8, item="pot"),
        bought("late", 7, item="pot"),
    ]
    row = row_of(BREADTH, events, NOW)
    assert (row["carts"], row["cart_abandonment"]) == (2, 0.5)
    assert row_of(BREADTH, events[:1], NOW)["cart_abandonment"] == -1


def test_service_is_counted_and_dated() -> None:
    events = [
        bought("p", 30, item="tea"),
        happened("r", Kind.refund, 20, item="tea"),
        happened("s", Kind.support, 5, channel="phone"),
        happened("t", Kind.rating, 4, value=4 * UNIT),
        happened("v", Kind.rating, 3, value=2 * UNIT),
        happened("n", Kind.rating, 2),
        happened("c", Kind.cancel, 1),
    ]
    row = row_of(BREADTH, events, NOW)
    assert (row["refund_share"], row["refund_recency"]) == (0.5, 20.0)
    assert (row["support"], row["support_recency"], row["channels"]) == (1, 5.0, 1)
    assert (row["ratings"], row["rating_mean"], row["rating_last"]) == (2, 3.0, 2.0)
    assert (row["cancels"], row["cancel_recency"], row["renewals"]) == (1, 1.0, 0)
    assert row["items"] == 0


def test_nothing_is_the_defaults() -> None:
    row = row_of(BREADTH, [], NOW)
    for field in BREADTH.own_fields:
        assert set(row[field.name].reshape(-1).tolist()) == {field.default}, field.name


def test_a_day_is_utc() -> None:
    events = [
        event("a", Kind.purchase, NOW - 2 * DAY - HOUR),
        event("b", Kind.purchase, NOW - 2 * DAY + HOUR),
    ]
    assert row_of(BREADTH, events, NOW)["days"][0] == 2
