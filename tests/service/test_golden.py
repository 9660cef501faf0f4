"""Golden files: example, document and test at once; each step is a request and its reply."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.service.serving import App

FOLDER = Path(__file__).resolve().parents[1] / "golden"
FILES = sorted(
    file
    for subject in ("campaigns", "events", "items", "users")
    for file in (FOLDER / subject).glob("*.json")
)


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_every_step_is_answered_as_written(app: App, file: Path) -> None:
    golden: dict[str, Any] = json.loads(file.read_text())
    assert golden["about"]
    for step in golden["steps"]:
        request, wanted = step["request"], step["reply"]
        body: Any = request.get("body")
        if "text" in request:
            body = request["text"].encode()
        status, reply = app.send(
            request["method"], request["path"], body, **request.get("headers", {})
        )
        assert status == wanted["status"], reply
        if wanted["body"] is not None:
            assert reply == wanted["body"]


def test_there_are_golden_files_of_every_subject() -> None:
    assert {file.parent.name for file in FILES} == {"campaigns", "events", "items", "users"}
