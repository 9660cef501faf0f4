"""What a preset is: the tables of a known data set and how each becomes our columns.

A preset is data: file names, a reader, one polars expression a column, a rule for rows that
are left out. It can be read without any store. Knows nothing of the command line.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from domain.errors import ScientistError
from training.importing.canonical import canonical, with_event_ids
from training.importing.readers import FAULT, Reader, read_rows

Expressions = Mapping[str, pl.Expr]


@dataclass(slots=True, frozen=True)
class Table:
    """One file of a data set and the columns made of it.

    `files` are the names it is known under, the first found counts. `keep` leaves rows out
    by the preset's stated rule (they are counted as skipped, not as rejected).
    """

    files: tuple[str, ...]
    columns: Expressions
    read: Reader = read_rows
    keep: pl.Expr = field(default_factory=lambda: pl.lit(True))

    def path_in(self, path: Path) -> Path | None:
        """Answer this table's file: `path` itself if it has the name, or inside a folder."""
        if path.is_file():
            return path if path.name in self.files else None
        return next((path / name for name in self.files if (path / name).is_file()), None)

    def kept(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Leave out the rows that the rule skips; unreadable rows stay, to be reported."""
        return frame.filter((pl.col(FAULT) != "") | self.keep)


@dataclass(slots=True, frozen=True)
class Preset:
    """A known data set. `about` says what it is, `rule` what its rows are taken to mean.

    `folder` is its usual folder name; `home` finds it when no path is given (None: a path
    is needed); `currency` is that of its values ("" when it has none).
    """

    name: str
    about: str
    rule: str
    event_table: Table
    item_table: Table | None = None
    user_table: Table | None = None
    currency: str = ""
    home: Callable[[], Path | None] | None = None

    def events(self, path: Path | str, scratch: Path | None = None) -> Iterator[pl.DataFrame]:
        """Answer canonical frames (see training.importing.canonical) with event ids.

        `path` is the folder or the events file. Raises ScientistError when it is not there.
        """
        for frame, _ in self.counted_events(Path(path), scratch):
            yield frame

    def counted_events(
        self, path: Path, scratch: Path | None = None
    ) -> Iterator[tuple[pl.DataFrame, int]]:
        """Answer (canonical frame, rows skipped by the rule before it) pairs."""
        skipped: list[int] = []
        for frame in with_event_ids(self.times(path, skipped.append), self.name, scratch):
            yield frame, skipped.pop()

    def times(
        self, path: Path, skipped: Callable[[int], object] = lambda rows: None
    ) -> Iterator[pl.DataFrame]:
        """Answer canonical frames without ids; `skipped` is told of rows left out before each."""
        table = self.event_table
        for raw in table.read(self._file(table, path, "events")):
            kept = table.kept(raw)
            skipped(raw.height - kept.height)
            yield canonical(kept, table.columns)

    def items(self, path: Path | str) -> Iterator[pl.DataFrame]:
        """Answer frames of items: `item`, `title`, `categories`, …; other columns are attributes.

        Nothing when the set describes no items. Raises ScientistError when the file is missing.
        """
        yield from self._side(self.item_table, Path(path), "items")

    def users(self, path: Path | str) -> Iterator[pl.DataFrame]:
        """Answer frames of users: `user`; other columns are attributes."""
        yield from self._side(self.user_table, Path(path), "users")

    def sides(self) -> tuple[str, ...]:
        """Answer which of "items" and "users" the set describes."""
        tables = (("items", self.item_table), ("users", self.user_table))
        return tuple(what for what, table in tables if table is not None)

    def _side(self, table: Table | None, path: Path, what: str) -> Iterator[pl.DataFrame]:
        if table is None:
            return
        seen: pl.Series | None = None
        for raw in table.read(self._file(table, path, what)):
            frame = table.kept(raw).select(
                *(expression.alias(name) for name, expression in table.columns.items())
            )
            key = frame.columns[0]
            frame = frame.unique(key, keep="first", maintain_order=True)
            if seen is not None:
                frame = frame.filter(~pl.col(key).is_in(seen.implode()))
            seen = frame[key] if seen is None else seen.append(frame[key])
            if frame.height:
                yield frame

    def _file(self, table: Table, path: Path, what: str) -> Path:
        # A file given by another name than the set's own still is its events file.
        if path.is_file() and table is self.event_table:
            return path
        found = table.path_in(path) or (table.path_in(path.parent) if path.is_file() else None)
        if found is None:
            raise ScientistError(
                f"{self.name}: no {what} file at that path; pass the folder that holds "
                + " or ".join(table.files)
            )
        return found
