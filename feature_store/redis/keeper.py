"""Holds the embedded server as its child and stops it when nobody needs it any more.

Run as a program of its own, with the standard library alone, so that it starts fast and no
death of a user process can take the server along or leave it behind. Locked files say all
there is to know: `lease` (shared by every user process; ours alone when all are gone), `start`
(one starter at a time), `keeper` (one keeper), `server` (held by the server itself, inherited).
"""

import contextlib
import ctypes
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

LEASE, START, KEEPER, SERVER = "lease.lock", "start.lock", "keeper.lock", "server.lock"
POLL_SECONDS = 0.1
STOP_SECONDS = 60.0
RESTART_SECONDS = 0.2
_PR_SET_PDEATHSIG = 1


def lock(path: Path, how: int) -> int | None:
    """Open and lock a file; answer its descriptor, or None when it is held and `how` is
    LOCK_NB: closing the descriptor, or dying, lets go of it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, how)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def answers(path: str, command: bytes = b"PING\r\n") -> bytes:
    """Answer the start of the server's reply to a command, or nothing when it gives none."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(1.0)
            line.connect(path)
            line.sendall(command)
            return line.recv(512)
    except OSError:
        return b""


def _die_with_parent(parent: int) -> None:
    """On Linux have the kernel end this process when its parent dies."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)


class Keeper:
    """The server's parent; `folder` is the server's directory, `path` its socket."""

    def __init__(self, folder: Path, path: str, command: list[str]) -> None:
        self._folder = folder
        self._path = path
        self._command = command
        self._child: subprocess.Popen[bytes] | None = None
        self._stopping = False

    def run(self) -> int:
        """Keep the server until the last user is gone; answer the exit status."""
        if not self._take_office():
            return 0
        signal.signal(signal.SIGTERM, self._on_signal)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        started = 0.0
        while not self._stopping:
            if lock(self._folder / LEASE, fcntl.LOCK_EX | fcntl.LOCK_NB) is not None:
                # Held until we are gone: who comes now waits, and then starts afresh.
                break
            if self._child is not None and self._child.poll() is not None:
                self._child = None
            if self._child is None and time.monotonic() - started > RESTART_SECONDS:
                started = time.monotonic()
                self._start_unless_running()
            time.sleep(POLL_SECONDS)
        self._stop()
        return 0

    def _take_office(self) -> bool:
        # A starter that looks whether there is a keeper holds the lock for a moment: try again.
        for _ in range(5):
            if lock(self._folder / KEEPER, fcntl.LOCK_EX | fcntl.LOCK_NB) is not None:
                return True
            time.sleep(0.02)
        return False

    def _on_signal(self, *_: object) -> None:
        self._stopping = True

    def _start_unless_running(self) -> None:
        """Start the server, or leave be the one an earlier keeper left running."""
        held = lock(self._folder / SERVER, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if held is None:
            return
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._path)
        parent = os.getpid()
        with open(self._folder / "server.err", "ab") as errors:
            self._child = subprocess.Popen(
                self._command,
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=errors,
                stderr=errors,
                pass_fds=(held,),
                preexec_fn=lambda: _die_with_parent(parent),
            )
        os.close(held)

    def _stop(self) -> None:
        if self._child is not None:
            self._child.terminate()
            try:
                self._child.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()
        deadline = time.monotonic() + STOP_SECONDS
        while time.monotonic() < deadline:
            held = lock(self._folder / SERVER, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if held is not None:
                break
            answers(self._path, b"SHUTDOWN NOSAVE\r\n")
            time.sleep(POLL_SECONDS)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._path)


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    sys.exit(Keeper(Path(given["folder"]), given["path"], given["command"]).run())
