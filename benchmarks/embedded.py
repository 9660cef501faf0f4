"""The embedded server seen from outside: held open, moved to a core, found, killed.

Speaks two words of its protocol over the socket itself, so that what is measured is not
also the measuring. Knows nothing of what it stores.
"""

import fcntl
import os
import re
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.servers import pinned
from feature_store.redis import keeper
from feature_store.redis.embedded import Embedded
from feature_store.settings import Home


@contextmanager
def held_server(home: Path, core: int | None) -> Iterator[Embedded]:
    """Keep the embedded server of `home` running, on `core` when one is given."""
    embedded = Embedded(Home(home).valkey)
    try:
        if core is None:
            embedded.ensure_running()
        else:
            with pinned(core):
                embedded.ensure_running()
        yield embedded
    finally:
        embedded.close()
        _await_release(Home(home).valkey)


def _await_release(folder: Path, seconds: float = 60.0) -> None:
    """Return when no keeper holds a server in `folder`: it writes there until it ends."""
    deadline = time.monotonic() + seconds
    while (held := keeper.lock(folder / keeper.KEEPER, fcntl.LOCK_EX | fcntl.LOCK_NB)) is None:
        if time.monotonic() > deadline:
            return
        time.sleep(0.02)
    os.close(held)


def server_info(embedded: Embedded, section: str) -> dict[str, str]:
    """Answer one section of what the server says of itself."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
        link.settimeout(10)
        link.connect(embedded.path)
        link.sendall(f"INFO {section}\r\n".encode())
        text = b""
        while not text.endswith(b"\r\n") or len(text) < _length(text):
            text += link.recv(65_536)
    return dict(re.findall(r"^(\w+):(.*?)\r?$", text.decode(), re.MULTILINE))


def _length(text: bytes) -> int:
    head = text.split(b"\r\n", 1)[0]
    return len(head) + 2 + int(head[1:] or b"0") + 2


def kill_server(embedded: Embedded) -> None:
    """Kill -9 the server process."""
    os.kill(int(server_info(embedded, "server")["process_id"]), signal.SIGKILL)
