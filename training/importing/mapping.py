"""Column maps: which column of a file (or which constant) is which of ours.

A mapping is made from the command line or from recognised column names, and turns raw
frames into canonical ones. Knows nothing of files, presets or the store.
"""

import json
from collections.abc import Mapping as Columns
from dataclasses import dataclass, field, replace

import polars as pl

from domain.errors import ScientistError
from training.importing.canonical import CANONICAL, canonical
from training.importing.readers import FAULT, ROW
from training.importing.times import to_ms

MAPPED = tuple(name for name in CANONICAL if name not in ("row", "fault", "properties"))
_OK = pl.lit("")


@dataclass(slots=True, frozen=True)
class Mapping:
    """How a file's columns become ours.

    columns: our name to the file's column name, its number from 1, or "=constant".
    kinds: the file's word for a kind to ours; words not in it must be ours already.
    properties: a property's name to the file's column.
    unit, zone, form: how times are written, see training.importing.times.
    """

    columns: Columns[str, str]
    kinds: Columns[str, str] = field(default_factory=dict)
    properties: Columns[str, str] = field(default_factory=dict)
    unit: str = "auto"
    zone: str = "UTC"
    form: str = ""

    def apply(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Bring a raw frame to the canonical columns; raises ScientistError on unknown columns."""
        faults: list[pl.Expr] = []
        made: dict[str, pl.Expr] = {}
        for name, source in self.columns.items():
            if source.startswith("="):
                made[name] = pl.lit(source[1:])
            else:
                column = self.column(frame, source)
                made[name], fault = self._typed(name, column)
                faults += [] if fault is None else [fault]
        if "kind" in made and self.kinds:
            made["kind"] = made["kind"].replace(dict(self.kinds))
        for name in ("value", "quantity"):
            if self.columns.get(name, "").startswith("="):
                made[name] = made[name].cast(pl.Float64)
        if self.columns.get("at", "").startswith("="):
            constant = pl.Series([self.columns["at"][1:]])
            made["at"] = pl.lit(to_ms(constant, self.unit, self.zone, self.form)[0], pl.Int64)
        if self.properties:
            made["properties"] = pl.lit(self._properties(frame))
        if faults:
            made["fault"] = pl.coalesce(*faults, _OK)
        return canonical(frame, made)

    def with_kind(self, kind: str) -> "Mapping":
        """Answer this mapping with a constant kind, for files whose rows are no events."""
        return replace(self, columns={**self.columns, "kind": f"={kind}"})

    def column(self, frame: pl.DataFrame, source: str) -> pl.Series:
        """Answer the column called `source`, or the one with that number from 1."""
        own = [name for name in frame.columns if name not in (ROW, FAULT)]
        if source in own:
            return frame[source]
        if source.isdigit() and 1 <= int(source) <= len(own):
            return frame[own[int(source) - 1]]
        raise ScientistError(f"no column {source!r}; the file has: {', '.join(own)}")

    def _typed(self, name: str, column: pl.Series) -> tuple[pl.Expr, pl.Expr | None]:
        dtype = CANONICAL[name]
        if name == "at":
            times = to_ms(column, self.unit, self.zone, self.form)
            return pl.lit(times), _unread("at", column, times, "not a time that can be read")
        if dtype == pl.Float64:
            numbers = column
            if column.dtype == pl.String:
                numbers = column.str.strip_chars().cast(pl.Float64, strict=False)
            numbers = numbers.cast(pl.Float64, strict=False)
            return pl.lit(numbers), _unread(name, column, numbers, "not a number")
        return pl.lit(as_text(column)), None

    def _properties(self, frame: pl.DataFrame) -> pl.Series:
        columns = [self.column(frame, source).to_list() for source in self.properties.values()]
        names = tuple(self.properties)
        texts = [
            json.dumps(
                {n: v for n, v in zip(names, row, strict=True) if v is not None and v != ""},
                ensure_ascii=True,
                separators=(",", ":"),
                default=str,
            )
            for row in zip(*columns, strict=True)
        ]
        return pl.Series(["" if text == "{}" else text for text in texts], dtype=pl.String)


def as_text(column: pl.Series) -> pl.Series:
    """Answer a column as text without edge blanks; whole floats lose their ".0"."""
    if column.dtype.is_float():
        # Ids with gaps come out of many tools as floats: 17850.0 is the customer 17850.
        whole = column.drop_nulls().drop_nans()
        if (whole == whole.round()).all() and (whole.abs() < 2**53).all():
            column = column.fill_nan(None).cast(pl.Int64)
    if column.dtype.is_nested():
        raise ScientistError(f"column {column.name!r} holds lists or structures, not single values")
    return column.cast(pl.String).str.strip_chars()


def _unread(name: str, column: pl.Series, made: pl.Series, reason: str) -> pl.Expr | None:
    blank = column.is_null()
    if column.dtype == pl.String:
        blank = blank | (column.str.strip_chars() == "")
    unread = made.is_null() & ~blank
    if not unread.any():
        return None
    return pl.when(pl.lit(unread)).then(pl.lit(f"{name}: {reason}"))
