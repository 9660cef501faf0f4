"""Starts the service once on a throw-away home, so that its kernels are compiled and kept.

Run while the image is built: the first answer of a fresh container then waits for no
compiler. One item, one event, one question; knows nothing of what is answered.
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

PATIENCE_S = 180.0
CALLS: tuple[tuple[str, str, object], ...] = (
    ("PUT", "/v1/items", [{"item": "thing", "title": "A thing"}]),
    ("POST", "/v1/events", {"user": "someone", "kind": "click", "item": "thing"}),
    ("POST", "/v1/recommendations", {"user": "someone", "k": 1, "exclude_seen": False}),
)


def free_port() -> int:
    """Answer a port that is free just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def call(port: int, method: str, path: str, body: object = None) -> None:
    """Send one request; raises OSError unless it is answered with a 2xx."""
    url = f"http://127.0.0.1:{port}{path}"
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)
    with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
        answer.read()


def main() -> None:
    """Start, call, stop."""
    with tempfile.TemporaryDirectory() as home:
        env = {**os.environ, "SANDERLING_HOME": home}
        port = free_port()
        command = [sys.executable, "-m", "service", "--port", str(port), "--no-log-writer"]
        process = subprocess.Popen([*command, "--log-level", "error"], env=env)
        try:
            deadline = time.monotonic() + PATIENCE_S
            while True:
                try:
                    call(port, "GET", "/readyz")
                    break
                except OSError:
                    if process.poll() is not None or time.monotonic() > deadline:
                        raise
                    time.sleep(0.2)
            for request in CALLS:
                call(port, *request)
        finally:
            process.terminate()
            process.wait(30)


if __name__ == "__main__":
    main()
