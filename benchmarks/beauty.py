"""A home filled with the Beauty log: imported, fitted and released by our own commands.

What the latency and freshness benchmarks stand on. Knows the file's format and the
commands; nothing of what is then measured.
"""

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks.harness import ROOT, Arguments
from benchmarks.servers import Server, environment
from domain.errors import ScientistError, TooLittleData

ITEMS = 12_101
SEED = 20
MODEL_S = 30.0
COMMANDS = (
    ("import", "--preset", "amazon-beauty"),
    ("fit", "recommend", "--budget", "10m"),
    ("release", "recommend"),
)


@dataclass(slots=True, frozen=True)
class Beauty:
    """A filled home; `histories` maps a user to their items, oldest first; `users` are its keys."""

    home: Path
    histories: dict[str, list[str]]
    users: list[str]


def repeated(histories: Mapping[str, list[str]], items: int) -> dict[str, list[str]]:
    """Answer a synthetic log of so many items: the log's users over and over, items renamed.

    Every copy has users and items of its own, so each item has the events and neighbours that
    its original has; of the last copy only as many items as are wanted, drawn with a seed, and
    the users who had one. Users of all copies are mixed. Fewer items than the log has: itself.
    """
    mine = sorted({item for history in histories.values() for item in history})
    if items <= len(mine):
        return dict(histories)
    rng = np.random.default_rng(SEED)
    copies: dict[str, list[str]] = {}
    for copy in range(-(-items // len(mine))):
        room = min(items - copy * len(mine), len(mine))
        kept = {mine[i] for i in rng.permutation(len(mine))[:room]}
        for user, history in histories.items():
            if own := [f"{item}-{copy}" for item in history if item in kept]:
                copies[f"{user}-{copy}"] = own
    users = list(copies)
    return {users[i]: copies[users[i]] for i in rng.permutation(len(users))}


def read_histories(path: Path) -> dict[str, list[str]]:
    """Answer the items of each user, oldest first, of a file of `user item item …` lines."""
    with path.open() as lines:
        return {user: items for user, *items in map(str.split, lines)}


@contextmanager
def beauty_home(arguments: Arguments) -> Iterator[Beauty]:
    """Fill a fresh home with the whole Beauty log and a model fitted on it.

    With more items asked for than the log has, a synthetic one (see `repeated`) takes its place.
    Raises TooLittleData when the log is not there.
    """
    source = arguments.need("amazon-beauty", "Beauty.txt").parent
    histories = read_histories(source / "Beauty.txt")
    with TemporaryDirectory(prefix="beauty-") as folder:
        home = Path(folder) / "home"
        home.mkdir()
        if arguments.catalogue > ITEMS:
            histories = repeated(histories, arguments.catalogue)
            source = Path(folder) / "log"
            source.mkdir()
            lines = (f"{user} {' '.join(items)}\n" for user, items in histories.items())
            (source / "Beauty.txt").write_text("".join(lines))
            (source / "Beauty_item2attributes.json").write_text("{}")
        for command in COMMANDS:
            where = [str(source)] if command[0] == "import" else []
            _training(home, [*command, *where])
        yield Beauty(home, histories, list(histories))


def _training(home: Path, command: list[str]) -> None:
    print(f"  python -m training {' '.join(command[:2])} ...", flush=True)
    done = subprocess.run(
        [sys.executable, "-m", "training", *command],
        cwd=ROOT,
        env=environment(home),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ScientistError(f"python -m training {command[0]} failed:\n{done.stdout[-2000:]}")


def ask(server: Server, body: dict[str, Any]) -> dict[str, Any]:
    """Ask for a recommendation and answer it."""
    request = urllib.request.Request(
        server.url("/v1/recommendations"),
        json.dumps(body).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def refuse_empty(server: Server, beauty: Beauty) -> None:
    """Refuse to measure answers made of nothing.

    Asks for a hundred users spread over the log; raises TooLittleData unless every answer is
    20 items of a released model, and personal.
    """
    users = beauty.users
    # A service is ready before it has read its model.
    deadline = time.monotonic() + MODEL_S
    while not ask(server, {"user": users[0]}).get("model") and time.monotonic() < deadline:
        time.sleep(0.1)
    for user in users[:: max(1, len(users) // 100)]:
        answer = ask(server, {"user": user, "k": 20})
        if not answer.get("model"):
            raise TooLittleData("the service has no model: there is nothing to measure")
        if len(answer["items"]) != 20 or answer.get("fallback"):
            raise TooLittleData("the store is empty for a user of the log: nothing to measure")
