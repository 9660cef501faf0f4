"""Replay against the oracle, against the live stores, and against itself without the future."""

import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.clock import FixedClock
from domain.events import Event, Kind
from feature_store.history import History
from feature_store.linking import Link
from feature_store.log.drain import drain_now
from feature_store.memory import MemoryStore
from feature_store.opening import open_store, open_streams
from feature_store.settings import Home
from feature_store.store import Store, StoreSettings
from feature_store.views import VIEWS
from tests.feature_store.making import (
    AS_OFS,
    DAY,
    ENTITIES,
    HOUR,
    T0,
    event,
    events_of,
    row_of,
)

ALL = list(VIEWS.values())
TIMES = [T0 + 3 * DAY, T0 + 40 * DAY, T0 + 200 * DAY]


def _bytes(history: History, pairs: list[tuple[str, int]]) -> list[bytes]:
    rows = history.replay(ALL, pairs).views
    return [b"".join(rows[view.name][i].tobytes() for view in ALL) for i in range(len(pairs))]


@given(events=events_of(), as_of=AS_OFS, cap=st.sampled_from([2, 5, 512]))
def test_replay_equals_the_view_of_each_entity(events: list[Event], as_of: int, cap: int) -> None:
    history = History.from_events(events, cap=cap)
    replayed = history.replay(ALL, [(entity, as_of) for entity in ENTITIES])
    for place, entity in enumerate(ENTITIES):
        own = [held for held in events if held.entity == entity]
        for view in ALL:
            expected = row_of(view, own, as_of, cap)
            assert replayed.views[view.name][place].tobytes() == expected.tobytes()
        assert replayed.found[place] == any(held.at < as_of for held in own)


@given(events=events_of(), as_of=AS_OFS, seed=st.integers(0, 99))
def test_dropping_or_shuffling_the_future_changes_no_byte(
    events: list[Event], as_of: int, seed: int
) -> None:
    unique = [held._replace(event_id=str(place)) for place, held in enumerate(events)]
    past = [held for held in unique if held.at < as_of]
    future = [held for held in unique if held.at >= as_of]
    random.Random(seed).shuffle(future)
    other = [held._replace(kind=Kind.purchase, value=10**12, item="tea") for held in future]
    pairs = [(entity, as_of) for entity in ENTITIES]
    full = _bytes(History.from_events(unique), pairs)
    assert full == _bytes(History.from_events(past), pairs)
    assert full == _bytes(History.from_events([*other, *past]), pairs)


@given(events=events_of(), seed=st.integers(0, 99))
def test_order_of_arrival_and_repeats_change_no_byte(events: list[Event], seed: int) -> None:
    unique = [held._replace(event_id=str(place)) for place, held in enumerate(events)]
    shuffled = unique + unique[::2]
    random.Random(seed).shuffle(shuffled)
    pairs = [(entity, time) for entity in ENTITIES for time in TIMES]
    assert _bytes(History.from_events(unique), pairs) == _bytes(
        History.from_events(shuffled), pairs
    )


def test_one_list_of_times_asks_for_everyone_seen_before_each() -> None:
    history = History.from_events(
        [event("a", Kind.click, T0, "uada"), event("b", Kind.click, T0 + 10, "ubob")]
    )
    replayed = history.replay(ALL, [T0 + 10, T0 + 11, T0 + 11])
    asked = [
        (history.entities[e], int(t)) for e, t in zip(replayed.entity, replayed.as_of, strict=False)
    ]
    assert asked == [("uada", T0 + 10), ("uada", T0 + 11), ("ubob", T0 + 11)]
    assert replayed.found.all()
    assert [row.tobytes() for row in replayed.views["rfm"]] == [
        row.tobytes() for row in history.replay(ALL, asked).views["rfm"]
    ]


def test_an_unknown_entity_gets_the_defaults_and_is_not_found() -> None:
    history = History.from_events([event("a", Kind.click, T0)])
    replayed = history.replay(ALL, [("unobody", T0 + 5), ("uada", T0 + 5)])
    assert replayed.entity.tolist() == [-1, 0]
    assert replayed.found.tolist() == [False, True]
    for view in ALL:
        assert replayed.views[view.name][0].tobytes() == view.default_row().tobytes()


def test_an_empty_history_replays_to_nothing() -> None:
    history = History.from_events([])
    assert history.events == 0
    assert len(history.replay(ALL, TIMES).entity) == 0
    assert History.load(Path("no/such/log")).events == 0


def test_many_rows_are_built_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    events = [event(f"e{n}", Kind.click, T0 + n, f"u{n % 7}", item="tea") for n in range(100)]
    history = History.from_events(events)
    pairs = [(f"u{n % 7}", T0 + n) for n in range(100)]
    whole = _bytes(history, pairs)
    monkeypatch.setattr("feature_store.history._CHUNK", 3)
    assert _bytes(history, pairs) == whole


def test_a_link_shows_the_session_under_the_user_from_its_time_on() -> None:
    events = [
        event("a", Kind.click, T0, "scart", item="tea"),
        event("b", Kind.click, T0 + 5, "uada", item="pot"),
    ]
    linked = History.from_events(events, links=[Link("scart", "uada", T0 + 9)])
    everything = [held._replace(entity="uada") for held in events]
    for as_of, user, session in (
        (T0 + 9, events[1:], events[:1]),
        (T0 + 10, everything, everything),
    ):
        rows = linked.replay(ALL, [("uada", as_of), ("scart", as_of)]).views
        for view in ALL:
            assert rows[view.name][0].tobytes() == row_of(view, user, as_of).tobytes()
            assert rows[view.name][1].tobytes() == row_of(view, session, as_of).tobytes()
    # Asking for everybody never tells the same story twice.
    assert linked.replay(ALL, [T0 + 9]).entity.tolist() == [0, 1]
    assert linked.replay(ALL, [T0 + 10]).entity.tolist() == [linked.entities.index("uada")]


