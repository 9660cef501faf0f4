"""Links: which records hold when."""

import numpy as np

from domain.events import Event, Kind
from feature_store.linking import Link, Spans, merged, no_links, with_links
from feature_store.records import Records
from tests.feature_store.making import T0, event, state_of


def _records(*names: str) -> Records:
    events = [event(name, Kind.click, T0 + int(name[1:])) for name in names]
    return state_of(events)[1]


def _held(result: tuple[tuple[str, ...], Records, np.ndarray, Spans], name: str, at: int) -> list:
    names, records, offsets, spans = result
    place = np.array([names.index(name)])
    (group,) = spans.group_at(place, np.array([T0 + at]))
    return (records["at"][offsets[group] : offsets[group + 1]] - T0).tolist()


def test_without_links_each_entity_is_one_group_for_all_time() -> None:
    spans = no_links(3)
    assert spans.group_at(np.array([2, -1, 0]), np.array([5, 5, 5])).tolist() == [2, -1, 0]


def test_merging_keeps_the_users_own_where_both_have_an_event() -> None:
    own = state_of([event("x", Kind.click, T0 + 3), event("a", Kind.click, T0 + 1)])[1]
    carried = state_of([event("x", Kind.purchase, T0 + 2), event("b", Kind.click, T0 + 2)])[1]
    both = merged(own, carried)
    assert both["at"].tolist() == [T0 + 1, T0 + 2, T0 + 3]
    assert both["kind"].tolist() == [Kind.click] * 3


def test_two_sessions_of_one_user_join_in_their_order() -> None:
    records = np.concatenate([_records("e5"), _records("e1"), _records("e2")])
    result = with_links(
        ["uada", "s1", "s2"],
        records,
        np.array([0, 1, 2, 3]),
        [Link("s2", "uada", T0 + 20), Link("s1", "uada", T0 + 10)],
    )
    assert _held(result, "uada", 10) == [5]
    assert _held(result, "uada", 11) == [1, 5]
    assert _held(result, "uada", 21) == [1, 2, 5]
    assert _held(result, "s2", 20) == [2]
    assert _held(result, "s2", 21) == [1, 2, 5]


def test_a_user_known_only_by_a_link_exists_from_then_on() -> None:
    result = with_links(["s1"], _records("e1"), np.array([0, 1]), [Link("s1", "unew", T0 + 4)])
    assert result[0] == ("s1", "unew")
    assert _held(result, "unew", 4) == []
    assert _held(result, "unew", 5) == [1]


def test_the_first_link_of_a_session_counts() -> None:
    links = [Link("s1", "uada", T0 + 4), Link("s1", "ubob", T0 + 9), Link("s9", "uada", T0)]
    result = with_links(["s1"], _records("e1"), np.array([0, 1]), links)
    assert _held(result, "uada", 99) == [1]
    assert _held(result, "ubob", 99) == []


def test_events_are_what_they_were() -> None:
    held: list[Event] = [event("a", Kind.purchase, T0, value=7)]
    own = state_of(held)[1]
    assert merged(own, own).tobytes() == own.tobytes()
