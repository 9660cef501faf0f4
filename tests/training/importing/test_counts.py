"""Counts: what was read is what was said to have become of it."""

from training.importing.counts import Counts


def test_lines_for_people() -> None:
    counts = Counts(read=1_234, skipped=4, accepted=1_000, duplicates=200)
    counts.rejected.update({"bad_field": 20, "unknown_kind": 10})
    assert counts.lines("events") == [
        "events: read 1,234 · accepted 1,000 · already there 200 · rejected 30 · skipped by rule 4",
        "  rejected, bad_field: 20",
        "  rejected, unknown_kind: 10",
    ]


def test_what_did_not_happen_is_not_said() -> None:
    assert Counts(read=1, accepted=1).lines("items") == [
        "items: read 1 · accepted 1 · already there 0 · rejected 0"
    ]
