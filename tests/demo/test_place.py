"""The demo's directory: what is remembered between runs, and stopping what was left running."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from demo.place import Imported, Place, Running, is_ours

SLEEP = "import time; time.sleep(600)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); "


def start(code: str, *words: str) -> subprocess.Popen[bytes]:
    """Start a process whose command line reads like a service's when `words` say so."""
    return subprocess.Popen([sys.executable, "-c", code, *words], stdout=subprocess.PIPE)


def close(child: subprocess.Popen[bytes]) -> None:
    """Let go of a child that was stopped by somebody else."""
    child.wait()
    assert child.stdout is not None
    child.stdout.close()


def test_imports_are_remembered(tmp_path: Path) -> None:
    place = Place(tmp_path / "demo")
    assert place.imported() is None
    place.note_import(Imported("groceries", 7))
    assert Place(tmp_path / "demo").imported() == Imported("groceries", 7)


def test_a_damaged_note_is_no_note(tmp_path: Path) -> None:
    place = Place(tmp_path)
    (tmp_path / "demo-imported.json").write_text('{"source": ')
    assert place.imported() is None


def test_the_service_left_running_is_stopped(tmp_path: Path) -> None:
    place = Place(tmp_path)
    child = start(SLEEP, "-m", "service")
    place.note_service(Running(child.pid, "http://x"))
    assert place.running() == Running(child.pid, "http://x")
    assert place.stop()
    assert not is_ours(child.pid)
    assert place.running() is None
    assert not place.stop()
    close(child)


def test_one_that_does_not_listen_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("demo.place.STOP_PATIENCE_S", 0.1)
    place = Place(tmp_path)
    child = start(STUBBORN + SLEEP, "-m", "service")
    assert child.stdout is not None
    child.stdout.readline()
    place.note_service(Running(child.pid, "http://x"))
    assert place.stop()
    assert not is_ours(child.pid)
    close(child)


def test_a_number_used_again_is_not_ours(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.note_service(Running(os.getpid(), "http://x"))
    assert place.running() is None
    assert not place.stop()
