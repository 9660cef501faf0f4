"""One process at a time: an advisory lock on a file, let go by the kernel when we die.

Knows nothing of what it guards.
"""

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from feature_store.log.files import make_folder


class Busy(Exception):
    """Another process holds the lock."""


@contextmanager
def only_one(folder: Path, name: str) -> Generator[None, None, None]:
    """Hold the lock `name` of `folder` for a while; raises Busy when another holds it."""
    make_folder(folder)
    handle = os.open(folder / f".{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Busy(name) from error
        yield
    finally:
        os.close(handle)
