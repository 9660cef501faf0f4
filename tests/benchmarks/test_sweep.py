"""The sweep benchmark on a shop small enough to count: copies are customers of their own."""

import numpy as np

from benchmarks.sweep import bundle_of, copied, exchange, once, reading
from domain.events import Event, Kind
from feature_store.settings import Home
from tests.training.leaving import at_day, history_of_orders
from tests.training.sweep.sweeping import learned_model, shop
from training.sweep.job import Released


def test_copies_are_users_with_the_same_history() -> None:
    history = history_of_orders(
        {"a": [(1.0, Kind.purchase), (2.0, Kind.purchase)], "b": [(3.0, Kind.purchase)]}
    )
    many = copied(history, 3)
    assert many.entities == ("ua-0", "ub-0", "ua-1", "ub-1", "ua-2", "ub-2")
    assert many.events == 9
    for place in range(6):
        mine = many.records[many.offsets[place] : many.offsets[place + 1]]
        own = history.records[history.offsets[place % 2] : history.offsets[place % 2 + 1]]
        np.testing.assert_array_equal(mine, own)


def test_a_sweep_is_timed_from_memory_to_the_pointer(tmp_path, capsys) -> None:
    history = shop()
    model = learned_model(history)
    released = Released(bundle_of(model, tmp_path), model)
    figures, sweep = once(history, released)
    twice, double = once(copied(history, 2), released)
    assert len(double.table) == 2 * len(sweep.table) > 0
    assert figures.keys() == twice.keys()
    assert figures["users_per_second"] < figures["scoring_users_per_second"]


def test_log_and_store_are_timed_apart(tmp_path) -> None:
    history = shop()
    model = learned_model(history)
    _, sweep = once(history, Released(bundle_of(model, tmp_path), model))
    events = [
        Event(f"e{n}", f"uc{n % 20}", Kind.purchase, at_day(100 + n / 10), "tea", 1_000_000)
        for n in range(100)
    ]
    assert reading(events, tmp_path)["reading_users_per_second"] > 0
    figures = exchange(events, sweep, Home(tmp_path / "home"))
    assert set(figures) == {"consent_users_per_second", "caching_users_per_second"}
    assert min(figures.values()) > 0
