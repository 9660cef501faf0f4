"""The demo's own directory: what was imported into it, and which service runs on it.

Knows nothing of how either is done.
"""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

DEFAULT_HOME = Path("var") / "demo"
STOP_PATIENCE_S = 30.0


@dataclass(slots=True, frozen=True)
class Imported:
    """What the log of this directory holds; `source` tells one data set from another."""

    source: str
    rows: int


@dataclass(slots=True, frozen=True)
class Running:
    """The service that was left running."""

    pid: int
    base: str


class Place:
    """The directory of one demo."""

    def __init__(self, home: Path) -> None:
        self.home = home.absolute()
        self._imported = self.home / "demo-imported.json"
        self._running = self.home / "demo-service.json"
        self.service_log = self.home / "service.log"

    def imported(self) -> Imported | None:
        """Answer what an earlier run imported, None when there is nothing whole."""
        found = _read(self._imported)
        return Imported(**found) if found else None

    def note_import(self, imported: Imported) -> None:
        """Remember that the import went through to its end."""
        _write(self._imported, asdict(imported))

    def running(self) -> Running | None:
        """Answer the service an earlier run left, None when it no longer runs."""
        found = _read(self._running)
        running = Running(**found) if found else None
        return running if running is not None and is_ours(running.pid) else None

    def note_service(self, running: Running) -> None:
        """Remember the service that is left running."""
        _write(self._running, asdict(running))

    def stop(self, sleep: Callable[[float], object] = time.sleep) -> bool:
        """Stop the service an earlier run left; tell whether there was one.

        Asks first, and kills after STOP_PATIENCE_S seconds.
        """
        running = self.running()
        if running is not None:
            os.kill(running.pid, signal.SIGTERM)
            end = time.monotonic() + STOP_PATIENCE_S
            while is_ours(running.pid):
                if time.monotonic() > end:
                    os.kill(running.pid, signal.SIGKILL)
                sleep(0.05)
        self._running.unlink(missing_ok=True)
        return running is not None


def is_ours(pid: int) -> bool:
    """Tell whether process `pid` is a service of this project: numbers are used again."""
    # A child that ended but was not waited for would look alive for ever.
    with suppress(OSError):
        os.waitpid(pid, os.WNOHANG)
    done = subprocess.run(
        ["ps", "-ww", "-o", "stat=,command=", "-p", str(pid)],
        capture_output=True,
        text=True,
        check=False,
    )
    state, _, command = done.stdout.strip().partition(" ")
    return "Z" not in state and "-m service" in command


def _read(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _write(path: Path, value: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".tmp")
    fresh.write_text(json.dumps(value) + "\n", "utf-8")
    os.replace(fresh, path)
