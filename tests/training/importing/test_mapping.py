"""Column maps: names, numbers, constants, kinds, properties; and a fault for what is unreadable."""

import math

import polars as pl
import pytest

from domain.errors import ScientistError
from training.importing.canonical import CANONICAL
from training.importing.mapping import Mapping, as_text
from training.importing.readers import FAULT, ROW


def raw(**columns: object) -> pl.DataFrame:
    frame = pl.DataFrame(columns)
    places = pl.int_range(1, frame.height + 1, dtype=pl.Int64, eager=True)
    return frame.with_columns(places.alias(ROW), pl.lit("").alias(FAULT))


TEXT = raw(who=["anna ", ""], what=["pv", "buy"], when=["1500000000", "soon"], n=["2.5", "many"])
BASE = {"user": "who", "kind": "what", "at": "when"}


def test_columns_by_name_number_and_constant() -> None:
    mapping = Mapping({"user": "1", "kind": "=click", "at": "when", "currency": "=EUR"})
    made = mapping.apply(TEXT)
    assert list(made.columns) == list(CANONICAL)
    assert made["user"].to_list() == ["anna", ""]
    assert made["kind"].to_list() == ["click", "click"]
    assert made["at"].to_list() == [1_500_000_000_000, None]
    assert made["currency"].to_list() == ["EUR", "EUR"]


def test_constants_of_every_type() -> None:
    columns = {**BASE, "at": "=2020-07-01T12:30", "value": "=2.5", "quantity": "=3"}
    made = Mapping(columns, zone="Europe/Berlin").apply(TEXT)
    assert made.select("at", "value", "quantity").row(0) == (1_593_599_400_000, 2.5, 3.0)
    assert set(made["fault"]) == {""}


def test_words_for_kinds() -> None:
    made = Mapping(BASE, kinds={"pv": "click"}).apply(TEXT)
    assert made["kind"].to_list() == ["click", "buy"]


def test_what_cannot_be_read_is_a_fault_and_what_is_blank_is_none() -> None:
    frame = raw(who=["a", "b", "c", "d"], when=["1500000000", "soon", "", "1500000001"],
                n=["1", "", "x", "y"])  # fmt: skip
    made = Mapping({"user": "who", "kind": "=click", "at": "when", "value": "n"}).apply(frame)
    assert made["fault"].to_list() == [
        "", "at: not a time that can be read", "value: not a number", "value: not a number",
    ]  # fmt: skip
    assert made["value"].to_list() == [1.0, None, None, None]


def test_typed_columns() -> None:
    frame = raw(who=[1.0, 17850.0, math.nan, None], n=[1, 2, 3, 4])
    made = Mapping({"user": "who", "kind": "=click", "quantity": "n"}).apply(frame)
    assert made["user"].to_list() == ["1", "17850", "", ""]
    assert made["quantity"].to_list() == [1.0, 2.0, 3.0, 4.0]
    assert as_text(pl.Series([1.5, 2.0])).to_list() == ["1.5", "2.0"]


def test_properties_become_json_without_blanks() -> None:
    frame = raw(who=["a", "b"], shop=['say "hi"', ""], n=[3, None])
    made = Mapping({"user": "who"}, properties={"store": "shop", "n": "n"}).apply(frame)
    assert made["properties"].to_list() == ['{"store":"say \\"hi\\"","n":3}', ""]


def test_unknown_columns_are_named_beside_the_known() -> None:
    with pytest.raises(ScientistError, match="no column 'whom'; the file has: who, what"):
        Mapping({"user": "whom"}).apply(TEXT)
    with pytest.raises(ScientistError, match="no column '9'"):
        Mapping({"user": "9"}).apply(TEXT)


def test_lists_are_no_ids() -> None:
    with pytest.raises(ScientistError, match="holds lists or structures"):
        Mapping({"user": "who"}).apply(raw(who=[["a"], ["b"]]))


def test_with_kind_leaves_the_rest() -> None:
    assert Mapping(BASE).with_kind("custom").columns == {**BASE, "kind": "=custom"}
