"""Keeps one companion process running beside the service: the log writer, by default.

Starts it, starts it again when it ends (waiting longer each time), and ends it with the
service: politely first. Knows nothing of what the companion does.
"""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence

from service.child import PARENT
from service.logs import log_info, log_warning

LOG_WRITER = (sys.executable, "-m", "feature_store.log", "run")
FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 30.0
GOOD_RUN_S = 60.0
"""A run this long sets the wait back to the first."""


class Companion:
    """A supervised child; `start` and `stop` are called by the service's first process."""

    def __init__(
        self, command: Sequence[str] = LOG_WRITER, *, first_wait_s: float = FIRST_WAIT_S
    ) -> None:
        self._command = (sys.executable, "-m", "service.child", *command)
        self._first_wait_s = first_wait_s
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="companion", daemon=True)
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    @property
    def pid(self) -> int:
        """The process id of the child that runs, 0 when none does."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else 0

    def start(self) -> None:
        """Start the child and go on watching it."""
        self._thread.start()

    def stop(self, patience_s: float = 20.0) -> None:
        """Ask the child to end; kill it when it has not after `patience_s` seconds."""
        with self._lock:
            self._stopping.set()
            process = self._process
            if process is not None:
                process.terminate()
        if process is not None:
            try:
                process.wait(patience_s)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._thread.join()

    def _keep(self) -> None:
        wait = self._first_wait_s
        while True:
            with self._lock:
                if self._stopping.is_set():
                    return
                # A session of its own: Ctrl-C reaches the service, which ends the child itself.
                self._process = subprocess.Popen(
                    self._command,
                    stdin=subprocess.DEVNULL,
                    start_new_session=True,
                    env={**os.environ, PARENT: str(os.getpid())},
                )
            started = time.monotonic()
            log_info("companion started", command=" ".join(self._command[-3:]))
            status = self._process.wait()
            if self._stopping.is_set():
                return
            ran = time.monotonic() - started
            wait = self._first_wait_s if ran > GOOD_RUN_S else min(2 * wait, LONGEST_WAIT_S)
            log_warning("companion ended, starting it again", status=status, wait_s=wait)
            self._stopping.wait(wait)
