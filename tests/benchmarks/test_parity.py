"""The parity benchmark: what it sends is what was meant, and it can fail."""

import msgspec

from benchmarks.parity import BATCH, body, differing, shuffled_batches
from domain.events import Event, Kind
from feature_store.history import History
from feature_store.store import EntityState
from service.routes.events import EventIn, event_of
from tests.feature_store.making import T0, state_of

EVENTS = [
    Event("a", "u1", Kind.purchase, T0, "tea", 12_345_678, "GBP", 3.0, "mail", "may", session="s"),
    Event("b", "sx", Kind.custom, T0 + 5, "pot", properties='{"action":"favourite"}'),
    Event("c", "u1", Kind.refund, T0 + 9, "tea", 0),
]


def test_the_endpoint_reads_back_the_very_event() -> None:
    for event in EVENTS:
        row = msgspec.convert(body(event), EventIn)
        assert event_of(row, T0 + 100) == event


def test_one_event_in_twenty_is_sent_twice_and_none_is_left_out() -> None:
    events = [EVENTS[0]._replace(event_id=str(n)) for n in range(1_000)]
    batches = list(shuffled_batches(events))
    sent = [event.event_id for batch in batches for event in batch]
    assert len(sent) == 1_050
    assert set(sent) == {event.event_id for event in events}
    assert {len(batch) for batch in batches} == {BATCH, 50}
    assert sent != sorted(sent, key=int)


def test_a_single_event_too_few_is_noticed() -> None:
    history = History.from_events(EVENTS)
    held = {"u1": [EVENTS[0], EVENTS[2]], "sx": EVENTS[1:2]}
    states = [EntityState(*state_of(held[entity])) for entity in history.entities]
    assert differing(history, states, T0 + 10) == 0
    states[0] = EntityState(*state_of(EVENTS[:1]))
    assert differing(history, states, T0 + 10) > 0
