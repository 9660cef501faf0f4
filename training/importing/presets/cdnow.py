"""CDNOW: the purchases of a tenth of the customers who first bought in early 1997."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from training.importing.presets.preset import Preset, Table
from training.importing.readers import FAULT, ROW, open_text

_WORDS = 5


def read_columns(path: Path) -> Iterator[pl.DataFrame]:
    """Read lines of `master sample yyyymmdd number dollars`, parted by blanks, as text."""
    names = ("master", "sample", "date", "number", "dollars")
    with open_text(path) as text:
        lines = [(place, line.split()) for place, line in enumerate(text, 1) if line.strip()]
    rows = [
        (place, "" if len(words) == _WORDS else "not five columns", *(words + [""] * 5)[:5])
        for place, words in lines
    ]
    schema = {ROW: pl.Int64, FAULT: pl.String, **dict.fromkeys(names, pl.String)}
    yield pl.DataFrame(rows, schema=schema, orient="row")


_DATE = pl.col("date").str.to_datetime("%Y%m%d", strict=False, time_unit="ms")

CDNOW_SAMPLE = Preset(
    name="cdnow-sample",
    about="CDNOW 10 % sample: 6,919 purchases of 2,357 customers, January 1997 to June 1998",
    rule=(
        "a line is one purchase on that day (midnight UTC) of `number` discs, without saying "
        "which; value in USD; the customer is the master id"
    ),
    currency="USD",
    event_table=Table(
        files=("CDNOW_sample.txt",),
        read=read_columns,
        columns={
            "user": pl.col("master"),
            "kind": pl.lit("purchase"),
            "at": _DATE.dt.epoch("ms"),
            "value": pl.col("dollars").cast(pl.Float64, strict=False),
            "currency": pl.lit("USD"),
            "quantity": pl.col("number").cast(pl.Float64, strict=False),
            "fault": pl.when(_DATE.is_null()).then(pl.lit("at: not a date")).otherwise(pl.lit("")),
        },
    ),
)
