"""The `sequence` view by known answers."""

from domain.events import Kind
from domain.ids import hash64
from feature_store.views.sequence import LENGTH, SEQUENCE
from tests.feature_store.making import T0, event, row_of


def test_what_was_shown_and_what_has_no_item_is_left_out() -> None:
    events = [
        event("a", Kind.impression, T0, item="tea"),
        event("b", Kind.seen, T0 + 1, item="tea"),
        event("c", Kind.search, T0 + 2),
        event("d", Kind.click, T0 + 3, item="tea"),
        event("e", Kind.purchase, T0 + 4, item="pot"),
    ]
    row = row_of(SEQUENCE, events, T0 + 10)
    assert row["length"] == 2
    assert row["items"][:3].tolist() == [hash64("tea"), hash64("pot"), 0]
    assert row["kinds"][:2].tolist() == [Kind.click, Kind.purchase]
    assert row["ats"][:2].tolist() == [T0 + 3, T0 + 4]


def test_the_last_fifty_are_kept_oldest_first() -> None:
    events = [event(f"e{n}", Kind.click, T0 + n, item=f"i{n}") for n in range(LENGTH + 7)]
    row = row_of(SEQUENCE, events, T0 + 1_000)
    assert row["length"] == LENGTH
    assert row["ats"].tolist() == [T0 + n for n in range(7, LENGTH + 7)]


def test_the_cap_bounds_what_is_looked_at() -> None:
    events = [event(f"e{n}", Kind.click, T0 + n, item="tea") for n in range(9)]
    assert row_of(SEQUENCE, events, T0 + 1_000, cap=4)["length"] == 4
