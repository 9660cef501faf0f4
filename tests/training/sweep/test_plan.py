"""The plan: what was settled at the start is what a later run finds."""

from pathlib import Path

import pytest

from domain.errors import OperatorError
from feature_store.sweeps.shelf import SUMMARY
from training.sweep.plan import (
    Plan,
    missing_parts,
    note_refused,
    part_path,
    read_plan,
    refused_in,
    unfinished,
    write_plan,
)

PLAN = Plan(
    "20240601T000000-00000001", 1, 2, "v", 3, "fee", 12.0, True, (1.0, 2.0), {"inactive": 4}
)


def test_a_plan_comes_back_as_it_was(tmp_path: Path) -> None:
    assert unfinished(tmp_path) is None
    folder = write_plan(tmp_path, PLAN)
    assert read_plan(folder) == PLAN
    assert unfinished(tmp_path) == PLAN
    (folder / SUMMARY).write_text("{}")
    assert unfinished(tmp_path) is None


def test_parts_are_there_or_missing(tmp_path: Path) -> None:
    folder = write_plan(tmp_path, PLAN)
    assert missing_parts(folder, PLAN) == [0, 1, 2]
    for part, refused in ((0, 2), (2, 0), (1, 5)):
        note_refused(folder, part, refused)
        part_path(folder, part).write_bytes(b"")
    assert missing_parts(folder, PLAN) == []
    assert refused_in(folder, PLAN) == 7


@pytest.mark.parametrize("text", ["{}", '{"format": 1, "shoes": 2}', '{"format": 1, "limits": 2}'])
def test_a_plan_of_another_release_is_refused(tmp_path: Path, text: str) -> None:
    folder = write_plan(tmp_path, PLAN)
    (folder / "plan.json").write_text(text)
    with pytest.raises(OperatorError):
        read_plan(folder)
