"""The repute of items: known answers, nothing from after the time, nobody's unsigned orders."""

import numpy as np
import pytest

from domain.events import Event, Kind
from domain.ids import hash64
from feature_store.history import History
from feature_store.views.goods import GOODS
from models.churn.repute import COLUMNS, FIGURES
from tests.feature_store.making import DAY, T0
from training.fit.churn.repute import AGAIN, STRENGTH, Purchases, columns_at

HORIZON = 30.0


def _buy(user: str, day: float, item: str, **fields: float) -> Event:
    name = f"{user}-{day}-{item}"
    at = T0 + round(day * DAY)
    return Event(name, user, Kind.purchase, at, item=item, **{"value": 1_000_000, **fields})


def _history(events: list[Event]) -> History:
    return History.from_events(events)


def _figures(events: list[Event], day: float) -> dict[str, dict[str, float]]:
    table = Purchases(_history(events), HORIZON).as_of(T0 + round(day * DAY))
    names = {hash64(name): name for name in {event.item for event in events}}
    return {
        names[int(item)]: dict(zip(FIGURES, row.tolist(), strict=True))
        for item, row in zip(table.items, table.figures, strict=True)
    }


def _shop() -> list[Event]:
    """Forty who buy beans and are back ten days later; forty who buy a stove, once."""
    events = [_buy(f"ub{n}", day, "beans") for n in range(40) for day in (0, 10)]
    return events + [_buy(f"us{n}", 1, "stove", value=200_000_000) for n in range(40)]


def test_what_comes_back_and_what_does_not() -> None:
    found = _figures(_shop(), 40)
    # Of 120 purchases 40, the first beans, were followed by another within 20 days.
    base = 40 / 120
    beans, stove = (40 + STRENGTH * base) / (80 + STRENGTH), STRENGTH * base / (40 + STRENGTH)
    assert found["beans"]["return"] == pytest.approx(beans - base)
    assert found["stove"]["return"] == pytest.approx(stove - base)
    again = {item: found[item]["again"] for item in found}
    raw = {"beans": (40 + AGAIN[0]) / (40 + AGAIN[1]), "stove": AGAIN[0] / (40 + AGAIN[1])}
    assert again["beans"] - again["stove"] == pytest.approx(raw["beans"] - raw["stove"])
    assert 80 * again["beans"] + 40 * again["stove"] == pytest.approx(0)
    assert found["beans"]["sales"] > 0 > found["stove"]["sales"]
    assert found["stove"]["price"] - found["beans"]["price"] == pytest.approx(np.log(201 / 2))
    assert found["stove"]["bulk"] == pytest.approx(found["beans"]["bulk"])


def test_a_comeback_counts_once_it_has_happened() -> None:
    # On day 9 no window of twenty days is over: nothing is known of comebacks.
    assert {item["return"] for item in _figures(_shop(), 9).values()} == {0.0}


def test_nothing_from_after_the_time_reaches_the_table() -> None:
    before = [event for event in _shop() if event.at < T0 + 8 * DAY]
    later = [*_shop(), _buy("unew", 9, "stove"), _buy("unew", 9, "lamp")]
    whole = Purchases(_history(later), HORIZON).as_of(T0 + 8 * DAY)
    cut = Purchases(_history(before), HORIZON).as_of(T0 + 8 * DAY)
    assert whole.items.tobytes() == cut.items.tobytes()
    assert whole.figures.tobytes() == cut.figures.tobytes()


def test_orders_that_nobody_signed_for_count_for_nothing() -> None:
    unsigned = [_buy(f"sv{n}", 2, "stove") for n in range(50)]
    assert _figures([*_shop(), *unsigned], 40) == _figures(_shop(), 40)


def test_a_log_without_items_has_no_repute() -> None:
    events = [Event(f"e{n}", "ua", Kind.purchase, T0 + n * DAY) for n in range(5)]
    purchases = Purchases(_history(events), HORIZON)
    assert not len(purchases)
    assert not len(purchases.as_of(T0 + 9 * DAY).items)


def test_each_row_is_told_by_the_table_of_its_own_day() -> None:
    history = _history(_shop())
    days = np.array([9, 40])
    replayed = history.replay([GOODS], [T0 + int(day) * DAY for day in days])
    rows, as_of = replayed.views["goods"], replayed.as_of
    purchases = Purchases(history, HORIZON)
    found = columns_at(purchases, rows, as_of)
    assert found.shape == (len(rows), len(COLUMNS))
    for place in range(0, len(rows), 17):
        own = purchases.as_of(int(as_of[place])).columns(rows[place : place + 1])
        assert found[place].tobytes() == own[0].tobytes()
    early, late = found[as_of == as_of.min(), 0], found[as_of == as_of.max(), 0]
    assert not early.any()
    assert late.max() > 0 > late.min()
