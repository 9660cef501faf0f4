"""Presets as data: one expression a column, a stated rule for what is skipped, sides once each."""

from pathlib import Path

import polars as pl
import pytest

from domain.errors import ScientistError
from training.importing.canonical import CANONICAL
from training.importing.presets import PRESETS
from training.importing.presets.preset import Preset, Table

SMALL = Preset(
    name="small",
    about="a log",
    rule="rows without a product are skipped",
    event_table=Table(
        files=("log.csv",),
        keep=pl.col("product") != "",
        columns={"user": pl.col("who"), "kind": pl.lit("click"), "item": pl.col("product")},
    ),
    item_table=Table(
        files=("things.csv", "log.csv"),
        columns={"item": pl.col("product"), "shop": pl.col("shop")},
    ),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "log.csv").write_text("who,product,shop\na,x,1\nb,,2\nc,x,3\nd\n")
    return tmp_path


def test_events_with_what_was_skipped(folder: Path) -> None:
    ((frame, skipped),) = SMALL.counted_events(folder)
    assert list(frame.columns) == list(CANONICAL)
    assert frame["user"].to_list() == ["a", "c", "d"]
    assert frame["fault"].to_list()[2] == "1 fields where the first row has 3"
    assert skipped == 1
    assert frame["event_id"].n_unique() == 3


def test_a_folder_or_the_file_itself_are_the_same(folder: Path) -> None:
    (one,) = SMALL.events(folder)
    (other,) = SMALL.events(str(folder / "log.csv"))
    assert one.equals(other)


def test_sides_come_once_each(folder: Path) -> None:
    (frame,) = SMALL.items(folder)
    assert frame.rows()[0] == ("x", "1")
    assert frame["item"].to_list() == ["x", "", "d"][: frame.height]
    assert list(SMALL.users(folder)) == []
    assert SMALL.sides() == ("items",)


def test_a_better_named_file_goes_first(folder: Path) -> None:
    (folder / "things.csv").write_text("product,shop\ny,9\n")
    (frame,) = SMALL.items(folder)
    assert frame.rows() == [("y", "9")]


def test_a_missing_file_is_asked_for_by_name(tmp_path: Path) -> None:
    with pytest.raises(ScientistError, match=r"small: no events file .* holds log\.csv"):
        list(SMALL.events(tmp_path))


def test_every_preset_says_what_it_is_and_what_its_rows_mean() -> None:
    for name, preset in PRESETS.items():
        assert preset.name == name
        assert preset.about
        assert preset.rule
        assert set(preset.event_table.columns) <= set(CANONICAL)
        assert {"user", "kind", "at"} <= set(preset.event_table.columns)
