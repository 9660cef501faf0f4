"""Log lines: JSON, one an entry, with places in the code and never a message of a bug."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from service.logs import JsonLines, configure_logs, describe, log_info, log_unexpected, log_warning


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    catcher = logging.StreamHandler(stream)
    catcher.setFormatter(JsonLines())
    logger = logging.getLogger("sanderling.service")
    level = logger.level
    logger.addHandler(catcher)
    logger.setLevel("INFO")
    yield stream
    logger.removeHandler(catcher)
    logger.setLevel(level)


def bug() -> RuntimeError:
    try:
        raise RuntimeError("user-4711")
    except RuntimeError as error:
        return error


def test_one_json_object_a_line(lines: io.StringIO) -> None:
    log_info("swapped", family="recommend", count=3)
    log_warning("slow")
    first, second = map(json.loads, lines.getvalue().splitlines())
    assert (first["message"], first["family"], first["count"]) == ("swapped", "recommend", 3)
    assert first["at"].endswith("Z")
    assert second["level"] == "warning"


def test_a_bug_shows_its_place_not_its_message(lines: io.StringIO) -> None:
    log_unexpected(bug(), route="/v1/events")
    line = json.loads(lines.getvalue())
    assert (line["error"], line["route"]) == ("RuntimeError", "/v1/events")
    assert "test_logs.py" in line["where"][-1]
    assert line["where"][-1].endswith(" bug")
    assert "4711" not in lines.getvalue()


def test_an_exception_on_a_record_is_described_too() -> None:
    error = bug()
    info = (type(error), error, error.__traceback__)
    record = logging.LogRecord("x", logging.ERROR, "", 0, "failed", None, info)
    text = JsonLines().format(record)
    assert json.loads(text)["error"] == "RuntimeError"
    assert "4711" not in text


def test_an_error_never_raised_has_no_place() -> None:
    assert describe(ValueError("x")) == {"error": "ValueError", "where": []}


def test_every_logger_ends_on_standard_error() -> None:
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    try:
        configure_logs("warning")
        assert [type(catcher.formatter) for catcher in root.handlers] == [JsonLines]
        assert root.level == logging.WARNING
        assert not logging.getLogger("uvicorn.access").propagate
    finally:
        root.handlers[:], level = before
        root.setLevel(level)
