"""Moving an old log to the present: every time later by one whole number of weeks.

Old public logs end years ago; what happens next would be years after all that is known.
Weekdays, hours and all distances stay. Knows nothing of what is in the rows but their times.
"""

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import polars as pl

from domain.clock import DAY_MS
from domain.errors import ScientistError
from training.importing.pouring import SourceFrame

WEEK_MS = 7 * DAY_MS


def weeks_between(newest_ms: int, now_ms: int) -> int:
    """Answer the whole weeks, in milliseconds, that fit between `newest_ms` and now; never < 0."""
    return max(0, now_ms - newest_ms) // WEEK_MS * WEEK_MS


def newest(frames: Iterable[pl.DataFrame]) -> int:
    """Answer the latest `at` of canonical frames; raises ScientistError when there is none."""
    ats = [at for frame in frames if (at := frame["at"].max()) is not None]
    if not ats:
        raise ScientistError("no row has a time that can be read, so nothing can be moved")
    return max(int(at) for at in ats)  # type: ignore[arg-type]


def moved(frames: Iterator[SourceFrame], by_ms: int) -> Iterator[SourceFrame]:
    """Answer the frames with every `at` later by `by_ms`; ids stay those of the true times."""
    for source in frames:
        yield source._replace(frame=source.frame.with_columns(pl.col("at") + by_ms))


def remembered_move(
    path: Path, frames: Iterable[pl.DataFrame], now_ms: int, *, keep: bool = True
) -> int:
    """Answer by how much a source is moved: as the first time, noted at `path`, or newly found.

    A second import weeks later must put new rows where their neighbours are. Without `keep`
    nothing is noted.
    """
    try:
        return int(json.loads(path.read_text("utf-8"))["moved_by_ms"])
    except (OSError, ValueError, KeyError, TypeError):
        pass
    by_ms = weeks_between(newest(frames), now_ms)
    if not keep:
        return by_ms
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".tmp")
    fresh.write_text(json.dumps({"moved_by_ms": by_ms}) + "\n", "utf-8")
    os.replace(fresh, path)
    return by_ms
