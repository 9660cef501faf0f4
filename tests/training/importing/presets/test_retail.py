"""Online Retail: unknown customers are sessions, C-invoices refunds, corrections nothing."""

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from training.importing.presets import PRESETS

PRESET = PRESETS["online-retail"]
AT = datetime(2011, 1, 1, 12, tzinfo=UTC)
LINES = [
    ("500", "A", "a thing", 2, 2.5, 1, "Norway"),
    ("500", "A", "a thing", 2, 2.5, 1, "Norway"),
    ("501", "K", "b thing", 1, 3.0, None, "France"),
    ("C502", "A", "a thing", -2, 2.5, 1, "Norway"),
    ("503", "K", "b thing", 1, 0.0, 2, "Spain"),
    ("504", "K", "damaged", -9, 0.0, None, "Spain"),
    ("505", "K", "found", 9, 0.0, None, "Spain"),
    ("A506", "K", "Adjust bad debt", 1, -11_062.06, None, "Spain"),
    ("507", "POST", "POSTAGE", 1, 18.0, 2, "Spain"),
]
NAMES = ("InvoiceNo", "StockCode", "Description", "Quantity", "UnitPrice", "CustomerID", "Country")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    frame = pl.DataFrame(LINES, schema=list(NAMES), orient="row")
    frame = frame.with_columns(pl.lit(AT.replace(tzinfo=None)).alias("InvoiceDate"))
    frame.write_parquet(tmp_path / "online_retail.parquet")
    return tmp_path


def test_lines_as_events(folder: Path) -> None:
    ((frame, skipped),) = PRESET.counted_events(folder)
    assert skipped == 3
    found = frame.select("user", "session", "kind", "item", "value", "quantity").rows()
    assert found == [
        ("1", "500", "purchase", "A", 5.0, 2.0),
        ("1", "500", "purchase", "A", 5.0, 2.0),
        ("", "501", "purchase", "K", 3.0, 1.0),
        ("1", "C502", "refund", "A", 5.0, 2.0),
        ("2", "503", "purchase", "K", 0.0, 1.0),
        ("2", "507", "purchase", "POST", 18.0, 1.0),
    ]
    assert frame["event_id"].n_unique() == 6
    assert set(frame["at"]) == {int(AT.timestamp() * 1000)}
    assert set(frame["currency"]) == {"GBP"}


def test_items_and_customers(folder: Path) -> None:
    (items,) = PRESET.items(folder)
    assert items.rows() == [
        ("A", "A Thing", 2.5, False), ("K", "B Thing", 3.0, False), ("POST", "Postage", 18.0, True),
    ]  # fmt: skip
    (users,) = PRESET.users(folder)
    assert users.rows() == [("1", "Norway"), ("2", "Spain")]


def test_the_published_counts(data_dir: Path) -> None:
    whole = list(PRESET.counted_events(data_dir / "online-retail"))
    frame = pl.concat(frame for frame, _ in whole)
    assert frame.height + sum(skipped for _, skipped in whole) == 541_909
    assert frame.filter(pl.col("user") != "")["user"].n_unique() == 4_372
    assert frame.filter(pl.col("kind") == "refund").height == 9_288
