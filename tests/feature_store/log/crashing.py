"""A log writer in a process of its own that dies when told, as `kill -9` would have it."""

import multiprocessing
import os
import signal
from pathlib import Path

from domain.clock import system_clock
from feature_store.log.drain import LOCK
from feature_store.log.lock import only_one
from feature_store.log.writer import Writer, WriterSettings
from feature_store.opening import open_streams
from feature_store.settings import Home
from feature_store.store import StoreSettings

# A server that has imported everything makes each process in milliseconds.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["tests.feature_store.log.crashing"])

STEPS = [
    "before write",
    "in write",
    "before sync",
    "before rename",
    "before folder sync",
    "written",
    "before trim",
    "trimmed",
]


def die() -> None:
    """End this process at once; nothing is flushed, no lock is let go by our code."""
    os.kill(os.getpid(), signal.SIGKILL)


def write_until_killed(root: str, settings: StoreSettings, step: str, passes: int) -> None:
    """Write tiny files without end; die at the named step after it was passed `passes` times."""
    left = passes

    def at_step(name: str) -> None:
        nonlocal left
        if name == step:
            left -= 1
            if left < 0:
                die()

    home = Home(Path(root))
    streams = open_streams(settings, home)
    tiny = WriterSettings(rows=7, age_ms=0, publish_ms=3)
    with only_one(home.log, LOCK):
        writer = Writer(
            streams,
            home.log,
            home.decisions,
            settings.buckets,
            system_clock,
            tiny,
            step=at_step,
        )
        while True:
            writer.turn()


def start(root: Path, settings: StoreSettings, step: str = "", passes: int = 0):
    """Start such a process."""
    process = PROCESSES.Process(
        target=write_until_killed, args=(str(root), settings, step, passes), daemon=True
    )
    process.start()
    return process
