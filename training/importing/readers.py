"""Files as batches of raw rows: CSV, TSV, JSON lines (each also gzip) and Parquet.

Memory stays within one batch whatever the file's size. Text comes out as text: no types are
guessed here. Knows nothing of events; a broken row is marked, never dropped.
"""

import csv
import gzip
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq

from domain.errors import ScientistError

BATCH_ROWS = 50_000
ROW = "\x1frow"
FAULT = "\x1ffault"
"""Two columns beside a file's own, named so that no file's column can collide with them:
the place of the row (line number in text, 1-based row number in Parquet), and why it
cannot be read ("" when it can)."""

_GZIP_MAGIC = b"\x1f\x8b"
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(slots=True, frozen=True)
class TextOptions:
    """How a delimited text is written; `delimiter` "" means by the file's name."""

    delimiter: str = ""
    header: bool = True
    encoding: str = "utf-8-sig"


Reader = Callable[[Path], Iterator[pl.DataFrame]]


def open_text(path: Path, encoding: str = "utf-8-sig") -> io.TextIOWrapper:
    """Open a text, plain or gzip (told by its first bytes); undecodable bytes become U+FFFD."""
    with path.open("rb") as probe:
        packed = probe.read(2) == _GZIP_MAGIC
    stream = gzip.open(path, "rb") if packed else path.open("rb")  # noqa: SIM115
    return io.TextIOWrapper(stream, encoding=encoding, errors="replace", newline="")


def _name(path: Path) -> str:
    name = path.name.lower()
    return name.removesuffix(".gz").removesuffix(".brotli")


def read_rows(path: Path, options: TextOptions | None = None) -> Iterator[pl.DataFrame]:
    """Read a file by its name's ending, in batches of at most BATCH_ROWS rows.

    Raises ScientistError when the file is missing or is not what its name says.
    """
    options = options or TextOptions()
    if not path.is_file():
        raise ScientistError(f"no such file: {path.name}")
    name = _name(path)
    try:
        if name.endswith((".parquet", ".pq")):
            yield from read_parquet(path)
        elif name.endswith((".jsonl", ".ndjson", ".json")):
            yield from read_json_lines(path, options.encoding)
        else:
            yield from read_delimited(path, options)
    except (OSError, EOFError, UnicodeError, ValueError) as error:
        raise ScientistError(f"{path.name} cannot be read: {error}") from error


def read_parquet(path: Path, columns: list[str] | None = None) -> Iterator[pl.DataFrame]:
    """Read Parquet with its own types, whatever its compression."""
    first = 1
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(BATCH_ROWS, columns=columns):
            frame = pl.DataFrame(pl.from_arrow(batch))
            rows = pl.int_range(first, first + frame.height, dtype=pl.Int64, eager=True)
            yield frame.with_columns(rows.alias(ROW), pl.lit("").alias(FAULT))
            first += frame.height


def _delimiter(path: Path, options: TextOptions) -> str:
    if options.delimiter:
        return options.delimiter
    return "\t" if _name(path).endswith((".tsv", ".tab")) else ","


def read_delimited(path: Path, options: TextOptions) -> Iterator[pl.DataFrame]:
    """Read delimited text, every column as text; without a header they are named 1, 2, …"""
    with open_text(path, options.encoding) as text:
        reader = csv.reader(text, delimiter=_delimiter(path, options))
        names = next(reader, None) if options.header else None
        if options.header and not names:
            return
        batch: list[list[str]] = []
        places: list[int] = []
        for record in _records(reader):
            if not record:
                continue
            if names is None:
                names = [str(place + 1) for place in range(len(record))]
            batch.append(record)
            places.append(reader.line_num)
            if len(batch) == BATCH_ROWS:
                yield _frame(names, batch, places)
                batch, places = [], []
        if batch and names is not None:
            yield _frame(names, batch, places)


def _records(reader: Iterator[list[str]]) -> Iterator[list[str]]:
    while True:
        try:
            yield next(reader)
        except StopIteration:
            return
        except csv.Error:
            # One field beyond the parser's limit: an unclosed quote. The row cannot be read.
            yield ["\ufffd"]


def _frame(names: list[str], batch: list[list[str]], places: list[int]) -> pl.DataFrame:
    width = len(names)
    faults = [""] * len(batch)
    if any(len(record) != width for record in batch):
        for place, record in enumerate(batch):
            if len(record) != width:
                faults[place] = f"{len(record)} fields where the first row has {width}"
                batch[place] = (record + [""] * width)[:width]
    columns = dict(zip(_unique(names), zip(*batch, strict=True), strict=True))
    frame = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))
    return _marked(frame, places, faults)


def _unique(names: Iterable[str]) -> list[str]:
    seen: set[str] = set()
    kept: list[str] = []
    for place, name in enumerate(names):
        free = name if name not in seen and name else f"{name}#{place + 1}"
        seen.add(free)
        kept.append(free)
    return kept


def _marked(frame: pl.DataFrame, places: list[int], faults: list[str]) -> pl.DataFrame:
    broken = pl.any_horizontal(pl.all().str.contains("\ufffd", literal=True).fill_null(False))
    return frame.with_columns(broken.alias(ROW)).with_columns(
        pl.when(pl.Series(faults, dtype=pl.String) != "")
        .then(pl.Series(faults, dtype=pl.String))
        .when(pl.col(ROW))
        .then(pl.lit("bytes that are not in the stated encoding"))
        .otherwise(pl.lit(""))
        .alias(FAULT),
        pl.Series(places, dtype=pl.Int64).alias(ROW),
    )


def read_json_lines(path: Path, encoding: str = "utf-8-sig") -> Iterator[pl.DataFrame]:
    """Read one JSON object a line; scalars become text, objects and arrays JSON text."""
    with open_text(path, encoding) as text:
        batch: list[dict[str, str | None]] = []
        places: list[int] = []
        faults: list[str] = []
        for place, line in enumerate(text, 1):
            if not line.strip():
                continue
            row, fault = _json_row(line)
            batch.append(row)
            places.append(place)
            faults.append(fault)
            if len(batch) == BATCH_ROWS:
                yield _json_frame(batch, places, faults)
                batch, places, faults = [], [], []
        if batch:
            yield _json_frame(batch, places, faults)


def _json_row(line: str) -> tuple[dict[str, str | None], str]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return {}, "not JSON"
    if not isinstance(found, dict):
        return {}, "not a JSON object"
    row = {name: _json_text(value) for name, value in found.items()}
    if any(value and _LONE_SURROGATE.search(value) for value in row.values()):
        return {}, "text that is not Unicode"
    return row, ""


def _json_text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _json_frame(
    batch: list[dict[str, str | None]], places: list[int], faults: list[str]
) -> pl.DataFrame:
    names = list(dict.fromkeys(name for row in batch for name in row)) or ["1"]
    columns = {name: [row.get(name) for row in batch] for name in names}
    frame = pl.DataFrame(columns, schema=dict.fromkeys(names, pl.String))
    return _marked(frame, places, faults)
