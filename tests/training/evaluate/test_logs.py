import numpy as np
import polars as pl

from domain.events import Event, Kind
from feature_store.history import History
from training.evaluate.logs import history_of

ROWS = [
    {"event_id": "e1", "user": "a", "session": "", "kind": "click", "item": "x", "at": 5},
    {"event_id": "e2", "user": "", "session": "a", "kind": "purchase", "item": "y", "at": 4},
    {"event_id": "e3", "user": "a", "session": "s", "kind": "rating", "item": "", "at": 3},
    {"event_id": "e4", "user": "a", "session": "", "kind": "click", "item": "z", "at": 5},
]


def frame(rows, fault=""):
    """Canonical columns of rows; what they do not name is absent."""
    texts = dict.fromkeys(("currency", "channel", "campaign", "decision_id", "refunds"), "")
    return pl.DataFrame(
        [{**row, **texts, "value": None, "quantity": None, "fault": fault} for row in rows],
        schema_overrides={"value": pl.Float64, "quantity": pl.Float64},
    )


def test_frames_become_the_history_their_events_would_be():
    history, items = history_of([frame(ROWS[:2]), frame(ROWS[2:])])
    events = [
        Event(
            row["event_id"],
            "u" + row["user"] if row["user"] else "s" + row["session"],
            Kind[row["kind"]],
            row["at"],
            row["item"],
        )
        for row in ROWS
    ]
    wanted = History.from_events(events)
    assert history.entities == wanted.entities == ("ua", "sa")
    assert (history.offsets == wanted.offsets).all()
    for name in ("at", "event", "item", "kind", "quantity"):
        assert (history.records[name] == wanted.records[name]).all()
    assert items == ("x", "y", "z")


def test_rows_with_a_fault_are_left_out():
    history, items = history_of([frame(ROWS[:1]), frame(ROWS[1:], fault="broken")])
    assert history.events == 1
    assert items == ("x",)
    assert np.diff(history.offsets).tolist() == [1]
