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
    toy_story = items.row(0, named=True)
    assert items.row(0)[:4] == ("1", "Toy Story", ["Animation", "Children's", "Comedy"], 1995.0)
    assert (len(toy_story["directors"]), len(toy_story["actors"])) == (1, 37)
    assert items["sequels"].is_not_null().sum() > 50
    users = pl.concat(PRESETS["ml-100k"].users(data_dir / "ml-100k"))
    assert (users.height, users.row(0)) == (943, ("1", 24.0, "M", "technician"))


def test_films_without_freebase_beside_them(tmp_path: Path) -> None:
    film = tmp_path / "ml-100k.item"
    film.write_text(
        "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n"
        "9\tSolo\t1990\tDrama\n"
    )
    (row,) = pl.concat(PRESETS["ml-100k"].items(tmp_path)).rows(named=True)
    assert (row["item"], row["year"], row["directors"]) == ("9", 1990.0, None)
    (tmp_path / "ml-100k.link").write_text("item_id:token\tentity_id:token\n9\tm.1\n8\tm.2\n")
    (tmp_path / "ml-100k.kg").write_text(
        "head_id:token\trelation_id:token\ttail_id:token\n"
        "m.1\tfilm.film.actor\tm.7\nm.1\tfilm.film.actor\tm.8\nm.1\tfilm.film.actor\tm.7\n"
        "m.2\tfilm.film.actor\tm.9\nm.1\tfilm.actor.film\tm.6\nm.1\tfilm.film.award_won\tm.5\n"
    )
    (row,) = pl.concat(PRESETS["ml-100k"].items(tmp_path)).rows(named=True)
    assert (row["actors"], row["directors"]) == (["m.7", "m.8"], None)
