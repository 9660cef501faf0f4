"""The `replay` benchmark: a retail log becomes rows of features, as fast as one core can.

Timed from opening the Parquet files to the last row: reading, ordering, dropping repeats and
building `rfm`, `rhythm` and `sequence` as of every 28 days. Not timed: writing the log, and
compiling (a first, untimed run). Knows nothing of models.
"""

import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from benchmarks.harness import Arguments, Outcome, at_least, medians
from benchmarks.servers import cores, pinned
from domain.clock import DAY_MS
from domain.events import Event
from domain.ids import bucket_of
from feature_store.history import History
from feature_store.log.events import SCHEMA, WRITE_OPTIONS, table_of_entries
from feature_store.log.files import parse_id, path_for, write_atomically
from feature_store.log.writer import WriterSettings
from feature_store.records import pack_payload, pack_record
from feature_store.store import StoreSettings, StreamEntry
from feature_store.views import views_named
from training.importing.checking import check_frame
from training.importing.presets.retail import ONLINE_RETAIL
from training.importing.sources import preset_events

VIEWS = ("rfm", "rhythm", "sequence")
LABEL_EVERY_MS = 28 * DAY_MS
RUNS = 5
BAR = 1_000_000
_ARRIVED_MS = 1_767_225_600_000
"""The log is written as one import of the whole file writes it: arrival is not the event's time."""


def retail_events(folder: Path, scratch: Path) -> list[Event]:
    """Answer the events of the retail log in the order of the file."""
    events: list[Event] = []
    for source in preset_events(ONLINE_RETAIL, folder, scratch):
        events.extend(check_frame(source.frame, _ARRIVED_MS).events)
    return events


def write_log(events: Sequence[Event], root: Path, settings: StoreSettings) -> None:
    """Write events as the log writer does: files of its size, by bucket, in order of arrival."""
    buckets = defaultdict[int, list[Event]](list)
    for event in events:
        buckets[bucket_of(event.entity, settings.buckets)].append(event)
    rows = WriterSettings().rows
    for bucket, held in buckets.items():
        for start in range(0, len(held), rows):
            entries = list(_entries(held[start : start + rows], start, settings))
            first, last = parse_id(entries[0].stream_id), parse_id(entries[-1].stream_id)
            path = path_for(root, bucket, first, last)
            write_atomically(path, SCHEMA, iter([table_of_entries(entries)]), WRITE_OPTIONS)


def _entries(
    events: Sequence[Event], number: int, settings: StoreSettings
) -> Iterator[StreamEntry]:
    for place, event in enumerate(events):
        record = pack_record(event, settings.house_currency)
        yield StreamEntry(f"{_ARRIVED_MS + number + place}-0", record, [pack_payload(event)])


def label_times(events: Sequence[Event]) -> list[int]:
    """Answer every 28th day after the first event, up to the last."""
    first, last = min(event.at for event in events), max(event.at for event in events)
    start = first // DAY_MS * DAY_MS
    return list(range(start + LABEL_EVERY_MS, last + 1, LABEL_EVERY_MS))


def once(log: Path, times: Sequence[int]) -> tuple[dict[str, float], int]:
    """Time one replay; answer the figures and how many rows a view has."""
    begun = time.perf_counter()
    history = History.load(log)
    loaded = time.perf_counter()
    replayed = history.replay(views_named(VIEWS), times)
    done = time.perf_counter()
    return {
        "events_per_second": history.events / (done - begun),
        "events_per_second_in_memory": history.events / (done - loaded),
        "load_ms": 1e3 * (loaded - begun),
        "build_ms": 1e3 * (done - loaded),
    }, int(np.count_nonzero(replayed.found))


def run(arguments: Arguments) -> Outcome:
    """Run the benchmark; raises TooLittleData without the retail log."""
    folder = arguments.need("online-retail")
    with tempfile.TemporaryDirectory() as scratch, pinned(cores()[0]):
        root = Path(scratch) / "log"
        events = retail_events(folder, Path(scratch))
        write_log(events, root, StoreSettings(house_currency=ONLINE_RETAIL.currency))
        times = label_times(events)
        _, rows = once(root, times)
        figures = medians([once(root, times)[0] for _ in range(arguments.runs or RUNS)])
    figures |= {"events": float(len(events)), "labels": float(len(times)), "rows": float(rows)}
    notes = [
        "one core, compiled before; median of the runs; read + order + build, from Parquet files",
        f"{rows:,} rows of each of {', '.join(VIEWS)}; events the preset keeps of 541,909 lines",
    ]
    return Outcome(figures, [at_least("events_per_second", figures, BAR)], notes)
