"""Snapshots: the population, the labels, and nothing at all of the future."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import ScientistError
from domain.events import Kind
from feature_store.history import History
from models.churn.features import NAMES, matrix
from tests.training.leaving import at_day, history_of_orders, leaving_shop
from training.snapshots import Definition, take_snapshots

BUY = Kind.purchase
SHOP = leaving_shop(60, seed=3)


def _people(rows, history):
    return {history.entities[one][1:]: int(y) for one, y in zip(rows.entity, rows.y, strict=True)}


def test_who_buys_within_the_horizon_stays() -> None:
    history = history_of_orders(
        {"back": [(1, BUY), (35, BUY)], "late": [(1, BUY), (41, BUY)], "gone": [(1, BUY)]}
    )
    rows = take_snapshots(history, [at_day(10)], Definition(horizon_days=30))
    assert _people(rows, history) == {"back": 0, "late": 1, "gone": 1}
    assert rows.waited.tolist() == [25.0, 31.0, np.inf]


def test_the_horizon_starts_after_the_lead() -> None:
    history = history_of_orders({"a": [(1, BUY), (12, BUY)], "b": [(1, BUY), (45, BUY)]})
    rows = take_snapshots(history, [at_day(10)], Definition(horizon_days=30, lead_days=7))
    assert _people(rows, history) == {"a": 1, "b": 0}


def test_only_the_recently_active_are_asked_about() -> None:
    history = history_of_orders({"a": [(1, BUY)], "b": [(30, BUY)], "c": [(45, BUY)]})
    rows = take_snapshots(history, [at_day(40)], Definition(horizon_days=5, active_days=15))
    assert set(_people(rows, history)) == {"b"}


def test_a_contract_is_left_by_cancelling() -> None:
    history = history_of_orders(
        {
            "left": [(1, Kind.subscribe), (15, Kind.cancel)],
            "stays": [(1, Kind.subscribe), (50, Kind.cancel)],
            "before": [(1, Kind.subscribe), (5, Kind.cancel)],
        }
    )
    rows = take_snapshots(history, [at_day(10)], Definition("contractual", horizon_days=30))
    assert _people(rows, history) == {"left": 1, "stays": 0}


def _features(history: History, cut: int) -> dict[str, bytes]:
    rows = take_snapshots(history, [cut], Definition(horizon_days=30))
    table = matrix(rows.views)
    names = [history.entities[one] for one in rows.entity]
    return {name: table[place].tobytes() for place, name in enumerate(names)}


def _rebuilt(history: History, keep: np.ndarray, records: np.ndarray) -> History:
    counts = np.concatenate([[0], np.cumsum(keep)])
    return History.from_ordered(
        history.entities, records[keep].copy(), counts[history.offsets], cap=history.cap
    )


@settings(max_examples=12, deadline=None)
@given(day=st.integers(40, 200))
def test_deleting_the_future_leaves_every_feature_to_the_byte(day: int) -> None:
    cut = at_day(day)
    past = SHOP.records["at"] < cut
    assert _features(_rebuilt(SHOP, past, SHOP.records), cut) == _features(SHOP, cut)


@settings(max_examples=12, deadline=None)
@given(day=st.integers(40, 200), seed=st.integers(0, 9))
def test_shuffling_the_future_leaves_every_feature_to_the_byte(day: int, seed: int) -> None:
    cut = at_day(day)
    records = SHOP.records.copy()
    future = np.flatnonzero(records["at"] >= cut)
    mixed = np.random.default_rng(seed).permutation(future)
    for field in ("item", "value", "kind", "quantity"):
        records[field][future] = SHOP.records[field][mixed]
    everything = np.ones(len(records), bool)
    assert _features(_rebuilt(SHOP, everything, records), cut) == _features(SHOP, cut)


def test_the_past_does_matter() -> None:
    cut = at_day(120)
    records = SHOP.records.copy()
    records["value"][records["at"] < cut] *= 2
    changed = _features(_rebuilt(SHOP, np.ones(len(records), bool), records), cut)
    assert changed != _features(SHOP, cut)


@pytest.mark.parametrize(
    "wrong",
    [
        {"definition": "vague"},
        {"horizon_days": 0},
        {"active_days": -1},
        {"lead_days": -1},
        {"kinds": ("nonesuch",)},
        {"horizon_days": float("nan")},
    ],
)
def test_a_definition_that_means_nothing_is_refused(wrong) -> None:
    with pytest.raises(ScientistError):
        Definition(**wrong)


def test_what_travels_with_every_score() -> None:
    words = Definition(horizon_days=28, active_days=56, lead_days=3, history_days=90).words()
    assert words["horizon_days"] == 28
    assert {"history_days", "lead_days", "active_days", "definition"} <= set(words)


def test_features_have_names_of_their_own() -> None:
    assert len(set(NAMES)) == len(NAMES)
