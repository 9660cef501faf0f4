"""Golden files of the sweep's pages: example, document and test at once."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.feature_store.sweeps.making import put, scored
from tests.service.serving import App, app_in_memory

FOLDER = Path(__file__).resolve().parents[2] / "golden" / "churn"
FILES = sorted(FOLDER.glob("*.json"))


@contextmanager
def golden_app(home: Path) -> Iterator[App]:
    """An app over a sweep of four."""
    users, p, v = ["ann", "bob", "cem", "dee"], [0.75, 0.5, 0.25, 0.5], [120.0, 40.0, 8.0, 150.0]
    put(home / "sweeps" / "churn", 1, scored(users, p, v))
    with app_in_memory(home) as app:
        yield app


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_step_is_answered_as_written(tmp_path: Path, file: Path) -> None:
    golden: dict[str, Any] = json.loads(file.read_text())
    assert golden["about"]
    with golden_app(tmp_path) as app:
        for step in golden["steps"]:
            status, body = app.send(step["request"]["method"], step["request"]["path"])
            assert status == step["reply"]["status"], body
            assert body == step["reply"]["body"]


def test_there_are_golden_files_of_good_and_bad_questions() -> None:
    names = {file.stem for file in FILES}
    assert {"page_of_high", "pages_refused", "estimate", "estimate_refused"} <= names
