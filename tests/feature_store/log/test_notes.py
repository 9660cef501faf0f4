"""Notes to a running writer."""

from pathlib import Path

from feature_store.log.notes import leave_note, open_notes


def test_notes_are_found_until_they_are_taken_away(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert open_notes(log) == []
    first, second = leave_note(log), leave_note(log)
    assert sorted(open_notes(log)) == sorted([first, second])
    first.unlink()
    assert open_notes(log) == [second]
