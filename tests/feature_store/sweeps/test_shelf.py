"""The shelf: ids, the pointer, what is whole and what is not, what is cleared away."""

import json
import os
from pathlib import Path

import pytest

from domain.errors import OperatorError
from feature_store.sweeps.shelf import (
    PLAN,
    SUMMARY,
    clear_old,
    current_id,
    is_id,
    new_id,
    point,
    read_json,
    read_summary,
    sweeps_in,
    write_json,
)
from tests.feature_store.sweeps.making import AS_OF, ID, put, scored


def _add(root: Path, number: int) -> str:
    put(root, number, scored(["a"], [0.5], [10.0]))
    os.utime(root / ID.format(number) / PLAN, ns=(number, number))
    return ID.format(number)


def test_an_id_says_as_of_when() -> None:
    assert new_id(AS_OF, "00ff00ff") == "20240601T000000-00ff00ff"
    assert is_id(new_id(AS_OF, "00ff00ff"))


@pytest.mark.parametrize("text", ["", "..", "20240601T000000-00ff00f", "x/20240601T000000-00ff"])
def test_nothing_else_is_an_id(text: str) -> None:
    assert not is_id(text)


def test_the_summary_comes_back_as_it_was(tmp_path: Path) -> None:
    summary = put(tmp_path / "churn", 1, scored(["a", "b"], [0.5, 0.1], [100.0, 10.0]))
    assert current_id(tmp_path / "churn") == summary.id
    assert read_summary(tmp_path / "churn" / summary.id) == summary


def test_without_a_pointer_there_is_no_sweep(tmp_path: Path) -> None:
    assert current_id(tmp_path / "churn") is None
    assert sweeps_in(tmp_path / "churn", whole=True) == []


@pytest.mark.parametrize("text", ["", "{}", '{"format": 1, "sweep": "../../etc"}', '{"format": 2}'])
def test_a_broken_pointer_says_what_to_do(tmp_path: Path, text: str) -> None:
    (tmp_path / "current").write_text(text)
    with pytest.raises(OperatorError, match="sweep again"):
        current_id(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", '{"format": 7}', '{"format": 1, "users": "many"}'])
def test_a_broken_summary_says_what_to_do(tmp_path: Path, text: str) -> None:
    name = _add(tmp_path, 1)
    (tmp_path / name / SUMMARY).write_text(text)
    with pytest.raises(OperatorError, match="sweep again"):
        read_summary(tmp_path / name)


def test_json_is_read_as_written(tmp_path: Path) -> None:
    write_json(tmp_path / "plan.json", {"parts": 3})
    assert read_json(tmp_path / "plan.json") == {"parts": 3}
    assert json.loads((tmp_path / "plan.json").read_text())["format"] == 1


def test_the_newest_stay_and_the_current_one_always(tmp_path: Path) -> None:
    names = [_add(tmp_path, number) for number in range(1, 6)]
    point(tmp_path, names[0])
    assert clear_old(tmp_path, keep=2) == names[1:3]
    assert sweeps_in(tmp_path, whole=True) == [names[0], *names[3:]]


def test_unfinished_ones_stay_until_they_are_given_up(tmp_path: Path) -> None:
    _add(tmp_path, 1)
    write_json(tmp_path / ID.format(2) / PLAN, {})
    assert sweeps_in(tmp_path, whole=False) == [ID.format(2)]
    assert clear_old(tmp_path) == []
    assert clear_old(tmp_path, unfinished=True) == [ID.format(2)]
    assert not (tmp_path / ID.format(2)).exists()
