"""Steps of the demo that are commands, and the service left running in the background.

Each is exactly what a person would type; its output goes to the same screen. Knows nothing
of the story around it.
"""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from demo.exchange.requests import VENDOR
from demo.place import Place, Running
from demo.telling import DemoFailed, Teller
from feature_store.settings import Home
from models.bundle_pointers import read_pointer

ROOT = Path(__file__).resolve().parent.parent
FAMILY = "recommend"
FIRST_PORT = 8000
PORTS = 50
START_PATIENCE_S = 90.0


@dataclass(slots=True, frozen=True)
class Commands:
    """Runs commands on one place; `currency` is that of the data, "" when it has none."""

    place: Place
    teller: Teller
    currency: str = ""

    def environment(self) -> dict[str, str]:
        """Answer the environment of every command: this place, and always the embedded store."""
        kept = {name: value for name, value in os.environ.items() if name != "REDIS_URL"}
        kept["SANDERLING_HOME"] = str(self.place.home)
        if self.currency:
            kept["SANDERLING_CURRENCY"] = self.currency
        return kept

    def run(self, words: Sequence[str], shown: bool = True) -> None:
        """Run `python -m …` to its end; raises DemoFailed when it does not end well."""
        if shown:
            self.teller.command(["python", "-m", *words])
        done = subprocess.run(
            [sys.executable, "-m", *words], cwd=ROOT, env=self.environment(), check=False
        )
        if done.returncode:
            raise DemoFailed(f"`python -m {' '.join(words)}` ended with {done.returncode}")

    def answer(self, words: Sequence[str]) -> object:
        """Run `python -m …` and answer the JSON it prints."""
        done = subprocess.run(
            [sys.executable, "-m", *words],
            cwd=ROOT, env=self.environment(), capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise DemoFailed(f"`python -m {' '.join(words)}` failed: {done.stderr.strip()[-500:]}")
        return json.loads(done.stdout)

    def serve(self, port: int | None) -> Running:
        """Start the service in the background; answer when it is ready.

        Takes the first free port from FIRST_PORT when none is wanted. Raises DemoFailed with
        the end of the service's own words when it does not come up.
        """
        port = port or free_port()
        base = f"http://127.0.0.1:{port}"
        # Where exchanges reach the notices, and who we are on the list of vendors.
        bids = {"SANDERLING_PUBLIC_URL": base, "SANDERLING_TCF_VENDOR": str(VENDOR)}
        words = [sys.executable, "-m", "service", "--port", str(port)]
        self.teller.command(["python", *words[1:]])
        with self.place.service_log.open("ab") as log:
            process = subprocess.Popen(
                words, cwd=ROOT, env=self.environment() | bids, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        running = Running(process.pid, base)
        self.place.note_service(running)
        end = time.monotonic() + START_PATIENCE_S
        pointer = read_pointer(Home(self.place.home).bundles / FAMILY)
        version = pointer.version if pointer is not None else ""
        while not is_ready(running.base, version):
            if process.poll() is not None or time.monotonic() > end:
                told = self.place.service_log.read_text("utf-8", "replace")[-800:]
                raise DemoFailed(f"the service did not start; its last words:\n{told}")
            time.sleep(0.1)
        return running


def is_ready(base: str, version: str) -> bool:
    """Tell whether the service at `base` is ready and answers with the model `version` ("": none).

    The version also tells our service from another one on a port that we did not get.
    """
    try:
        with urlopen(base + "/readyz", timeout=2) as reply:
            found = json.loads(reply.read())
    except (URLError, OSError, ValueError):
        return False
    return found.get("status") == "ready" and found.get("models", {}).get(FAMILY, "") == version


def free_port(first: int = FIRST_PORT) -> int:
    """Answer the first port from `first` that nobody listens on; raises DemoFailed."""
    for port in range(first, first + PORTS):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise DemoFailed(f"no free port from {first} to {first + PORTS - 1}; name one with --port")
