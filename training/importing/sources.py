"""What an import reads: options and paths in, frames out, for each of the four contents.

Knows nothing of checking or storing.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq

from domain.errors import ScientistError
from training.importing.canonical import with_event_ids
from training.importing.describing import Description, labels_frame
from training.importing.mapping import Mapping
from training.importing.pouring import SourceFrame
from training.importing.presets import Preset
from training.importing.readers import FAULT, ROW, TextOptions, read_rows
from training.importing.recognise import KIND_WORDS, recognise

NamedFrames = Iterator[tuple[str, pl.DataFrame]]
Say = Callable[[str], object]


@dataclass(slots=True, frozen=True)
class Files:
    """Files of one make."""

    paths: tuple[Path, ...]
    options: TextOptions = field(default_factory=TextOptions)

    def names(self) -> list[str]:
        """Answer the columns of the first file."""
        for frame in read_rows(self.paths[0], self.options):
            return [name for name in frame.columns if name not in (ROW, FAULT)]
        raise ScientistError(f"{self.paths[0].name} holds no rows")

    def raw(self) -> NamedFrames:
        """Answer (file name, raw frame) pairs, batch by batch."""
        for path in self.paths:
            for frame in read_rows(path, self.options):
                yield path.name, frame

    def rows(self) -> int | None:
        """Answer how many rows there are when the files say so (Parquet), else None."""
        return total_rows(self.paths)


def total_rows(paths: tuple[Path, ...]) -> int | None:
    """Answer the rows of Parquet files from their footers; None for anything else."""
    total = 0
    for path in paths:
        if not path.name.lower().removesuffix(".brotli").endswith((".parquet", ".pq")):
            return None
        total += pq.read_metadata(path).num_rows
    return total


def completed(mapping: Mapping, names: list[str], say: Say) -> Mapping:
    """Fill what the options leave open from recognised column names, and say so.

    Raises ScientistError when it stays unknown who did what, and when.
    """
    found = {
        ours: theirs for ours, theirs in recognise(names).items() if ours not in mapping.columns
    }
    taken = set(mapping.columns.values()) | set(mapping.properties.values())
    found = {ours: theirs for ours, theirs in found.items() if theirs not in taken}
    columns = {**found, **mapping.columns}
    if found:
        say("recognised: " + ", ".join(f"{ours} = {theirs}" for ours, theirs in found.items()))
    known = f"the file has: {', '.join(names)}"
    if "user" not in columns and "session" not in columns:
        raise ScientistError(f"say which column is the user or the session (--user); {known}")
    if "kind" not in columns:
        raise ScientistError(f"say what happened: --kind COLUMN or --kind =purchase; {known}")
    if "at" not in columns:
        raise ScientistError(f"say which column is the time: --at COLUMN; {known}")
    kinds = mapping.kinds
    if "kind" in found:
        kinds = {**KIND_WORDS, **kinds}
    return replace(mapping, columns=columns, kinds=kinds)


def event_frames(
    files: Files, mapping: Mapping, source: str, scratch: Path
) -> Iterator[SourceFrame]:
    """Answer the canonical frames of files; identical rows are told apart within a file only."""
    for path in files.paths:
        raw = read_rows(path, files.options)
        made = (mapping.apply(frame) for frame in raw)
        for frame in with_event_ids(made, source, scratch):
            yield SourceFrame(path.name, frame)


def event_times(files: Files, mapping: Mapping) -> Iterator[pl.DataFrame]:
    """Answer the canonical frames of files without ids, for a look at their times."""
    for _, raw in files.raw():
        yield mapping.apply(raw)


def preset_events(preset: Preset, path: Path, scratch: Path) -> Iterator[SourceFrame]:
    """Answer the canonical frames of a preset's events."""
    for frame, skipped in preset.counted_events(path, scratch):
        yield SourceFrame(preset.name, frame, skipped)


def preset_path(preset: Preset, paths: list[Path]) -> Path:
    """Answer where a preset's data is: the one path given, or its usual place.

    Raises ScientistError saying what to pass.
    """
    if len(paths) > 1:
        raise ScientistError("a preset takes one path: the folder of the set")
    path = paths[0] if paths else preset.home() if preset.home is not None else None
    if path is None and preset.home is None:
        folder = Path(preset.name)
        if folder.is_dir():
            return folder
        files = " or ".join(preset.event_table.files)
        raise ScientistError(
            f"no folder {preset.name!r} here; pass the folder that holds {files}: "
            f"python -m training import --preset {preset.name} PATH"
        )
    if path is None:
        raise ScientistError(
            f"the data of {preset.name!r} is not installed (extra: demo); install it, or pass "
            f"the folder that holds {' or '.join(preset.event_table.files)}"
        )
    if not path.exists():
        raise ScientistError(f"no such path: {path.name}")
    return path


def described(files: Files, description: Description) -> NamedFrames:
    """Answer the frames of item or user files."""
    for name, frame in files.raw():
        yield name, description.apply(frame)


def labelled(files: Files, mapping: Mapping, label: str) -> NamedFrames:
    """Answer the frames of label files."""
    for name, frame in files.raw():
        yield name, labels_frame(frame, mapping, label)


def named(name: str, frames: Iterator[pl.DataFrame]) -> NamedFrames:
    """Answer frames with the name they are reported under."""
    for frame in frames:
        yield name, frame
