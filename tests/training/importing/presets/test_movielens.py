"""MovieLens 100K as published: its counts, one known rating, one known film and user."""

from pathlib import Path

import polars as pl

from training.importing.presets import PRESETS


def test_ratings(data_dir: Path) -> None:
    frame = pl.concat(PRESETS["ml-100k"].events(data_dir / "ml-100k"))
    assert (frame.height, frame["user"].n_unique(), frame["item"].n_unique()) == (
        100_000,
        943,
        1_682,
    )
    first = frame.row(0, named=True)
    assert (first["user"], first["item"], first["value"]) == ("196", "242", 3.0)
    assert first["at"] == 881_250_949_000
    assert set(frame["kind"]) == {"rating"}
    assert set(frame["fault"]) == {""}


def test_films_and_users(data_dir: Path) -> None:
    items = pl.concat(PRESETS["ml-100k"].items(data_dir / "ml-100k"))
    assert items.height == 1_682
    assert items.row(0) == ("1", "Toy Story", ["Animation", "Children's", "Comedy"], 1995.0)
    users = pl.concat(PRESETS["ml-100k"].users(data_dir / "ml-100k"))
    assert (users.height, users.row(0)) == (943, ("1", 24.0, "M", "technician"))
