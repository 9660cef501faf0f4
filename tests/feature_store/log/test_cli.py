"""The commands, in processes of their own, on the embedded store."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from domain.events import Event, Kind
from feature_store.log.drain import LOCK
from feature_store.log.lock import only_one
from feature_store.log.reader import read_log
from feature_store.opening import open_store
from feature_store.settings import Home, settings_from_env
from tests.feature_store.making import T0


def command(home: Path, *arguments: str) -> subprocess.Popen[str]:
    env = {key: value for key, value in os.environ.items() if key != "REDIS_URL"}
    return subprocess.Popen(
        [sys.executable, "-m", "feature_store.log", *arguments],
        env=env | {"SANDERLING_HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def done(home: Path, *arguments: str, status: int = 0) -> str:
    process = command(home, *arguments)
    told, _ = process.communicate(timeout=60)
    assert process.returncode == status, told
    return told


async def _accept(home: Path, count: int, name: str) -> None:
    settings, _, _ = settings_from_env({})
    store = await open_store(settings, Home(home))
    try:
        events = [Event(f"{name}{n}", f"u{n}", Kind.click, T0, "tea") for n in range(count)]
        await store.append(events, T0)
    finally:
        await store.close()


async def test_drain_then_status_then_compact(tmp_path: Path) -> None:
    await _accept(tmp_path, 30, "e")
    assert json.loads(done(tmp_path, "status", "--json"))["waiting_entries"] > 0
    assert "30 rows" in done(tmp_path, "drain")
    held = json.loads(done(tmp_path, "status", "--json"))
    assert held["events"]["rows"] == 30
    assert (held["waiting_entries"], held["writer_running"]) == (0, False)
    assert "not running" in done(tmp_path, "status")
    assert "0 files merged" in done(tmp_path, "compact")


async def test_run_writes_until_it_is_told_to_stop(tmp_path: Path) -> None:
    process = command(tmp_path, "run", "--seconds", "600")
    try:
        assert process.stdout is not None
        assert "writing the log" in process.stdout.readline()
        await _accept(tmp_path, 12, "e")
        # Another run is refused; a drain is answered by the one that runs.
        assert "another writer" in done(tmp_path, "run", status=3)
        assert "12 rows" in done(tmp_path, "drain")
        await _accept(tmp_path, 5, "f")
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.communicate()
    done(tmp_path, "drain")
    assert len(read_log(tmp_path / "log")) == 17


def test_what_is_refused_is_said(tmp_path: Path) -> None:
    with only_one(tmp_path / "log", LOCK):
        told = done(tmp_path, "drain", "--deadline", "0", status=1)
    assert "did not answer" in told


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"]])
def test_help_teaches(tmp_path: Path, arguments: list[str]) -> None:
    told = done(tmp_path, *arguments)
    assert "usage: python -m feature_store.log" in told
    if len(arguments) == 1:
        assert "examples:" in told
        assert "nothing is lost" in told


def test_wrong_arguments_are_status_two(tmp_path: Path) -> None:
    done(tmp_path, "fly", status=2)
    assert not list(tmp_path.iterdir())


def test_the_commands_start_without_the_compiler() -> None:
    program = "import sys, feature_store.log.cli; assert 'numba' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True)
