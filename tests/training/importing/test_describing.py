"""Descriptions of items, users and labels: which column is what, and the rest attributes."""

import polars as pl
import pytest

from domain.errors import ScientistError
from training.importing.attributes import item_of
from training.importing.describing import Description, labels_frame
from training.importing.mapping import Mapping
from training.importing.readers import FAULT, ROW


def raw(**columns: object) -> pl.DataFrame:
    frame = pl.DataFrame(columns)
    places = pl.int_range(1, frame.height + 1, dtype=pl.Int64, eager=True)
    return frame.with_columns(places.alias(ROW), pl.lit("").alias(FAULT))


def only(description: Description, **cells: object) -> dict[str, object]:
    (row,) = description.apply(raw(**{name: [cell] for name, cell in cells.items()})).to_dicts()
    return {name: value for name, value in row.items() if name not in (ROW, FAULT)}


def test_everything_else_is_an_attribute() -> None:
    found = only(Description("item", {"item": "sku"}), sku=7.0, brand=" Tern ", year=1995, ok=True)
    assert found == {"item": "7", "brand": "Tern", "year": 1995, "ok": True}


def test_stated_attributes_with_types() -> None:
    wanted = {
        "brand": ("Marke", ""),
        "size": ("cm", "number"),
        "fresh": ("new", "flag"),
        "tags": ("words", "list"),
        "code": ("n", "text"),
    }
    description = Description("item", {"item": "sku"}, attributes=wanted, separator=";")
    found = only(
        description, sku="a", Marke="Tern", cm="2.5", new="Yes", words="x;y", n=3, more="?"
    )
    assert found == {
        "item": "a", "brand": "Tern", "size": 2.5, "fresh": True, "tags": ["x", "y"], "code": "3",
    }  # fmt: skip


def test_categories_from_several_columns_each_once() -> None:
    description = Description("item", {"item": "sku"}, ("top", "below"))
    found = only(description, sku="a", top="Food", below="Bread | Food || Rolls")
    assert found == {"item": "a", "categories": ["Food", "Bread", "Rolls"]}


def test_a_described_row_is_an_item() -> None:
    description = Description(
        "item",
        {"item": "sku", "title": "name", "price": "cost", "available": "stock",
         "expires_at": "until"},
    )  # fmt: skip
    found = only(description, sku="a", name="Thing", cost="2.50", stock="no", until="2020-07-01")
    item = item_of(found)
    assert (item.title, item.price, item.available) == ("Thing", 2_500_000, False)
    assert item.expires_at == 1_593_561_600_000


def test_an_unreadable_time_is_a_fault() -> None:
    description = Description("item", {"item": "sku", "created_at": "born"})
    made = description.apply(raw(sku=["a", "b"], born=["soon", ""]))
    assert made[FAULT].to_list() == ["created_at: not a time that can be read", ""]


def test_a_column_named_like_ours_must_be_mapped() -> None:
    with pytest.raises(ScientistError, match="column 'price' is named like a field of ours"):
        Description("item", {"item": "sku"}).apply(raw(sku=["a"], price=["1"]))
    assert only(Description("user", {"user": "id"}), id="a", price="1") == {
        "user": "a", "price": "1",
    }  # fmt: skip


def test_labels_from_a_column_or_a_constant() -> None:
    mapping = Mapping({"user": "id", "at": "when"}).with_kind("custom")
    frame = raw(id=["a", "b"], when=["2020-07-01", "soon"], gone=[" yes", None])
    made = labels_frame(frame, mapping, "gone")
    assert made.rows() == [
        (1, "a", 1_593_561_600_000, "", "yes"),
        (2, "b", None, "at: not a time that can be read", ""),
    ]
    assert labels_frame(frame, mapping, "=left")["label"].to_list() == ["left", "left"]
