"""Attributes as columns: what each kind of value says, parts joined, texts never kept."""

from math import inf, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.conditions import Free
from domain.ids import hash64
from feature_store.sweeps import attributes
from feature_store.sweeps.attributes import (
    attribute_columns,
    column_of,
    joined_attributes,
    names_in,
    said,
)
from feature_store.sweeps.table import SweepTable, joined, table_of

VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from(["gold", "Tin", "3", "", " "]),
    st.sampled_from([0, 3, -2.5, inf, nan]),
    st.just(["a"]),
)
PEOPLE = st.lists(st.dictionaries(st.sampled_from(["plan", "Age", "é x"]), VALUES), max_size=5)


@pytest.mark.parametrize(
    ("value", "number", "word"),
    [
        ("Gold", nan, "gold"),
        (" gold ", nan, "gold"),
        ("007", 7.0, "007"),
        (3, 3.0, None),
        (-2.5, -2.5, None),
        (True, nan, "true"),
        (False, nan, "false"),
        ("nan", nan, "nan"),
        ("inf", nan, "inf"),
        ("", nan, None),
        (None, nan, None),
        (inf, nan, None),
        (-inf, nan, None),
        (nan, nan, None),
        (["gold"], nan, None),
        ({"a": 1}, nan, None),
    ],
)
def test_what_a_value_says(value: object, number: float, word: str | None) -> None:
    found = said(value)
    assert found.numbers == pytest.approx(number, nan_ok=True)
    assert found.words == (0 if word is None else hash64(word))


def same(one: Free, other: Free) -> None:
    np.testing.assert_array_equal(one.numbers, other.numbers)
    np.testing.assert_array_equal(one.words, other.words)


@given(st.lists(PEOPLE, min_size=1, max_size=4))
def test_parts_below_one_another_are_the_whole(parts: list[list[dict[str, object]]]) -> None:
    tables = [table(people) for people in parts]
    whole = table([person for people in parts for person in people])
    one = joined(tables)
    again = SweepTable(one.users, {**one.columns, **joined_attributes(tables)})
    assert set(names_in(again.columns)) == set(names_in(whole.columns))
    for name in ("plan", "age", "é x", "nothing"):
        same(column_of(again, name), column_of(whole, name))


def table(people: list[dict[str, object]]) -> SweepTable:
    users = [f"u{place}" for place in range(len(people))]
    return table_of(users, attribute_columns(people))


def test_names_are_in_lower_case_and_texts_are_not_kept() -> None:
    columns = attribute_columns([{"Plan": "secret", "age": 3}, {"plan": 7}, {}])
    assert set(columns) == {"attributes.plan", "words.plan", "attributes.age"}
    assert names_in(columns) == ["plan", "age"]
    assert columns["words.plan"].tolist() == [hash64("secret"), 0, 0]
    np.testing.assert_array_equal(columns["attributes.plan"], [nan, 7.0, nan])
    assert all(column.dtype != object for column in columns.values())


def test_only_the_most_common_names_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attributes, "MOST", 2)
    parts = [
        [{"a": 1, "b": 1, "c": 1}, {"a": 1, "b": 1}],
        [{"c": 1, "d": 1}, {"c": 1, "d": 1}, {"c": 1}],
    ]
    assert names_in(attribute_columns(parts[0])) == ["a", "b"]
    kept = joined_attributes([table(people) for people in parts])
    # Of the first part c was let go, so 3 of 4 are known: still the most of all.
    assert names_in(kept)[0] == "c"
    assert len(names_in(kept)) == 2
