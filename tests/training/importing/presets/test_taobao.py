"""Taobao behaviour: words to kinds, strays skipped by local time, bad times refused."""

from pathlib import Path

import polars as pl
import pytest

from training.importing.presets import PRESETS
from training.importing.presets.taobao import END_S, FIRST_S

PRESET = PRESETS["taobao-behaviour"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    lines = [
        f"1,10,100,pv,{FIRST_S}", f"1,11,100,cart,{FIRST_S + 1}", f"2,10,100,fav,{END_S - 1}",
        f"2,12,101,buy,{END_S - 2}", f"3,10,100,pv,{FIRST_S - 1}", f"3,10,100,pv,{END_S}",
        "4,10,100,pv,never",
    ]  # fmt: skip
    (tmp_path / "small_sample.csv").write_text("\n".join(lines))
    return tmp_path


def test_the_days_are_those_of_shanghai() -> None:
    assert (FIRST_S, END_S) == (1_511_539_200, 1_512_316_800)


def test_kinds_and_strays(folder: Path) -> None:
    ((frame, skipped),) = PRESET.counted_events(folder)
    assert skipped == 2
    assert frame["kind"].to_list() == ["click", "add_to_cart", "custom", "purchase", "click"]
    assert frame["properties"].to_list()[2] == '{"action":"favourite"}'
    assert frame["at"].to_list()[0] == FIRST_S * 1000
    assert frame["fault"].to_list() == ["", "", "", "", "at: not an epoch number"]


def test_the_category_is_the_items(folder: Path) -> None:
    (items,) = PRESET.items(folder)
    assert items.rows() == [("10", ["100"]), ("11", ["100"]), ("12", ["101"])]


def test_the_published_counts(data_dir: Path) -> None:
    whole = list(PRESET.counted_events(data_dir / "taobao-behaviour"))
    frame = pl.concat(frame for frame, _ in whole)
    assert sum(skipped for _, skipped in whole) == 44
    assert (frame.height, frame["user"].n_unique()) == (99_957, 983)
    assert set(frame["fault"]) == {""}
