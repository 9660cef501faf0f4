"""Column maps for files that describe items, users or labels rather than events.

The counterpart of training.importing.mapping: raw frames in, frames of the columns that
training.importing.attributes and labels take out. Knows nothing of files or of the store.
"""

from collections.abc import Mapping as Columns
from dataclasses import dataclass, field

import polars as pl

from domain.errors import ScientistError
from training.importing.attributes import ITEM_COLUMNS
from training.importing.mapping import Mapping, as_text
from training.importing.readers import FAULT, ROW

TYPES = ("text", "number", "flag", "list")
_TIMES = ("expires_at", "created_at")


@dataclass(slots=True, frozen=True)
class Description:
    """How a file describes items or users.

    key: "item" or "user". columns: our name to the file's (see Mapping). categories: the
    columns that hold categories, broadest first. attributes: name to (column, type); None
    takes every column not used otherwise, under its own name. separator parts lists.
    """

    key: str
    columns: Columns[str, str]
    categories: tuple[str, ...] = ()
    attributes: Columns[str, tuple[str, str]] | None = None
    separator: str = "|"
    times: Mapping = field(default_factory=lambda: Mapping({}))

    def apply(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Bring a raw frame to `key`, the known columns and one column an attribute."""
        made: dict[str, pl.Series] = {}
        used: set[str] = set()
        faults = frame[FAULT]
        for name, source in self.columns.items():
            column = self.times.column(frame, source)
            used.add(column.name)
            made[name] = self._typed(name, column)
            if name in _TIMES:
                unread = made[name].is_null() & (as_text(column).fill_null("") != "")
                reason = pl.lit(f"{name}: not a time that can be read")
                faults = pl.select(
                    pl.when(pl.lit(unread)).then(reason).otherwise(pl.lit(faults))
                ).to_series()
        if self.categories:
            columns = [self.times.column(frame, source) for source in self.categories]
            used |= {column.name for column in columns}
            made["categories"] = self._categories(columns)
        for name, (source, kind) in self._wanted(frame, used).items():
            made[name] = self._attribute(self.times.column(frame, source), kind)
        whole = {ROW: frame[ROW], FAULT: faults, **made}
        return pl.DataFrame([column.alias(name) for name, column in whole.items()])

    def _wanted(self, frame: pl.DataFrame, used: set[str]) -> Columns[str, tuple[str, str]]:
        if self.attributes is not None:
            return self.attributes
        rest = [name for name in frame.columns if name not in used and name not in (ROW, FAULT)]
        own = ITEM_COLUMNS if self.key == "item" else ("user",)
        taken = [name for name in rest if name in own]
        if taken:
            raise ScientistError(
                f"column {taken[0]!r} is named like a field of ours: map it, or name the "
                "attributes you want with --attribute"
            )
        return {name: (name, "") for name in rest}

    def _typed(self, name: str, column: pl.Series) -> pl.Series:
        if name in _TIMES:
            return Mapping({"at": column.name}, unit=self.times.unit, zone=self.times.zone).apply(
                pl.DataFrame([column]).with_columns(pl.lit(1).alias(ROW), pl.lit("").alias(FAULT))
            )["at"]
        if name in ("price", "available", "hidden") and column.dtype != pl.String:
            return column
        return as_text(column)

    def _categories(self, columns: list[pl.Series]) -> pl.Series:
        texts = pl.DataFrame([as_text(c).alias(str(i)) for i, c in enumerate(columns)])
        parts = pl.concat_list(pl.all().fill_null("").str.split(self.separator))
        cleaned = parts.list.eval(pl.element().str.strip_chars().filter(pl.element() != ""))
        return texts.select(cleaned.list.unique(maintain_order=True)).to_series()

    def _attribute(self, column: pl.Series, kind: str) -> pl.Series:
        if not kind:
            return (
                column
                if column.dtype.is_numeric() or column.dtype == pl.Boolean
                else (column if isinstance(column.dtype, pl.List) else as_text(column))
            )
        if kind == "number":
            return column.cast(pl.Float64, strict=False)
        text = as_text(column)
        if kind == "list":
            return text.str.split(self.separator)
        if kind == "flag":
            lowered = text.str.to_lowercase()
            yes, no = lowered.is_in(["true", "1", "yes"]), lowered.is_in(["false", "0", "no"])
            return pl.select(
                pl.when(pl.lit(yes)).then(pl.lit(True)).when(pl.lit(no)).then(pl.lit(False))
            ).to_series()
        return text


def labels_frame(frame: pl.DataFrame, mapping: Mapping, label: str) -> pl.DataFrame:
    """Answer a raw frame as row, user, at, label, fault; `label` is a column or "=constant"."""
    base = mapping.apply(frame).select("row", "user", "at", "fault")
    if label.startswith("="):
        return base.with_columns(pl.lit(label[1:]).alias("label"))
    texts = as_text(mapping.column(frame, label)).fill_null("")
    return base.with_columns(texts.alias("label"))
