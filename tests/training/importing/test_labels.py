"""Label sets: kept whole with their passport, checked, and found out when changed."""

from pathlib import Path

import polars as pl
import pytest

from domain.errors import ScientistError
from domain.events import check_event
from feature_store.memory import MemoryStore
from training.importing.labels import load_labels, store_labels
from training.importing.landing import Landing

NOW = 1_700_000_000_000
ROWS = [
    (2, "anna", 10, "left", ""),
    (3, "bert", 20, "stayed", ""),
    (4, "anna", 10, "left", ""),
    (5, "anna", 10, "stayed", ""),
    (6, "anna", 30, "stayed", ""),
    (7, " x", 10, "left", ""),
    (8, "bert", None, "left", ""),
    (9, "bert", 10, "", ""),
    (10, "", None, "", "cut"),
]


def frame_of(rows: list[tuple[int, str, int | None, str, str]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=["row", "user", "at", "label", "fault"], orient="row")


async def test_kept_with_a_passport(landing: Landing, store: MemoryStore, tmp_path: Path) -> None:
    await store.append([check_event(now_ms=NOW, user="anna", kind="login", at=NOW)], NOW)
    frames = [("labels.csv", frame_of(ROWS))]
    manifest, counts = await store_labels(
        frames,
        landing,
        tmp_path,
        "churn",
    )
    assert (counts.read, counts.accepted, counts.duplicates) == (9, 3, 1)
    assert counts.rejected == {"conflict": 1, "bad_field": 1, "missing": 2, "unreadable": 1}
    assert (manifest.rows, manifest.users, manifest.unknown_users) == (3, 2, 1)
    assert (manifest.first_at, manifest.last_at) == (10, 30)
    assert manifest.labels == {"stayed": 2, "left": 1}
    frame, same = load_labels(tmp_path, "churn")
    assert same == manifest
    assert frame.rows() == [("anna", 10, "left"), ("anna", 30, "stayed"), ("bert", 20, "stayed")]


async def test_a_second_import_takes_the_place_of_the_first(
    landing: Landing, tmp_path: Path
) -> None:
    for rows in (ROWS[:3], ROWS[1:2]):
        await store_labels([("l", frame_of(rows))], landing, tmp_path, "churn")
    frame, _ = load_labels(tmp_path, "churn")
    assert frame.rows() == [("bert", 20, "stayed")]
    assert {path.name for path in (tmp_path / "labels").iterdir()} == {
        "churn.parquet", "churn.json",
    }  # fmt: skip


async def test_a_changed_file_is_found_out(landing: Landing, tmp_path: Path) -> None:
    await store_labels([("l", frame_of(ROWS))], landing, tmp_path, "churn")
    path = tmp_path / "labels" / "churn.parquet"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(ScientistError, match="not as it was imported"):
        load_labels(tmp_path, "churn")


async def test_what_cannot_be_kept(landing: Landing, tmp_path: Path) -> None:
    with pytest.raises(ScientistError, match="small letters"):
        await store_labels([("l", frame_of(ROWS))], landing, tmp_path, "../up")
    with pytest.raises(ScientistError, match="no row of the label file"):
        await store_labels([("l", frame_of(ROWS[5:]))], landing, tmp_path, "churn")
    with pytest.raises(ScientistError, match="no readable label set 'churn'"):
        load_labels(tmp_path, "churn")
