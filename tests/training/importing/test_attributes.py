"""Items and users: what differs is written, what is the same is left, what is wrong is named."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from domain.clock import FixedClock
from domain.errors import BadField
from domain.items import Item
from feature_store.memory import MemoryStore
from training.importing.attributes import attribute, item_of, patch_users, put_items
from training.importing.landing import Landing
from training.importing.readers import FAULT, ROW

NOW = 1_700_000_000_000
ITEMS = pl.DataFrame(
    {
        "item": ["a", "b"],
        "title": ["A thing", None],
        "categories": [["X", "Y"], None],
        "price": [2.5, None],
        "hidden": [False, True],
        "brand": ["Tern", None],
        "year": [1995.0, None],
        "tags": [["t1", "t2"], []],
    }
)
A = Item(
    "a", "A thing", ("X", "Y"), {"brand": "Tern", "year": 1995.0, "tags": ["t1", "t2"]}, 2_500_000,
    created_at=NOW,
)  # fmt: skip


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        (None, None), ("", None), ([], None), (float("nan"), None), ("x", "x"), (True, True),
        (3, 3.0), (2.5, 2.5), (["a", None, 1], ["a", "1"]), (b"x", "b'x'"),
    ],
)  # fmt: skip
def test_cells_as_attributes(cell: object, value: object) -> None:
    made = attribute(cell)
    assert made == value
    assert type(made) is type(value)


async def test_items_are_put_and_the_second_time_left(
    landing: Landing, store: MemoryStore, clock: FixedClock
) -> None:
    counts = await put_items([("items.csv", ITEMS)], landing, id)
    assert (counts.read, counts.accepted, counts.duplicates) == (2, 2, 0)
    assert await store.get_items(["a", "b"]) == [A, Item("b", hidden=True, created_at=NOW)]
    version = (await store.read([])).items_version
    clock.advance(1_000)
    again = await put_items([("items.csv", ITEMS)], landing, id)
    assert (again.accepted, again.duplicates) == (0, 2)
    assert (await store.read([])).items_version == version


async def test_a_changed_item_keeps_its_birthday(
    landing: Landing, store: MemoryStore, clock: FixedClock
) -> None:
    await put_items([("items.csv", ITEMS)], landing, id)
    clock.advance(1_000)
    dearer = ITEMS.head(1).with_columns(pl.lit(3).alias("price"))
    counts = await put_items([("items.csv", dearer)], landing, id)
    assert counts.accepted == 1
    (item,) = await store.get_items(["a"])
    assert item is not None
    assert (item.price, item.created_at) == (3_000_000, NOW)


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ({"item": ""}, "item"),
        ({"item": None}, "item"),
        ({"item": "a", "price": "dear"}, "price"),
        ({"item": "a", "price": float("inf")}, "price"),
        ({"item": "a", "hidden": "perhaps"}, "hidden"),
    ],
)
def test_wrong_items_name_their_field(row: dict[str, Any], field: str) -> None:
    with pytest.raises(BadField) as caught:
        item_of(row)
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("text", "flag"), [("Yes", True), ("0", False), (" true ", True), ("", None)]
)
def test_flags_in_words(text: str, flag: bool | None) -> None:
    item = item_of({"item": "a", "available": text, "hidden": text})
    assert item.hidden is (flag is True)
    assert item.available is (flag is not False)


async def test_a_bad_row_costs_no_good_neighbour(landing: Landing, tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {ROW: [11, 12, 13], FAULT: ["", "cut", ""], "item": ["a", "b", " c"], "brand": ["x"] * 3}
    )
    counts = await put_items([("items.csv", frame)], landing, id)
    assert (counts.read, counts.accepted) == (3, 1)
    assert counts.rejected == {"unreadable": 1, "bad_field": 1}
    landing.rejects.__exit__()
    lines = (tmp_path / "rejects.csv").read_text().splitlines()[1:]
    assert [line.split(",")[1:4] for line in lines] == [
        ["12", "", "unreadable"],
        ["13", "item", "bad_field"],
    ]
    (item,) = await landing.store.get_items(["a"])
    assert item is not None
    assert item.attributes == {"brand": "x"}


USERS = pl.DataFrame(
    {"user": ["anna", "bert", ""], "age": [33, None, 1], "city": ["Husum", "", ""]}
)


async def test_users_are_merged_and_the_second_time_left(
    landing: Landing, store: MemoryStore, clock: FixedClock
) -> None:
    await store.patch_profile("anna", NOW, attributes={"vip": True}, consent={"analytics": False})
    counts = await patch_users([("users.csv", USERS)], landing, id)
    assert (counts.read, counts.accepted, counts.rejected.total()) == (3, 2, 1)
    anna, bert = (await store.read(["uanna", "ubert"])).states
    assert anna.profile is not None
    assert anna.profile.attributes == {"vip": True, "age": 33.0, "city": "Husum"}
    assert anna.profile.consent == {"analytics": False}
    assert bert.profile is not None
    clock.advance(1_000)
    again = await patch_users([("users.csv", USERS)], landing, id)
    assert (again.accepted, again.duplicates) == (0, 2)
    (anna,) = (await store.read(["uanna"])).states
    assert anna.profile is not None
    assert anna.profile.updated_at == NOW


async def test_an_infinite_attribute_is_refused_by_its_name_and_a_missing_one_is_missing(
    landing: Landing, store: MemoryStore
) -> None:
    rows = [
        {"user": "anna", "age": float("inf"), "plan": "gold"},
        {"user": "bert", "age": float("nan"), "plan": "gold"},
        {"user": " ", "age": 3.0, "plan": "gold"},
        {"user": "cleo", "age": -float("inf"), "plan": None},
    ]
    counts = await patch_users([("users.csv", pl.DataFrame(rows))], landing, id)
    assert (counts.accepted, counts.rejected) == (1, {"bad_field": 3})
    anna, bert = await store.read_profiles(["anna", "bert"])
    assert anna.profile is None
    assert bert.profile is not None
    assert bert.profile.attributes == {"plan": "gold"}
    landing.rejects.__exit__()
    refused = landing.rejects.path.read_text().splitlines()
    assert any("age" in line and "finite" in line for line in refused)
    with pytest.raises(BadField) as caught:
        item_of({"item": "tea", "weight": float("inf")})
    assert caught.value.field == "weight"
