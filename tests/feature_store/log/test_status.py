"""What a log holds, from names and footers."""

from pathlib import Path

from feature_store.log.status import LogStatus, is_locked, log_status
from tests.feature_store.log.test_compaction import write


def test_an_absent_log_holds_nothing(tmp_path: Path) -> None:
    assert log_status(tmp_path / "no") == LogStatus(0, 0, 0, 0, 0)


def test_files_in_use_are_counted_once(tmp_path: Path) -> None:
    small = write(tmp_path, 1, 3)
    large = write(tmp_path, 1, 10)
    other = write(tmp_path, 90_000_000, 90_000_001, bucket=1)
    size = large.stat().st_size + other.stat().st_size
    assert small.exists()
    assert log_status(tmp_path) == LogStatus(2, 12, size, 2, 90_000_001)


def test_a_free_lock_is_not_held(tmp_path: Path) -> None:
    assert not is_locked(tmp_path, "writer")
