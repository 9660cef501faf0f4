"""Starts the service once on a throw-away home, so that its kernels are compiled and kept.

Run while the image is built, from the folder that holds the service: the first answer of a fresh
container then waits for no compiler. One item, two events, models that learned nothing, a question
of each sort; knows nothing of what is answered.
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Run by its path, so the folder it is run from is not searched for modules.
sys.path.insert(0, str(Path.cwd()))

from models.bundle import Draft, write_bundle
from models.bundle_pointers import point
from models.churn.warming import sample as sample_churn
from models.intent.warming import sample as sample_intent
from models.intent.warming import warm_network

PATIENCE_S = 600.0
CALLS: tuple[tuple[str, str, object], ...] = (
    ("PUT", "/v1/items", [{"item": "thing", "title": "A thing"}]),
    ("POST", "/v1/events", {"user": "someone", "kind": "click", "item": "thing"}),
    ("POST", "/v1/events", {"user": "someone", "kind": "purchase", "item": "thing", "value": 5}),
    ("POST", "/v1/recommendations", {"user": "someone", "k": 1, "exclude_seen": False}),
)


def free_port() -> int:
    """Answer a port that is free just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def call(port: int, method: str, path: str, body: object = None) -> Any:
    """Send one request and answer its JSON; raises OSError unless it is answered with a 2xx."""
    url = f"http://127.0.0.1:{port}{path}"
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)
    with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
        content = answer.read()
    return json.loads(content) if content else None


def release_samples(home: Path) -> None:
    """Put a model of each family that answers about users into a home; they learned nothing."""
    warm_network()
    for family, scorer in (("churn", sample_churn()), ("intent", sample_intent())):
        bundle = write_bundle(home / "bundles", Draft(family, 0, scorer.arrays(), scorer.params()))
        point(home / "bundles" / family, bundle.version, 0)


def main() -> None:
    """Start, call, stop."""
    with tempfile.TemporaryDirectory() as home:
        release_samples(Path(home))
        env = {**os.environ, "SANDERLING_HOME": home}
        port = free_port()
        command = [sys.executable, "-m", "service", "--port", str(port), "--no-log-writer"]
        process = subprocess.Popen([*command, "--log-level", "error"], env=env)
        try:
            wait_for(process, lambda: call(port, "GET", "/readyz"))
            for request in CALLS:
                call(port, *request)
            wait_for(process, lambda: answered_by_models(port))
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def wait_for(process: "subprocess.Popen[bytes]", step: Callable[[], object]) -> None:
    """Take a step again and again until it raises no OSError; raises the last one in the end."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            step()
            return
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def answered_by_models(port: int) -> None:
    """Ask of churn and intent; raises OSError while either is answered without its model."""
    visits: tuple[object, ...] = (
        {"user": "someone"},
        {"user": "someone", "trajectory": True},
        {"events": [{"kind": "click", "item": "thing"}]},
    )
    answers = [call(port, "GET", "/v1/churn/someone")]
    answers += call(port, "POST", "/v1/churn", {"users": ["someone"] * 8})["users"]
    answers += [call(port, "POST", "/v1/intent", visit) for visit in visits]
    if any(answer.get("fallback") for answer in answers):
        raise OSError("not answered by the models yet")


if __name__ == "__main__":
    main()
