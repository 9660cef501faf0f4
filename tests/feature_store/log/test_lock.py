"""One at a time, and none after death."""

from pathlib import Path

import pytest

from feature_store.log.lock import Busy, only_one
from feature_store.log.status import is_locked


def test_a_second_holder_is_refused_until_the_first_lets_go(tmp_path: Path) -> None:
    with only_one(tmp_path / "log", "writer"):
        assert is_locked(tmp_path / "log", "writer")
        with pytest.raises(Busy), only_one(tmp_path / "log", "writer"):
            pass
        with only_one(tmp_path / "log", "compaction"):
            pass
    assert not is_locked(tmp_path / "log", "writer")


def test_an_error_lets_go(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="boom"), only_one(tmp_path, "writer"):
        raise RuntimeError("boom")
    assert not is_locked(tmp_path, "writer")
