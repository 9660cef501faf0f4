"""Choosing by rule: the median user, the best item from another shelf."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from demo.calls import Service
from demo.choosing import Someone, another_shelf, label, shelf, someone_typical
from demo.telling import DemoFailed

CATALOGUE = {
    "a": {"item": "a", "title": "A", "categories": ["Food", "Bread"]},
    "b": {"item": "b", "categories": ["Food", "Bread"]},
    "c": {"item": "c", "categories": ["Food", "Fish"]},
}


def write_log(folder: Path, counts: dict[str, int]) -> None:
    part = folder / "day=2020-01-01" / "bucket=000"
    part.mkdir(parents=True)
    entities = [entity for entity, count in counts.items() for _ in range(count)]
    pl.DataFrame({"entity": entities}).write_parquet(part / "1-0_2-0.parquet")


def test_the_median_of_those_with_enough(tmp_path: Path) -> None:
    write_log(tmp_path, {"ua": 5, "ub": 9, "uc": 7, "ud": 1, "ss": 8})
    assert someone_typical(tmp_path) == Someone("user", "c", 7)


def test_a_session_where_nobody_is_known(tmp_path: Path) -> None:
    write_log(tmp_path, {"sx": 6, "ua": 1})
    assert someone_typical(tmp_path) == Someone("session", "x", 6)


def test_too_short_a_log(tmp_path: Path) -> None:
    write_log(tmp_path, {"ua": 1})
    with pytest.raises(DemoFailed, match="needs a longer log"):
        someone_typical(tmp_path)


def answers(method: str, path: str, body: Any) -> tuple[int, Any]:
    found = CATALOGUE.get(path.removeprefix("/v1/items/"))
    return (200, found) if found else (404, {})


def test_another_shelf(desk, service: Service) -> None:
    desk.behaviour = answers
    places = [{"item": item} for item in "abc"]
    assert another_shelf(service, places, 1)["item"] == "c"
    assert another_shelf(service, places[:2], 1)["item"] == "b"
    unknown = [{"item": "x"}, {"item": "y"}]
    assert another_shelf(service, unknown, 1) == {"item": "y"}
    with pytest.raises(DemoFailed, match="too small"):
        another_shelf(service, places, 3)


def test_words() -> None:
    assert (label(CATALOGUE["a"]), shelf(CATALOGUE["a"])) == ("A", "Food / Bread")
    assert (label({"item": "x"}), shelf({"item": "x"})) == ("item x", "")
