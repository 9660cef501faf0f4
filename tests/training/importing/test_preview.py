"""The preview: times in words, empty columns left out, what would be refused and why."""

import polars as pl

from training.importing.canonical import CANONICAL
from training.importing.preview import preview_events, preview_rows
from training.importing.readers import FAULT, ROW

NOW = 1_700_000_000_000


def test_events() -> None:
    empty = {name: "" if dtype == pl.String else None for name, dtype in CANONICAL.items()}
    good = {**empty, "row": 2, "event_id": "e", "user": "anna", "kind": "click", "at": NOW}
    bad = {**good, "row": 3, "kind": "look"}
    told = preview_events(pl.DataFrame([good, bad], schema=dict(CANONICAL)), 5, NOW)
    assert "2023-11-14 22:13:20" in told
    assert "campaign" not in told
    assert "of the first 2 rows: 1 would be accepted, 1 rejected" in told
    assert "row 3: kind: unknown kind" in told


def test_other_rows() -> None:
    frame = pl.DataFrame({ROW: [1, 2], FAULT: ["", ""], "item": ["a", "b"], "title": [None, None]})
    told = preview_rows("items", frame, 1)
    assert told.startswith("items\n")
    assert "title" not in told
    assert '"a"' not in told
    assert " a " in told
    assert " b " not in told
