"""Commands: their environment, their failures, free ports, and readiness as the service says it."""

import io
import socket
from pathlib import Path

import pytest

from demo.commands import Commands, free_port, is_ready
from demo.place import Place
from demo.telling import DemoFailed, Teller


def any_port() -> int:
    """A port the system says is free: others may be testing on the same machine."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def commands(tmp_path: Path, teller: Teller) -> Commands:
    return Commands(Place(tmp_path), teller, "USD")


def test_the_demo_never_touches_another_store(
    commands: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://production")
    environment = commands.environment()
    assert "REDIS_URL" not in environment
    assert environment["SANDERLING_HOME"] == str(tmp_path)
    assert environment["SANDERLING_CURRENCY"] == "USD"


def test_a_command_is_shown_and_run(commands: Commands, out: io.StringIO) -> None:
    commands.run(["json.tool", "--help"])
    assert "$ python -m json.tool --help" in out.getvalue()
    with pytest.raises(DemoFailed, match="ended with"):
        commands.run(["json.tool", "gone.json"])


def test_the_answer_of_a_command(commands: Commands, tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text('{"a": [1]}')
    assert commands.answer(["json.tool", str(path)]) == {"a": [1]}
    with pytest.raises(DemoFailed, match="failed"):
        commands.answer(["json.tool", str(tmp_path / "gone")])


def test_a_taken_port_is_passed_over() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert free_port(port) > port


def test_ready_means_up_and_with_the_released_model(desk) -> None:
    replies = {
        "up": (200, {"status": "ready", "models": {"recommend": "v1"}}),
        "another": (200, {"status": "ready", "models": {"recommend": "v0"}}),
        "bare": (200, {"status": "ready", "models": {}}),
        "down": (503, {"code": "starting"}),
        "odd": (200, "not JSON"),
    }
    found = set()
    for name, reply in replies.items():
        desk.behaviour = lambda method, path, body, reply=reply: reply
        if is_ready(desk.base, "v1"):
            found.add(name)
    assert found == {"up"}
    desk.behaviour = lambda method, path, body: replies["bare"]
    assert is_ready(desk.base, "")
    assert not is_ready("http://127.0.0.1:9", "v1")


def test_a_service_that_does_not_start_says_why(
    commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SANDERLING_CONSENT", "perhaps")
    with pytest.raises(DemoFailed, match="SANDERLING_CONSENT is opt-out or opt-in"):
        commands.serve(any_port())
