"""Files appear whole or not at all."""

from pathlib import Path
from typing import BinaryIO

import pytest

from feature_store.sweeps.durable import write_whole, write_with


def test_a_file_is_written_with_its_folders(tmp_path: Path) -> None:
    write_whole(tmp_path / "a" / "b" / "file", b"one")
    assert (tmp_path / "a" / "b" / "file").read_bytes() == b"one"
    write_whole(tmp_path / "a" / "b" / "file", b"two")
    assert (tmp_path / "a" / "b" / "file").read_bytes() == b"two"


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    write_whole(tmp_path / "file", b"old")

    def half(sink: BinaryIO) -> None:
        sink.write(b"ne")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_with(tmp_path / "file", half)
    assert (tmp_path / "file").read_bytes() == b"old"
