"""Who is asked about, by known answers."""

from dataclasses import replace

import numpy as np

from domain.events import Kind
from tests.training.leaving import at_day, history_of_orders
from tests.training.sweep.sweeping import AS_OF, SETTINGS
from training.snapshots import take_snapshots
from training.sweep.population import part_of, population

INACTIVITY = {"definition": "inactivity", "kinds": ["purchase"], "active_days": 30.0}


def test_who_was_active_within_the_days_is_asked_about() -> None:
    history = history_of_orders(
        {
            "fresh": [(90.0, Kind.purchase)],
            "edge": [(70.0, Kind.purchase)],
            "silent": [(69.0, Kind.purchase), (95.0, Kind.click)],
            "future": [(100.0, Kind.purchase)],
            "looker": [(95.0, Kind.click)],
        }
    )
    found = population(history, INACTIVITY, at_day(100), None)
    assert found.users == ["fresh", "edge"]
    assert [history.entities[one] for one in found.entity] == ["ufresh", "uedge"]
    assert found.left_out == {"inactive": 2}


def test_it_is_the_population_that_models_learn_from(history) -> None:
    meaning = SETTINGS.meaning()
    rows = take_snapshots(history, [AS_OF], meaning)
    found = population(history, meaning.words(), AS_OF, None)
    assert sorted(found.entity.tolist()) == sorted(rows.entity.tolist())


def test_a_running_term_is_what_counts_for_contracts() -> None:
    history = history_of_orders(
        {
            "running": [(10.0, Kind.subscribe)],
            "ended": [(10.0, Kind.subscribe), (50.0, Kind.cancel)],
            "back": [(10.0, Kind.subscribe), (50.0, Kind.cancel), (60.0, Kind.renew)],
            "later": [(10.0, Kind.subscribe), (120.0, Kind.cancel)],
            "never": [(10.0, Kind.purchase)],
        }
    )
    found = population(history, {"definition": "contractual"}, at_day(100), None)
    assert sorted(found.users) == ["back", "later", "running"]
    assert found.left_out == {"without_a_term": 2}


def test_a_label_set_brings_users_without_events() -> None:
    history = history_of_orders({"a": [(10.0, Kind.purchase)], "late": [(150.0, Kind.purchase)]})
    found = population(history, {"definition": "contractual"}, at_day(100), ["b", "a", "b"])
    assert found.users == ["a", "b"]
    assert found.entity.tolist() == [0, -1]


def test_sessions_are_no_users(history) -> None:

    names = tuple(
        "s" + name[1:] if place % 2 else name for place, name in enumerate(history.entities)
    )
    found = population(replace(history, entities=names), SETTINGS.meaning().words(), AS_OF, None)
    assert all(names[one][0] == "u" for one in found.entity)


def test_a_user_stays_in_one_part_whoever_else_is_there() -> None:
    users = [f"c{n}" for n in range(1000)]
    parts = part_of(users, 7)
    assert set(parts.tolist()) == set(range(7))
    assert np.bincount(parts).min() > 90
    assert part_of(users[::3], 7).tolist() == parts[::3].tolist()
