"""Starts and stops what a benchmark measures, each on a core of its own, in a fresh directory.

Knows how the processes are started and when they are ready; nothing of what is asked of them.
"""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from benchmarks.harness import ROOT
from domain.errors import ScientistError

START_SECONDS = 120.0
"""Kernels are compiled at the first start ever; later starts take about a second."""


def cores() -> tuple[int, int]:
    """Answer (the server's core, the client's core); both the same where there is but one."""
    if not hasattr(os, "sched_getaffinity"):
        return 0, 0
    mine = sorted(os.sched_getaffinity(0))
    return mine[0], mine[-1]


@contextmanager
def pinned(core: int) -> Iterator[None]:
    """Keep this process, and those it starts meanwhile, on one core; no-op where that cannot be."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def free_port() -> int:
    """Answer a TCP port that is free just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(home: Path, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Answer the environment of our own processes over `home`, with the embedded server."""
    env = {key: value for key, value in os.environ.items() if not key.startswith("SANDERLING_")}
    env.pop("REDIS_URL", None)
    return {**env, "SANDERLING_HOME": str(home), "PYTHONUNBUFFERED": "1", **(extra or {})}


class Server:
    """One server process; `address` is where it listens."""

    def __init__(self, command: list[str], port: int, core: int | None, env: Mapping[str, str]):
        self.address = ("127.0.0.1", port)
        self.command, self.core, self.env = command, core, env
        self.process = self._start()

    def _start(self) -> "subprocess.Popen[bytes]":
        pin = ["taskset", "-c", str(self.core)] if self.core is not None and _can_pin() else []
        return subprocess.Popen(
            [*pin, *self.command], cwd=ROOT, env=self.env, stdout=subprocess.DEVNULL
        )

    def url(self, path: str) -> str:
        """Answer the URL of `path` on this server."""
        return f"http://{self.address[0]}:{self.address[1]}{path}"

    def wait_ready(self, path: str) -> None:
        """Return when `path` answers with any status; raises ScientistError when it never does."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise ScientistError(f"{self.command[2]} ended with {self.process.returncode}")
            try:
                urllib.request.urlopen(self.url(path), timeout=5).close()
                return
            except urllib.error.HTTPError:
                return
            except OSError:
                time.sleep(0.02)
        raise ScientistError(f"{self.command[2]} was not ready in {START_SECONDS:.0f} s")

    def kill(self) -> None:
        """Kill -9 and reap."""
        self.process.kill()
        self.process.wait()

    def restart(self) -> None:
        """Start the same command again."""
        self.process = self._start()

    def stop(self) -> None:
        """End it the polite way, then the other."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()


def _can_pin() -> bool:
    return hasattr(os, "sched_setaffinity")


@contextmanager
def reference_server(core: int | None, app: str = "benchmarks.reference:app") -> Iterator[Server]:
    """Run a reference endpoint: uvicorn, uvloop, httptools, one worker, no access log."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", app, "--port", str(port)]
    command += ["--loop", "uvloop", "--http", "httptools", "--workers", "1"]
    command += ["--no-access-log", "--log-level", "warning"]
    server = Server(command, port, core, dict(os.environ))
    try:
        server.wait_ready("/openapi.json")
        yield server
    finally:
        server.stop()


@contextmanager
def our_service(
    home: Path, core: int | None, extra: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """Run our service over `home` with one worker, without the log writer beside it."""
    port = free_port()
    command = [sys.executable, "-m", "service", "--port", str(port), "--workers", "1"]
    command += ["--no-log-writer", "--log-level", "error"]
    server = Server(command, port, core, environment(home, extra))
    try:
        server.wait_ready("/readyz")
        yield server
    finally:
        server.stop()
