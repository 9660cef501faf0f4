"""Notes to a running writer, as files beside the log: "write what you hold now".

The writer takes a note away once everything accepted before it was left is on disk.
"""

from pathlib import Path

from domain.ids import new_id
from feature_store.log.files import make_folder

_PREFIX = ".flush."


def leave_note(log: Path) -> Path:
    """Leave a note; it is gone when the writer has done what it asks."""
    make_folder(log)
    note = log / f"{_PREFIX}{new_id()}"
    note.touch()
    return note


def open_notes(log: Path) -> list[Path]:
    """Answer the notes that wait for the writer."""
    return list(log.glob(_PREFIX + "*"))
