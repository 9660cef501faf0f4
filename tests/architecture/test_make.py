"""The Makefile and the check that a bare machine runs: the promised targets are there."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT

TARGETS = [
    "install",
    "demo",
    "stop",
    "serve",
    "test",
    "check",
    "bench",
    "format",
    "lint",
    "types",
    "fences",
    "links",
    "clean",
]


def _make(*arguments: str, cwd: Path = ROOT) -> str:
    env = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
    done = subprocess.run(
        ["make", *arguments], cwd=cwd, env=env, capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr


def test_make_alone_prints_help() -> None:
    shown = _make()
    for target in TARGETS:
        assert re.search(rf"^  make {target}\s+\S", shown, re.MULTILINE), target


@pytest.mark.parametrize("target", TARGETS)
def test_every_target_has_a_recipe(target: str) -> None:
    shown = _make("--dry-run", target)
    assert "No rule to make target" not in shown
    assert "Error" not in shown


def test_check_runs_the_tests_as_test_does_and_last() -> None:
    commands = [line for line in _make("--dry-run", "check").splitlines() if ".venv/bin" in line]
    assert commands[-1] in _make("--dry-run", "test").splitlines()


def test_check_begins_to_compile_before_anything_else_and_waits_for_nothing() -> None:
    commands = [line for line in _make("--dry-run", "check").splitlines() if ".venv/bin" in line]
    (begun,) = [place for place, line in enumerate(commands) if "deploy/warm.py" in line]
    (checked,) = [place for place, line in enumerate(commands) if "ruff format --check" in line]
    assert begun < checked
    assert commands[begun].endswith("&")


def test_too_old_an_interpreter_is_refused_with_a_remedy(tmp_path: Path) -> None:
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        (tmp_path / name).write_text((ROOT / name).read_text())
    old = tmp_path / "old"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    shown = _make("install", f"PYTHON={old}", cwd=tmp_path)
    assert "Python 3.11 or newer is needed" in shown
    assert "make PYTHON=" in shown
    assert not (tmp_path / ".venv").exists()


def test_the_check_script_parses_and_ends_in_make_check() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    subprocess.run(["bash", "-n", str(script)], check=True)
    assert script.read_text().rstrip().endswith("make check")
