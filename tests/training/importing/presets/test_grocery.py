"""The Complete Journey: lines, baskets, titles people can read, and what is hidden."""

from datetime import datetime
from pathlib import Path

import polars as pl
import pytest

from training.importing.presets import PRESETS
from training.importing.presets.grocery import installed_data

PRESET = PRESETS["completejourney"]
MOMENT = datetime(2017, 1, 1, 11, 53, 26)  # noqa: DTZ001 - as the table has it
PRODUCTS = [
    ("1", "PRODUCE", "National", "TROPICAL FRUIT", "BANANAS", "40 LB"),
    ("2", "GROCERY", "Private", "BREAD", "BREAD:ITALIAN/FRENCH", None),
    ("3", "GROCERY", "National", "CHEESE", "CREAM CHEESE", "L     8 OZ"),
    ("4", "MISCELLANEOUS", "National", None, None, None),
    ("5", "DRUG GM", "National", "CIGARETTES", "CIGARETTES", None),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    lines = [(900, 31, 1, 1, 0.5), (900, 31, 2, 0, 0.0), (900, 31, 3, 0, 1.25)]
    names = ["household_id", "basket_id", "product_id", "quantity", "sales_value"]
    frame = pl.DataFrame(lines, schema=names, orient="row")
    frame = frame.with_columns(pl.lit(MOMENT).alias("transaction_timestamp"))
    frame.write_parquet(tmp_path / "transactions.parquet")
    names = ["product_id", "department", "brand", "product_category", "product_type",
             "package_size"]  # fmt: skip
    products = pl.DataFrame(PRODUCTS, schema=names, orient="row")
    products = products.with_columns(pl.lit(7).alias("manufacturer_id"))
    products.write_parquet(tmp_path / "products.parquet")
    return tmp_path


def test_lines_as_purchases(folder: Path) -> None:
    ((frame, skipped),) = PRESET.counted_events(folder)
    assert skipped == 1
    assert frame.select("user", "session", "item", "value", "quantity").rows() == [
        ("900", "31", "1", 0.5, 1.0),
        ("900", "31", "3", 1.25, 1.0),
    ]
    assert frame["at"].to_list()[0] == 1_483_271_606_000


def test_items(folder: Path) -> None:
    (items,) = PRESET.items(folder)
    assert items.select("title", "hidden").rows() == [
        ("Bananas, 40 lb", False),
        ("Bread: Italian/French", False),
        ("Cream Cheese, l 8 oz", False),
        ("Miscellaneous", True),
        ("Cigarettes", True),
    ]
    assert items["categories"].to_list()[0] == ["PRODUCE", "TROPICAL FRUIT"]
    assert items["categories"].to_list()[3] == ["MISCELLANEOUS"]


def test_the_published_counts() -> None:
    data = installed_data()
    if data is None:
        pytest.skip("the grocery data is not installed (extra demo)")
    assert PRESET.home is installed_data
    whole = list(PRESET.counted_events(data))
    frame = pl.concat(frame for frame, _ in whole)
    assert frame.height + sum(skipped for _, skipped in whole) == 1_469_307
    assert frame["user"].n_unique() == 2_469
    assert pl.concat(PRESET.items(data)).height == 92_331
    assert pl.concat(PRESET.users(data)).height == 801
