"""The `session` view by known answers."""

import pytest

from domain.events import Kind
from domain.ids import hash64
from feature_store.views.session import SESSION
from tests.feature_store.making import MINUTE, T0, event, row_of, state_of

UNIT = 1_000_000


def test_a_session_reaches_back_to_a_pause_of_more_than_half_an_hour() -> None:
    events = [
        event("old", Kind.click, T0 - 31 * MINUTE, item="cup"),
        event("a", Kind.click, T0, item="tea"),
        event("b", Kind.search, T0 + 30 * MINUTE),
        event("c", Kind.click, T0 + 40 * MINUTE, item="pot"),
    ]
    row = row_of(SESSION, events, T0 + 50 * MINUTE)
    assert (row["open"], row["events"], row["items"]) == (1, 3, 2)
    assert (row["since_start"], row["since_last"]) == (3_000.0, 600.0)
    assert row["counts"][Kind.click] == 2
    assert row["last_item"] == hash64("pot")


@pytest.mark.parametrize(("late", "open_"), [(0, 1), (1, 0)])
def test_a_session_closes_half_an_hour_after_its_last_event(late: int, open_: int) -> None:
    row = row_of(SESSION, [event("a", Kind.click, T0, item="tea")], T0 + 30 * MINUTE + late)
    assert row["open"] == row["events"] == row["items"] == open_
    assert row["found"] == 1


def test_the_cart_follows_adds_removals_and_purchases() -> None:
    events = [
        event("a", Kind.add_to_cart, T0, item="tea", value=3 * UNIT),
        event("b", Kind.add_to_cart, T0 + 1, item="tea", value=3 * UNIT),
        event("c", Kind.add_to_cart, T0 + 2, item="pot", value=9 * UNIT),
        event("d", Kind.add_to_cart, T0 + 3, item="cup", value=1 * UNIT),
        event("e", Kind.remove_from_cart, T0 + 4, item="tea", value=3 * UNIT),
        event("f", Kind.remove_from_cart, T0 + 5, item="cup"),
        event("g", Kind.purchase, T0 + 6, item="pot", value=9 * UNIT),
    ]

    def cart(ms: int) -> tuple[int, float]:
        row = row_of(SESSION, events, T0 + ms)
        return int(row["cart_items"]), float(row["cart_value"])

    assert [cart(ms) for ms in (4, 5, 6, 7)] == [(3, 16.0), (3, 13.0), (2, 12.0), (1, 3.0)]
    assert row_of(SESSION, events, T0 + 7)["spent"] == 9.0


def test_other_currencies_are_in_the_cart_but_not_summed() -> None:
    events = [event("a", Kind.add_to_cart, T0, item="tea", value=UNIT, currency="SEK")]
    row = row_of(SESSION, events, T0 + 1)
    assert (row["cart_items"], row["cart_value"]) == (1, 0.0)


def test_many_distinct_items_are_told_apart() -> None:
    events = [event(f"e{n}", Kind.click, T0 + n, item=f"i{n % 300}") for n in range(500)]
    lifetime, records = state_of(events)
    assert SESSION.row(lifetime, records, T0 + 600, 512)["items"] == 300
