"""Files that appear whole and durable, or not at all.

Written beside, flushed to the disk, renamed into place. Knows nothing of what is in them.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from feature_store.log.files import make_folder, sync_folder


def write_with(path: Path, write: Callable[[BinaryIO], None]) -> None:
    """Let `write` fill a file that is then seen under `path`; a reader sees the old or the new.

    Raises OSError when the disk refuses; nothing has then changed under `path`.
    """
    make_folder(path.parent)
    unfinished = path.with_name(path.name + ".tmp")
    with unfinished.open("wb") as sink:
        write(sink)
        sink.flush()
        os.fsync(sink.fileno())
    unfinished.replace(path)
    sync_folder(path.parent)


def write_whole(path: Path, content: bytes) -> None:
    """Write bytes as a file that appears whole; see `write_with`."""

    def write(sink: BinaryIO) -> None:
        sink.write(content)

    write_with(path, write)
