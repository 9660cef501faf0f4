"""Files to raw rows: every format says the same, and broken rows are marked, never lost."""

import gzip
import json
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import ScientistError
from training.importing import readers
from training.importing.readers import (
    FAULT,
    ROW,
    TextOptions,
    read_delimited,
    read_json_lines,
    read_rows,
)

ROWS = [("anna", "a1", "3"), ("bert", "b 2", "4"), ("çem", "ü,3", "5")]
NAMES = ("user", "item", "n")


def whole(frames: object) -> pl.DataFrame:
    return pl.concat(list(frames))  # type: ignore[call-overload]


def written(folder: Path) -> list[Path]:
    lines = [",".join(NAMES)] + [f'{u},"{i}",{n}' for u, i, n in ROWS]
    comma = folder / "rows.csv"
    comma.write_text("\n".join(lines) + "\n", "utf-8")
    tab = folder / "rows.tsv"
    tab.write_text("\n".join("\t".join(row) for row in (NAMES, *ROWS)), "utf-8")
    packed = folder / "packed.csv.gz"
    packed.write_bytes(gzip.compress(comma.read_bytes()))
    told = "\n".join(json.dumps(dict(zip(NAMES, row, strict=True))) for row in ROWS)
    spoken = folder / "rows.jsonl"
    spoken.write_text(told, "utf-8")
    small = folder / "rows.ndjson.gz"
    small.write_bytes(gzip.compress(told.encode()))
    paths = [comma, tab, packed, spoken, small]
    for compression in ("zstd", "brotli"):
        path = folder / f"rows.{compression}.parquet"
        pl.DataFrame(dict(zip(NAMES, zip(*ROWS, strict=True), strict=True))).write_parquet(
            path, compression=compression
        )
        paths.append(path)
    return paths


def test_every_format_reads_the_same_rows(tmp_path: Path) -> None:
    for path in written(tmp_path):
        frame = whole(read_rows(path))
        assert frame.select(NAMES).rows() == ROWS, path.name
        assert set(frame[FAULT]) == {""}, path.name


def test_rows_are_named_by_line_in_text_and_by_number_in_parquet(tmp_path: Path) -> None:
    for path in written(tmp_path):
        first = 2 if ".csv" in path.name or ".tsv" in path.name else 1
        assert whole(read_rows(path))[ROW].to_list() == [first, first + 1, first + 2]


def test_batches_bound_memory_and_change_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one_by_one: list[int] = []
    for path in written(tmp_path):
        at_once = whole(read_rows(path))
        monkeypatch.setattr(readers, "BATCH_ROWS", 2)
        frames = list(read_rows(path))
        monkeypatch.undo()
        one_by_one += [frame.height for frame in frames]
        assert whole(frames).equals(at_once)
    assert max(one_by_one) == 2


def test_without_a_header_columns_are_numbered(tmp_path: Path) -> None:
    path = tmp_path / "plain.csv"
    path.write_text("a,b\nc,d\n")
    frame = whole(read_rows(path, TextOptions(header=False)))
    assert frame.select("1", "2").rows() == [("a", "b"), ("c", "d")]


def test_another_delimiter_and_a_quoted_line_break(tmp_path: Path) -> None:
    path = tmp_path / "odd.txt"
    path.write_text('a;b\n1;"two\nlines"\n3;4\n')
    frame = whole(read_rows(path, TextOptions(delimiter=";")))
    assert frame["b"].to_list() == ["two\nlines", "4"]
    assert frame[ROW].to_list() == [3, 4]


def test_ragged_rows_are_marked_with_both_widths(tmp_path: Path) -> None:
    path = tmp_path / "ragged.csv"
    path.write_text("a,b\n1\n1,2,3\n\n4,5\n")
    frame = whole(read_rows(path))
    assert frame[FAULT].to_list() == [
        "1 fields where the first row has 2",
        "3 fields where the first row has 2",
        "",
    ]


def test_a_field_without_end_is_one_bad_row(tmp_path: Path) -> None:
    path = tmp_path / "endless.csv"
    path.write_text("a,b\n" + "1," + "x" * 200_000 + "\n2,3\n")
    frame = whole(read_rows(path))
    assert [fault != "" for fault in frame[FAULT]] == [True, False]


def test_bytes_of_another_encoding_are_marked(tmp_path: Path) -> None:
    path = tmp_path / "latin.csv"
    path.write_bytes("a,b\nçem,1\nanna,2\n".encode("latin-1"))
    assert [fault != "" for fault in whole(read_rows(path))[FAULT]] == [True, False]
    right = whole(read_rows(path, TextOptions(encoding="latin-1")))
    assert right["a"].to_list() == ["çem", "anna"]
    assert set(right[FAULT]) == {""}


def test_a_byte_order_mark_is_not_part_of_the_first_name(tmp_path: Path) -> None:
    path = tmp_path / "marked.csv"
    path.write_bytes(b"\xef\xbb\xbfuser,item\nanna,a1\n")
    assert whole(read_rows(path))["user"].to_list() == ["anna"]


def test_repeated_and_empty_names_stay_apart(tmp_path: Path) -> None:
    path = tmp_path / "twice.csv"
    path.write_text("a,a,\n1,2,3\n")
    assert whole(read_rows(path)).select("a", "a#2", "#3").rows() == [("1", "2", "3")]


def test_bad_json_lines_are_marked(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"a":1}\nnope\n[1]\n\n{"a":"\\ud800"}\n{"a":{"b":[1,true]},"c":null}\n')
    frame = whole(read_rows(path))
    assert frame[ROW].to_list() == [1, 2, 3, 5, 6]
    assert frame[FAULT].to_list() == [
        "", "not JSON", "not a JSON object", "text that is not Unicode", "",
    ]  # fmt: skip
    assert frame["a"].to_list()[::4] == ["1", '{"b":[1,true]}']


def test_a_deeply_nested_line_is_one_bad_row(tmp_path: Path) -> None:
    path = tmp_path / "deep.jsonl"
    path.write_text("[" * 200_000 + '\n{"a":1}\n')
    assert whole(read_rows(path))[FAULT].to_list() == ["not JSON", ""]


@pytest.mark.parametrize("name", ["gone.csv", "gone.parquet"])
def test_a_missing_file_is_named_without_its_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(ScientistError, match=rf"no such file: {name}$"):
        list(read_rows(tmp_path / name))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("bad.parquet", b"PAR1 not really"),
        ("cut.csv.gz", gzip.compress(b"a,b\n1,2\n" * 999, mtime=0)[:-9]),
    ],
)
def test_a_file_that_is_not_what_its_name_says(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ScientistError, match="cannot be read"):
        list(read_rows(path))


def test_empty_files_hold_no_rows(tmp_path: Path) -> None:
    for name in ("none.csv", "none.jsonl"):
        path = tmp_path / name
        path.write_text("")
        assert list(read_rows(path)) == []
    header = tmp_path / "header.csv"
    header.write_text("a,b\n")
    assert list(read_delimited(header, TextOptions())) == []


CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\ufffd\0"), max_size=9)


@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=9))
def test_json_lines_give_back_any_text(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]
) -> None:
    path = tmp_path_factory.mktemp("json") / "rows.jsonl"
    path.write_text("\n".join(json.dumps({"a": a, "b": b}) for a, b in rows), "utf-8")
    assert whole(read_json_lines(path)).select("a", "b").rows() == rows
