"""CDNOW: five columns of text, a purchase a line, and the published counts."""

from pathlib import Path

import polars as pl

from training.importing.presets import PRESETS

PRESET = PRESETS["cdnow-sample"]


def test_lines(tmp_path: Path) -> None:
    path = tmp_path / "CDNOW_sample.txt"
    path.write_bytes(
        b" 00004 0001 19970101  2   29.33\r\n 00004 0001 19970132  1    0.00\r\n 1 2\r\n"
    )
    (frame,) = PRESET.events(tmp_path)
    first = frame.row(0, named=True)
    assert (first["user"], first["kind"], first["item"]) == ("00004", "purchase", "")
    assert (first["at"], first["value"], first["quantity"]) == (852_076_800_000, 29.33, 2.0)
    assert frame["fault"].to_list() == ["", "at: not a date", "not five columns"]


def test_the_published_counts(data_dir: Path) -> None:
    frame = pl.concat(PRESET.events(data_dir / "cdnow-sample"))
    assert (frame.height, frame["user"].n_unique()) == (6_919, 2_357)
    assert set(frame["fault"]) == {""}
