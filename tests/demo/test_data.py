"""What is imported: presets by their files, logs by their columns, and what is missing in words."""

from pathlib import Path

import polars as pl
import pytest

from demo.data import QUICK_HOUSEHOLDS, data_of, quick_grocery
from demo.telling import DemoFailed
from training.importing.presets import PRESETS
from training.importing.presets.grocery import installed_data


def test_a_known_set_by_its_files(tmp_path: Path) -> None:
    (tmp_path / "CDNOW_sample.txt").write_text(" 00004 0001 19970101  2   29.33\n")
    for path in (tmp_path, tmp_path / "CDNOW_sample.txt"):
        data = data_of(path, False, tmp_path)
        assert data.commands == (("--preset", "cdnow-sample", str(path)),)
        assert data.currency == "USD"


def test_a_log_with_a_kind(tmp_path: Path) -> None:
    log = tmp_path / "shop.csv"
    log.write_text("user,item,event,at\na,b,view,1500000000\n")
    assert data_of(log, False, tmp_path).commands == ((str(log),),)


def test_a_folder_with_events_and_items(tmp_path: Path) -> None:
    log, items = tmp_path / "events.jsonl", tmp_path / "items.csv"
    log.write_text('{"user":"a","item":"b","at":1500000000}\n')
    items.write_text("item,brand\nb,Tern\n")
    assert data_of(tmp_path, False, tmp_path).commands == (
        (str(items), "--what", "items"),
        (str(log), "--kind", "=purchase"),
    )


def test_what_is_missing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DemoFailed, match="nothing at"):
        data_of(tmp_path / "gone", False, tmp_path)
    with pytest.raises(DemoFailed, match="no events file in"):
        data_of(tmp_path, False, tmp_path)
    monkeypatch.setattr("training.importing.presets.grocery.find_spec", lambda name: None)
    with pytest.raises(DemoFailed, match="make demo DATA=path"):
        data_of(None, False, tmp_path)


def test_the_quick_part_is_of_whole_households(tmp_path: Path) -> None:
    folder = installed_data()
    if folder is None:
        pytest.skip("the grocery data is not installed (extra demo)")
    data = quick_grocery(folder, tmp_path / "quick")
    assert data.commands == (("--preset", "completejourney", str(tmp_path / "quick")),)
    part = pl.read_parquet(tmp_path / "quick" / "transactions.parquet")
    assert part["household_id"].n_unique() == QUICK_HOUSEHOLDS
    whole = pl.read_parquet(folder / "transactions.parquet")
    assert part.height == whole["household_id"].is_in(part["household_id"].implode()).sum()
    assert part["transaction_timestamp"].is_sorted()
    items = pl.concat(PRESETS["completejourney"].items(tmp_path / "quick"))
    assert set(items["item"]) <= set(part["product_id"].cast(pl.String))
