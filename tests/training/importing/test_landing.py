"""The rejects file: made at the first refused row, gone when there is none, without values."""

from pathlib import Path

from training.importing.checking import Rejected
from training.importing.landing import RejectsFile

BAD = Rejected(7, "at", "unreadable", 'not a "time"')


def test_rows_are_written_for_a_person_to_find(tmp_path: Path) -> None:
    path = tmp_path / "imports" / "log.csv.rejects.csv"
    with RejectsFile(path) as rejects:
        rejects.write("log.csv", [BAD])
        rejects.write("log.csv", [BAD._replace(row=9)])
        assert rejects.used
    assert path.read_text().splitlines() == [
        "file,row,field,code,message",
        'log.csv,7,at,unreadable,"not a ""time"""',
        'log.csv,9,at,unreadable,"not a ""time"""',
    ]


def test_a_clean_run_takes_the_old_file_away(tmp_path: Path) -> None:
    path = tmp_path / "rejects.csv"
    path.write_text("old")
    with RejectsFile(path) as rejects:
        rejects.write("log.csv", [])
    assert not path.exists()
    assert not rejects.used
