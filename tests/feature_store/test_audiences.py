"""The columns that conditions may name, and their values in sweeps and in rows of views."""

from pathlib import Path

import numpy as np
import pytest

from domain.condition_text import parse_condition
from domain.conditions import judge
from domain.errors import NotFound
from domain.scores import Band, Score
from feature_store.audiences import (
    BESIDE,
    FEATURES,
    SCORES,
    SHOWN,
    VOCABULARY,
    feature_columns,
    intent_columns,
    known,
    level_of,
    missing,
    row_lookup,
    sweep_lookup,
)
from feature_store.sweeps.attributes import attribute_columns
from feature_store.sweeps.reading import Sweeps
from feature_store.sweeps.table import table_of
from feature_store.views.catalogue import VIEWS
from tests.feature_store.sweeps.making import AS_OF, put, scored, with_features


def test_every_column_of_the_views_may_be_named() -> None:
    assert {"rfm.recency", "rfm.value_90d", "rhythm.weekdays_sunday", "breadth.items"} <= set(
        FEATURES
    )
    assert not any(name.endswith((".found", ".age")) for name in VOCABULARY)
    others = {column.name for column in (*SCORES, *BESIDE)}
    assert set(VOCABULARY) == {*FEATURES, *others, "attributes.*"}
    assert all(column.about for column in VOCABULARY.values())


def test_columns_are_the_numbers_of_the_rows() -> None:
    rows = {name: np.zeros(3, VIEWS[name].dtype) for name in SHOWN}
    rows["rfm"]["recency"] = [-1.0, 4.0, 7.5]
    rows["rfm"]["value"][:, 3] = [1.0, 2.0, -1.0]
    found = feature_columns(rows)
    assert tuple(found) == FEATURES
    assert found["rfm.recency"].tolist() == [-1.0, 4.0, 7.5]
    assert found["rfm.value_90d"].tolist() == [1.0, 2.0, -1.0]
    lookup = row_lookup(rows, 0, {"churn.probability": 0.1})
    assert np.isnan(lookup("rfm.recency"))
    assert row_lookup(rows, 1, {})("rfm.recency") == 4.0
    # A value of -1 is a value where none is said otherwise.
    assert row_lookup(rows, 2, {})("rfm.value_90d") == -1.0
    assert lookup("churn.probability") == 0.1
    assert np.isnan(lookup("churn.band"))


def test_one_row_is_read_as_many_are() -> None:
    rng = np.random.default_rng(0)
    rows = {name: np.zeros(4, VIEWS[name].dtype) for name in SHOWN}
    for view in rows.values():
        for field in view.dtype.names or ():
            view[field] = rng.integers(-1, 3, view[field].shape).astype(view[field].dtype)
    for name, column in feature_columns(rows).items():
        one_by_one = [row_lookup(rows, place, {})(name) for place in range(4)]
        np.testing.assert_array_equal(one_by_one, known(name, column))


def test_a_nobody_is_known_by_nothing_that_may_be_missing() -> None:
    rows = {name: VIEWS[name].default_row().reshape(1) for name in SHOWN}
    columns = feature_columns(rows)
    assert np.isnan(known("rfm.recency", columns["rfm.recency"])).all()
    assert known("rhythm.orders", columns["rhythm.orders"])[0] == 0


def test_a_sweep_is_asked_for_scores_and_features(tmp_path: Path) -> None:
    table = scored(["a", "b", "c"], [0.9, 0.5, 0.1], [100.0, np.nan, 100.0])
    put(tmp_path, 1, with_features(table, {"rfm.recency": [40.0, -1.0, 3.0]}))
    sweep = Sweeps(tmp_path).current()
    assert sweep is not None
    assert set(sweep.table.columns).isdisjoint(FEATURES)
    lookup = sweep_lookup(sweep)
    found = dict(zip(sweep.table.users.to_pylist(), lookup("rfm.recency"), strict=True))
    assert (found["a"], found["c"]) == (40.0, 3.0)
    assert np.isnan(found["b"])
    assert np.isnan(lookup("churn.previous_band")).all()
    condition = parse_condition("recency > 30 and churn.band = high", VOCABULARY)
    verdict = judge(condition, lookup)
    assert sweep.table.names(np.flatnonzero(verdict.yes)) == ["a"]


def test_a_sweep_without_features_says_who_must_act(tmp_path: Path) -> None:
    put(tmp_path, 1, scored(["a"], [0.9], [100.0]))
    sweep = Sweeps(tmp_path).current()
    assert sweep is not None
    assert sweep.features is None
    assert sweep_lookup(sweep)("churn.probability").tolist() == [0.9]
    with pytest.raises(NotFound, match="sweep churn") as caught:
        sweep_lookup(sweep)("rfm.recency")
    assert caught.value.code == "no_features"


def test_what_a_sweep_knows_of_nobody_is_unknown_and_said(tmp_path: Path) -> None:
    table = with_features(scored(["a", "b"], [0.9, 0.1], [100.0, 1.0]), {})
    people = [{"plan": "gold", "Age": 31}, {"age": "x"}]
    put(tmp_path, 1, table_of(table.users, {**table.columns, **attribute_columns(people)}))
    sweep = Sweeps(tmp_path).current()
    assert sweep is not None
    lookup = sweep_lookup(sweep)

    def judged(text: str) -> tuple[list[bool], list[bool]]:
        found = judge(parse_condition(text, VOCABULARY), lookup)
        return found.yes.tolist(), found.no.tolist()

    assert judged("attributes.plan = GOLD") == ([True, False], [False, False])
    assert judged("attributes.age > 30") == ([True, False], [False, False])
    assert judged("attributes.age in (31, x)") == ([True, True], [False, False])
    assert judged("attributes.age is known") == ([True, True], [False, False])
    assert judged("attributes.plan is unknown") == ([False, True], [True, False])
    assert judged("attributes.shoe is unknown") == ([True, True], [False, False])
    for name in ("uplift.effect", "uplift.action", "intent.probability"):
        assert judged(f"{name} is unknown") == ([True, True], [False, False])
    assert missing(sweep, ["attributes.plan", "rfm.recency", "churn.band"]) == []
    said = missing(sweep, ["attributes.plann", "uplift.low", "intent.hours_ago"])
    assert "did you mean attributes.plan?" in said[0]
    assert "without a store" in said[1]
    assert "no uplift model" in said[2]


def test_intent_is_as_of_its_time() -> None:
    hour = 3_600_000
    told = [Score(0.7, 0.5, AS_OF - 2 * hour), None, Score(0.9, 0.5, AS_OF + 1)]
    found = intent_columns(told, AS_OF)
    assert found["intent.hours_ago"][0] == 2.0
    assert found["intent.probability"][0] == 0.7
    assert all(np.isnan(column[1:]).all() for column in found.values())
    assert set(found) == {column.name for column in BESIDE if column.name.startswith("intent.")}


def test_bands_are_places() -> None:
    assert [level_of(band) for band in Band] == [0.0, 1.0, 2.0]
    assert np.isnan(level_of(None))
    with pytest.raises(ValueError, match="every column"):
        table_of(["a"], {"x": np.zeros(2)})
