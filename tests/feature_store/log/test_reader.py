"""Reading: projection, time bounds, row groups skipped, each row once."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from domain.events import Event, Kind
from feature_store.linking import Link
from feature_store.log import reader
from feature_store.log.events import SCHEMA, WRITE_OPTIONS, table_of_entries
from feature_store.log.files import path_for, write_atomically
from feature_store.log.reader import read_arrays, read_log
from feature_store.records import pack_link, pack_payload, pack_record
from feature_store.store import StreamEntry

T = 1_700_000_000_000


def _entry(ms: int, entity: str = "uada") -> StreamEntry:
    held = Event(f"e{ms}", entity, Kind.click, T + ms, item=f"i{ms % 3}")
    return StreamEntry(f"{ms}-0", pack_record(held), [pack_payload(held)])


def _write(root: Path, entries: list[StreamEntry], bucket: int = 0, group: int = 5) -> Path:
    first, last = (int(entries[place].stream_id.split("-")[0]) for place in (0, -1))
    path = path_for(root, bucket, (first, 0), (last, 0))
    groups = (
        table_of_entries(entries[start : start + group]) for start in range(0, len(entries), group)
    )
    write_atomically(path, SCHEMA, groups, WRITE_OPTIONS)
    return path


def test_an_absent_log_is_an_empty_frame_of_the_same_columns(tmp_path: Path) -> None:
    assert read_log(tmp_path / "no").columns == SCHEMA.names
    assert read_log(tmp_path / "no", ["at", "item"]).shape == (0, 2)
    held = read_arrays(tmp_path / "no")
    assert (held.entities, len(held.codes), held.links) == ((), 0, ())


def test_columns_and_times_are_chosen(tmp_path: Path) -> None:
    _write(tmp_path, [_entry(ms) for ms in range(1, 21)])
    frame = read_log(tmp_path, ["event_id", "kind"], since=T + 4, until=T + 7)
    assert frame.columns == ["event_id", "kind"]
    assert frame["event_id"].to_list() == ["e4", "e5", "e6"]
    assert read_arrays(tmp_path, since=T + 4, until=T + 7).columns.at.tolist() == [
        T + 4,
        T + 5,
        T + 6,
    ]
    with pytest.raises(KeyError, match="nonesuch"):
        read_log(tmp_path, ["nonesuch"])


def test_row_groups_outside_the_times_are_not_read(tmp_path: Path) -> None:
    path = _write(tmp_path, [_entry(ms) for ms in range(1, 21)])
    with pq.ParquetFile(path) as file:
        assert file.num_row_groups == 4
        assert reader._wanted_groups(file, T + 6, T + 11) == [1]
        assert reader._wanted_groups(file, T + 5, T + 12) == [0, 1, 2]
        assert reader._wanted_groups(file, None, None) == [0, 1, 2, 3]


def test_rows_that_an_earlier_file_holds_are_dropped(tmp_path: Path) -> None:
    _write(tmp_path, [_entry(ms) for ms in range(1, 8)])
    _write(tmp_path, [_entry(ms) for ms in range(5, 12)])
    _write(tmp_path, [_entry(ms, "ubob") for ms in range(5, 12)], bucket=1)
    names = read_log(tmp_path, ["event_id"])["event_id"].to_list()
    assert names == [f"e{n}" for n in range(1, 12)] + [f"e{n}" for n in range(5, 12)]
    held = read_arrays(tmp_path)
    assert [held.entities[code] for code in held.codes] == ["uada"] * 11 + ["ubob"] * 7


def test_links_are_told_apart_from_events(tmp_path: Path) -> None:
    record, payload = pack_link("cart", "ada", T + 5)
    entries = [_entry(1), _entry(2, "scart"), StreamEntry("3-0", record, [payload]), _entry(4)]
    _write(tmp_path, entries)
    held = read_arrays(tmp_path)
    assert held.links == (Link("scart", "uada", T + 5),)
    assert held.columns.at.tolist() == [T + 1, T + 2, T + 4]
    assert [held.entities[code] for code in held.codes] == ["uada", "scart", "uada"]


def test_a_file_that_compaction_took_away_makes_reading_begin_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = _write(tmp_path, [_entry(ms) for ms in range(1, 5)])
    listing = reader._parts(tmp_path)
    small.unlink()
    _write(tmp_path, [_entry(ms) for ms in range(1, 9)])
    fresh = reader._parts
    answers = iter([listing])
    monkeypatch.setattr(reader, "_parts", lambda root: next(answers, None) or fresh(root))
    assert len(read_log(tmp_path, ["at"])) == 8


def test_a_file_that_is_truly_gone_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = _write(tmp_path, [_entry(1)])
    listing = reader._parts(tmp_path)
    gone.unlink()
    monkeypatch.setattr(reader, "_parts", lambda root: listing)
    with pytest.raises(FileNotFoundError):
        read_log(tmp_path)
