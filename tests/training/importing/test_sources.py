"""Sources: options and paths to frames, with what is unknown asked for in words."""

from pathlib import Path

import polars as pl
import pytest

from domain.errors import ScientistError
from training.importing.describing import Description
from training.importing.mapping import Mapping
from training.importing.presets import PRESETS
from training.importing.sources import (
    Files,
    completed,
    described,
    event_frames,
    event_times,
    labelled,
    preset_path,
    total_rows,
)

LINES = "user,product,when\nanna,a,2020-01-01\nanna,a,2020-01-01\nbert,b,2020-01-02\n"
MAPPING = Mapping({"user": "user", "item": "product", "kind": "=click", "at": "when"})


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "log.csv"
    path.write_text(LINES)
    return path


def ids(*paths: Path) -> list[str]:
    frames = event_frames(Files(paths), MAPPING, "", paths[0].parent)
    return [name for source in frames for name in source.frame["event_id"]]


def test_a_row_repeated_in_a_file_is_two_events_and_in_two_files_one(log: Path) -> None:
    copy = log.with_name("copy.csv")
    copy.write_text("user,product,when\nbert,b,2020-01-02\nanna,a,2020-01-01\n")
    first, second, third, *copied = ids(log, copy)
    assert second == first + "-1"
    assert copied == [third, first]


def test_ids_survive_another_name_and_format(log: Path) -> None:
    parquet = log.with_name("other.parquet")
    pl.read_csv(log).write_parquet(parquet)
    assert ids(parquet) == ids(log)


def test_names_and_rows(log: Path, tmp_path: Path) -> None:
    assert Files((log,)).names() == ["user", "product", "when"]
    assert Files((log,)).rows() is None
    parquet = tmp_path / "x.parquet.brotli"
    pl.DataFrame({"a": [1, 2]}).write_parquet(parquet, compression="brotli")
    assert total_rows((parquet, parquet)) == 4
    empty = tmp_path / "empty.csv"
    empty.write_text("a,b\n")
    with pytest.raises(ScientistError, match=r"empty\.csv holds no rows"):
        Files((empty,)).names()


def test_recognised_columns_fill_the_gaps_and_are_said() -> None:
    said: list[str] = []
    names = ["user_id", "event_type", "ts", "sku", "price"]
    made = completed(Mapping({"item": "sku"}), names, said.append)
    assert made.columns == {
        "user": "user_id", "kind": "event_type", "at": "ts", "value": "price", "item": "sku",
    }  # fmt: skip
    assert made.kinds["view"] == "click"
    assert said == ["recognised: user = user_id, kind = event_type, at = ts, value = price"]


def test_a_column_already_used_is_not_taken_twice() -> None:
    names = ["user_id", "date", "x"]
    made = completed(Mapping({"item": "user_id", "user": "x", "kind": "=click"}), names, print)
    assert made.columns == {"item": "user_id", "user": "x", "kind": "=click", "at": "date"}
    assert made.kinds == {}


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["kind", "at"], "which column is the user or the session"),
        (["user", "at"], "say what happened"),
        (["user", "kind"], "which column is the time"),
    ],
)
def test_what_stays_unknown_is_asked_for(names: list[str], message: str) -> None:
    with pytest.raises(ScientistError, match=message):
        completed(Mapping({}), names, print)


def test_times_without_ids(log: Path) -> None:
    (frame,) = event_times(Files((log,)), MAPPING)
    assert frame["at"].to_list() == [1_577_836_800_000, 1_577_836_800_000, 1_577_923_200_000]


def test_items_and_labels(log: Path) -> None:
    files = Files((log,))
    ((name, frame),) = described(files, Description("item", {"item": "product"}, attributes={}))
    assert (name, frame["item"].to_list()) == ("log.csv", ["a", "a", "b"])
    ((name, frame),) = labelled(files, MAPPING, "=left")
    assert frame["label"].to_list() == ["left"] * 3


def test_where_a_preset_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    preset = PRESETS["cdnow-sample"]
    assert preset_path(preset, [tmp_path]) == tmp_path
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ScientistError, match=r"pass the folder that holds CDNOW_sample\.txt"):
        preset_path(preset, [])
    (tmp_path / "cdnow-sample").mkdir()
    assert preset_path(preset, []) == Path("cdnow-sample")
    with pytest.raises(ScientistError, match="one path"):
        preset_path(preset, [tmp_path, tmp_path])
    with pytest.raises(ScientistError, match="no such path: gone"):
        preset_path(preset, [tmp_path / "gone"])