NOW = T0 + 500 * DAY
SETTINGS = StoreSettings(buckets=4)


def _shop(seed: int) -> list[Event]:
    """Make a shop's events: late, repeated, refunded, in the near future, in two currencies."""
    chance = random.Random(seed)
    made: list[Event] = []
    for number in range(600):
        kind = chance.choice([Kind.click, Kind.add_to_cart, Kind.purchase, Kind.refund])
        made.append(
            Event(
                event_id=f"e{chance.randrange(500)}",
                entity=chance.choice(["u1", "u2", "u3", "u4", "s1", "s2", "s3"]),
                kind=kind,
                at=NOW
                + chance.choice([-300 * DAY, -20 * DAY, -HOUR, -1, 0, 1, 60_000])
                - chance.randrange(DAY) * (number % 2),
                item=chance.choice(["tea", "pot", "cup", ""]),
                value=chance.choice([None, 0, 5_000_000, 990_000]),
                currency=chance.choice(["", "", "SEK"]),
                refunds=f"e{chance.randrange(500)}" if kind == Kind.refund and number % 3 else "",
                quantity=chance.choice([1.0, 3.0]),
            )
        )
    return made


async def _feed(store: Store, events: list[Event], seed: int) -> None:
    chance = random.Random(seed)
    sent = events + chance.sample(events, len(events) // 10)
    for start in range(0, len(sent), 37):
        await store.append(sent[start : start + 37], NOW)
        if start == 37 * 9:
            assert await store.identify("1", "1", NOW - HOUR)
    assert await store.identify("2", "new", NOW - HOUR) > 0


async def _live(store: Store, entities: tuple[str, ...], as_of: int) -> dict[str, list[bytes]]:
    states = (await store.read(entities)).states
    return {
        entity: [
            view.row(state.lifetime, state.records, as_of, SETTINGS.history_cap).tobytes()
            for view in ALL
        ]
        for entity, state in zip(entities, states, strict=True)
    }


def _replayed(history: History, as_of: int) -> dict[str, list[bytes]]:
    rows = history.replay(ALL, [(entity, as_of) for entity in history.entities]).views
    return {
        entity: [rows[view.name][place].tobytes() for view in ALL]
        for place, entity in enumerate(history.entities)
    }


@pytest.mark.parametrize("seed", range(3))
async def test_replay_of_the_log_equals_the_real_store_bit_for_bit(
    tmp_path: Path, seed: int
) -> None:
    home = Home(tmp_path)
    store = await open_store(SETTINGS, home, clock=FixedClock(NOW))
    streams = open_streams(SETTINGS, home)
    try:
        await _feed(store, _shop(seed), seed)
        drain_now(streams, home)
        history = History.load(home.log)
        for as_of in (NOW, NOW + 1, NOW + HOUR):
            live = await _live(store, history.entities, as_of)
            assert live == _replayed(history, as_of)
        assert len(history.entities) == 8
    finally:
        streams.close()
        await store.close()


@settings(max_examples=30)
@given(events=events_of(), as_of=AS_OFS)
async def test_the_memory_store_and_replay_agree(events: list[Event], as_of: int) -> None:
    store = MemoryStore(SETTINGS)
    await store.append(events, T0 + 400 * DAY)
    live = await _live(store, tuple(ENTITIES), as_of)
    history = History.from_events(events)
    replayed = history.replay(ALL, [(entity, as_of) for entity in ENTITIES]).views
    for place, entity in enumerate(ENTITIES):
        assert live[entity] == [replayed[view.name][place].tobytes() for view in ALL]


@pytest.mark.parametrize("since", [None, T0 + 10])
async def test_since_and_until_bound_what_is_loaded(tmp_path: Path, since: int | None) -> None:
    home = Home(tmp_path)
    store = await open_store(SETTINGS, home, clock=FixedClock(NOW))
    streams = open_streams(SETTINGS, home)
    try:
        await store.append([event(f"e{n}", Kind.click, T0 + n) for n in range(30)], NOW)
        drain_now(streams, home)
    finally:
        streams.close()
        await store.close()
    history = History.load(home.log, since=since, until=T0 + 20)
    assert np.array_equal(history.records["at"], np.arange(T0 + (10 if since else 0), T0 + 20))


@given(events=events_of(), as_of=AS_OFS, seed=st.integers(0, 99))
def test_some_entities_by_number_are_as_by_name(events: list[Event], as_of: int, seed: int) -> None:
    history = History.from_events(events)
    some = random.Random(seed).sample(range(len(history.entities)), len(history.entities))
    numbers = np.array([*some, -1], np.int64)
    names = [*(history.entities[one] for one in some), "unobody"]
    by_number = history.replay_at(ALL, numbers, as_of)
    by_name = history.replay(ALL, [(name, as_of) for name in names])
    assert by_number.found.tolist() == by_name.found.tolist()
    assert by_number.entity.tolist() == by_name.entity.tolist()
    for view in ALL:
        assert by_number.views[view.name].tobytes() == by_name.views[view.name].tobytes()
