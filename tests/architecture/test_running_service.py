"""A running service, a real process: it has imported no torch, no mlflow, no training."""

import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT

BANNED = {"torch", "mlflow", "training", "implicit", "matplotlib", "pandas", "sklearn"}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Iterator[set[str]]:
    """Every module that the service has imported once it answered an event and a question.

    The interpreter writes them itself: PYTHONPROFILEIMPORTTIME makes it log each import.
    """
    home = tmp_path_factory.mktemp("home")
    log = home / "imports.txt"
    port = _free_port()
    env = {**os.environ, "SANDERLING_HOME": str(home), "PYTHONPROFILEIMPORTTIME": "1"}
    env.pop("REDIS_URL", None)
    with log.open("w") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "service", "--port", str(port)],
            cwd=ROOT,
            env=env,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
        )
        try:
            _until_ready(process, f"http://127.0.0.1:{port}", log)
            yield _names(log)
        finally:
            process.terminate()
            process.wait(30)


def _until_ready(process: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    deadline = time.monotonic() + 90
    while True:
        assert process.poll() is None, log.read_text()[-2000:]
        assert time.monotonic() < deadline, "the service was not ready in 90 s"
        try:
            urllib.request.urlopen(f"{url}/readyz", timeout=5).close()
            break
        except OSError:
            time.sleep(0.05)
    for path, body in (
        ("/v1/events", b'{"user": "someone", "kind": "click", "item": "thing"}'),
        ("/v1/recommendations", b'{"user": "someone", "k": 5}'),
    ):
        request = urllib.request.Request(
            url + path, body, {"Content-Type": "application/json"}, method="POST"
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            assert answer.status in (200, 202)


def _names(log: Path) -> set[str]:
    return set(re.findall(r"^import time:.*\|\s+([\w.]+)$", log.read_text(), re.MULTILINE))


def test_the_log_of_imports_is_there(imported: set[str]) -> None:
    assert {"service", "domain", "feature_store", "numba"} <= imported


@pytest.mark.parametrize("name", sorted(BANNED))
def test_a_running_service_has_not_imported(imported: set[str], name: str) -> None:
    assert not [module for module in imported if module.split(".")[0] == name]
