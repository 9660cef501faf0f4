"""The replay benchmark on a log small enough to count by hand."""

from pathlib import Path

from benchmarks.replay import LABEL_EVERY_MS, label_times, once, write_log
from domain.events import Event, Kind
from feature_store.history import History
from feature_store.store import StoreSettings

T0 = 1_699_920_000_000
"""2023-11-14, midnight UTC."""
EVENTS = [
    Event(f"e{n}", f"u{n % 5}", Kind.purchase, T0 + n * LABEL_EVERY_MS // 10, "tea", 1_000_000)
    for n in range(40)
]


def test_labels_are_every_28_days_within_the_log() -> None:
    assert label_times(EVENTS) == [
        T0 + LABEL_EVERY_MS,
        T0 + 2 * LABEL_EVERY_MS,
        T0 + 3 * LABEL_EVERY_MS,
    ]


def test_the_log_written_is_the_log_read(tmp_path: Path) -> None:
    write_log(EVENTS, tmp_path, StoreSettings(buckets=3))
    history = History.load(tmp_path)
    assert history.events == len(EVENTS)
    assert sorted(history.records["at"].tolist()) == [event.at for event in EVENTS]
    figures, rows = once(tmp_path, label_times(EVENTS))
    assert rows == 15
    assert figures["events_per_second"] < figures["events_per_second_in_memory"]
