"""What every benchmark shares: its arguments, its figures and bars, the one JSON line it ends with.

Knows nothing of what is measured; a benchmark module offers `run(Arguments) -> Outcome`
and one line in the dict of `benchmarks.__main__`.
"""

import json
import os
import platform
import statistics
import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from domain.errors import TooLittleData

ROOT = Path(__file__).resolve().parent.parent
DEFAULT_DATA = ROOT.parent / "shared" / "data"
"""Where the public logs are looked for when neither --data nor SANDERLING_DATA says."""


class Bar(NamedTuple):
    """One promise: figure `name` must satisfy `bar` (such as ">= 0.5"); `value` was measured."""

    name: str
    bar: str
    value: float
    holds: bool


@dataclass(slots=True, frozen=True)
class Arguments:
    """What the command line chose.

    data: folder of the public logs, or None when there is none.
    dataset: limits a benchmark over several logs to one of them; "" is all.
    runs: overrides how often the benchmark repeats itself; 0 is its own choice.
    seconds: overrides how long one timed stretch lasts; 0 is the benchmark's own choice.
    case: limits a benchmark of several cases to one of them; "" is all.
    split: limits a benchmark that parts logs in several ways to one of them; "" is all.
    cold: asks for what nobody has had yet, where a benchmark can.
    budget: seconds that a fit may take; 0 is the benchmark's own choice.
    catalogue: how many items there are, where that can be chosen; 0 is the log's own.
    """

    data: Path | None = None
    dataset: str = ""
    runs: int = 0
    seconds: float = 0.0
    case: str = ""
    split: str = ""
    cold: bool = False
    budget: float = 0.0
    catalogue: int = 0

    def need(self, *parts: str) -> Path:
        """Answer the path `parts` under the data folder; raises TooLittleData when absent."""
        if self.data is None:
            raise TooLittleData("this benchmark needs the public logs: give --data DIR")
        path = self.data.joinpath(*parts)
        if not path.exists():
            raise TooLittleData(f"{'/'.join(parts)} is not in the data folder")
        return path


@dataclass(slots=True)
class Outcome:
    """What a benchmark found: named numbers, the bars they must hold, remarks for people."""

    figures: dict[str, float]
    bars: list[Bar]
    notes: list[str] = field(default_factory=list[str])

    @property
    def holds(self) -> bool:
        """Tell whether every bar holds; a benchmark without bars promises nothing."""
        return all(bar.holds for bar in self.bars)


Benchmark = Callable[[Arguments], Outcome]


def at_least(name: str, figures: Mapping[str, float], bound: float) -> Bar:
    """Promise that figure `name` is `bound` or more; not-a-number never holds."""
    return Bar(name, f">= {bound:g}", figures[name], figures[name] >= bound)


def at_most(name: str, figures: Mapping[str, float], bound: float) -> Bar:
    """Promise that figure `name` is `bound` or less; not-a-number never holds."""
    return Bar(name, f"<= {bound:g}", figures[name], figures[name] <= bound)


def exactly(name: str, figures: Mapping[str, float], bound: float) -> Bar:
    """Promise that figure `name` is `bound`."""
    return Bar(name, f"= {bound:g}", figures[name], figures[name] == bound)


def medians(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Answer the median of each figure over repeated runs that all have the same figures."""
    return {name: statistics.median(row[name] for row in rows) for name in rows[0]}


def data_folder(given: str | None) -> Path | None:
    """Answer the folder of public logs: as given, as SANDERLING_DATA, beside us, or None."""
    named = given or os.environ.get("SANDERLING_DATA")
    folder = Path(named) if named else DEFAULT_DATA
    return folder if folder.is_dir() else None


def machine() -> str:
    """Describe this machine in one line: cores, processor, memory, system, Python."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} x {_processor()}, {memory:.0f} GiB, "
        f"{platform.system()} {platform.release()}, Python {platform.python_version()}"
    )


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def commit() -> str:
    """Answer the commit measured, with "+" when tracked files were changed since; or "unknown"."""
    try:
        head = _git("rev-parse", "--short=12", "HEAD")
        changed = _git("status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    # The table of results is written by the benchmarks themselves and changes no figure.
    others = [line for line in changed.splitlines() if not line.endswith("RESULTS.md")]
    return head + ("+" if others else "")


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(ROOT), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def report(benchmark: str, outcome: Outcome) -> dict[str, object]:
    """Answer the object that a benchmark prints as its last line."""
    return {
        "benchmark": benchmark,
        "figures": outcome.figures,
        "bars": [bar._asdict() for bar in outcome.bars],
        "machine": machine(),
        "commit": commit(),
    }


def as_line(report_object: Mapping[str, object]) -> str:
    """Write a report as one line of strict JSON; a figure that is not a number becomes null."""
    return json.dumps(_strict(report_object), allow_nan=False)


def _strict(value: object) -> object:
    if isinstance(value, float):
        return value if abs(value) != float("inf") and value == value else None
    if isinstance(value, Mapping):
        return {str(key): _strict(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_strict(inner) for inner in value]
    return value


def for_people(outcome: Outcome) -> Iterable[str]:
    """Yield the lines that show an outcome on a terminal."""
    for note in outcome.notes:
        yield f"  {note}"
    for name, value in outcome.figures.items():
        yield f"  {name:<40} {value:>16,.4f}"
    for bar in outcome.bars:
        yield f"  {'holds ' if bar.holds else 'MISSED'}  {bar.name} {bar.bar}"
