"""What every store promises, checked against each of them (see conftest.SHAPES)."""

import asyncio
import random
from typing import Any

import numpy as np
import pytest

from domain.errors import CallerError
from domain.events import Event, Kind
from domain.ids import bucket_of, hash64
from feature_store.memory import MemoryStore
from feature_store.records import (
    H_COUNT,
    H_FIRST,
    H_LAST,
    H_REFRESHED,
    H_VALUE,
    HEADER_FIELDS,
    LINK_KIND,
    RECORD,
    unpack_payload,
)
from feature_store.store import SLACK, Appended, EntityState, Store, StoreSettings
from tests.feature_store.conftest import Backend, OpenStore

NOW = 1_700_000_000_000
YES, NO = Appended.accepted, Appended.duplicate


def event(number: int, entity: str = "uada", **fields: Any) -> Event:
    """Make an event whose id and time follow from its number."""
    made = Event(f"e{number}", entity, Kind.click, NOW - 1_000_000 + number * 10, f"i{number % 7}")
    return made._replace(**fields)


async def state(store: Store, entity: str = "uada") -> EntityState:
    return (await store.read([entity])).states[0]


def ids(seen: EntityState) -> list[int]:
    return seen.records["event"].tolist()


async def logged(backend: Backend, store: Store) -> list[tuple[str, str, int]]:
    """Answer (event_id, entity, kind) of every row on the streams."""
    rows: list[tuple[str, str, int]] = []
    for entry in await asyncio.to_thread(backend.entries, store):
        records = np.frombuffer(entry.records, RECORD)
        assert len(records) == len(entry.payloads)
        for record, payload in zip(records, entry.payloads, strict=True):
            texts = unpack_payload(payload)
            if record["kind"] != LINK_KIND:
                assert record["event"] == hash64(texts[0])
            rows.append((texts[0], texts[1], int(record["kind"])))
    return rows


async def test_an_unknown_entity_is_not_found(store: Store) -> None:
    answer = await store.read(["unobody", "snobody"])
    assert answer.items_version == 0
    for seen in answer.states:
        assert not seen.found
        assert len(seen.records) == 0
        assert len(seen.lifetime) == HEADER_FIELDS


async def test_an_event_is_there_for_the_next_read(store: Store) -> None:
    made = Event(
        *("e1", "uada", Kind.purchase, NOW, "tea", 2_500_000),
        quantity=2.0,
        channel="web",
        decision_id="d1",
        properties='{"a":1}',
    )
    assert await store.append([made], NOW) == [YES]
    seen = await state(store)
    assert seen.found
    assert len(seen.records) == 1
    row = seen.records[0]
    assert (row["at"], row["value"], row["quantity"], row["kind"]) == (NOW, 2_500_000, 2.0, 5)
    assert (row["event"], row["item"], row["ref"]) == (hash64("e1"), hash64("tea"), hash64("d1"))
    assert seen.lifetime[[H_REFRESHED, H_FIRST, H_LAST]].tolist() == [NOW, NOW, NOW]
    assert seen.lifetime[H_COUNT + Kind.purchase] == 1
    assert seen.lifetime[H_VALUE + Kind.purchase] == 2_500_000
    assert seen.lifetime[H_COUNT:].sum() == 2_500_001


async def test_duplicates_change_nothing(store: Store, backend: Backend) -> None:
    first = [event(number) for number in range(5)]
    assert await store.append([*first, event(3)], NOW) == [YES] * 5 + [NO]
    before = await state(store)
    assert await store.append(first[::-1], NOW + 1) == [NO] * 5
    assert await store.append([event(4), event(5)], NOW + 1) == [NO, YES]
    after = await state(store)
    assert ids(after) == [*ids(before), hash64("e5")]
    assert after.lifetime[H_COUNT + Kind.click] == 6
    rows = await logged(backend, store)
    assert sorted(row[0] for row in rows) == [f"e{number}" for number in range(6)]


async def test_a_retry_with_another_time_is_a_duplicate(store: Store) -> None:
    await store.append([event(1)], NOW)
    assert await store.append([event(1, at=NOW - 5, item="other")], NOW) == [NO]


async def test_the_same_id_of_two_entities_is_two_events(store: Store) -> None:
    assert await store.append([event(1), event(1, "ubob"), event(1, "sada")], NOW) == [YES] * 3


async def test_concurrent_retries_are_accepted_once(store: Store, backend: Backend) -> None:
    batch = [event(number, f"u{number % 3}") for number in range(30)]
    answers = await asyncio.gather(*[store.append(batch, NOW) for _ in range(8)])
    assert np.array(answers).sum(axis=0).tolist() == [1] * 30
    rows = await logged(backend, store)
    assert len(rows) == 30
    assert len(set(rows)) == 30


async def test_ties_are_ordered_by_event_hash(store: Store) -> None:
    ties = [event(number, at=NOW) for number in range(40)]
    await store.append(ties[::2], NOW)
    for one in ties[1::2]:
        await store.append([one], NOW)
    assert ids(await state(store)) == sorted(hash64(one.event_id) for one in ties)


@pytest.mark.parametrize("seed", range(3))
async def test_any_order_gives_the_same_last_events(opening: OpenStore, seed: int) -> None:
    settings = StoreSettings(buckets=4, history_cap=40, remember=2_000)
    store = await opening(settings)
    rng = random.Random(seed)
    made = [
        event(
            number,
            kind=Kind(rng.randrange(15)),
            value=rng.choice([None, 1, -5_000_000, 10**12]),
            currency=rng.choice(["", "", "SEK"]),
            at=NOW + rng.randrange(500),
        )
        for number in range(700)
    ]
    ordered = sorted(made, key=lambda one: (one.at, hash64(one.event_id)))
    shuffled = made[:]
    rng.shuffle(shuffled)
    await store.append([one._replace(entity="usorted") for one in ordered], NOW)
    accepted = 0
    while shuffled:
        size = rng.choice([1, 2, 7, 60])
        batch, shuffled = shuffled[:size], shuffled[size:]
        batch += rng.sample(made, 3)
        accepted += sum(await store.append([one._replace(entity="umixed") for one in batch], NOW))
    # Retries drawn from events still to come were their first arrivals.
    assert accepted == 700
    a, b = (await store.read(["usorted", "umixed"])).states
    assert a.lifetime.tolist() == b.lifetime.tolist()
    assert a.records[-40:].tobytes() == b.records[-40:].tobytes()
    assert ids(b)[-40:] == [hash64(one.event_id) for one in ordered[-40:]]
    assert (np.diff(b.records["at"]) >= 0).all()


async def test_every_store_agrees_with_the_plain_one(opening: OpenStore) -> None:
    settings = StoreSettings(buckets=4, history_cap=30, remember=2_000, house_currency="EUR")
    store, plain = await opening(settings), MemoryStore(settings)
    rng = random.Random(9)
    entities = ["uada", "ubob", "scart", "stab"]
    for step in range(120):
        batch = [
            event(
                rng.randrange(2_000),
                rng.choice(entities),
                kind=Kind(rng.randrange(15)),
                value=rng.choice([None, 7]),
                currency=rng.choice(["", "EUR", "SEK"]),
            )
            for _ in range(rng.choice([1, 1, 5, 40]))
        ]
        assert await store.append(batch, NOW + step) == await plain.append(batch, NOW + step)
        if step == 60:
            for session, user in (("cart", "ada"), ("tab", "eve")):
                carried = await store.identify(session, user, NOW + step)
                assert carried == await plain.identify(session, user, NOW + step)
    names = [*entities, "ueve", "unobody"]
    for name, ours, theirs in zip(
        names, (await store.read(names)).states, (await plain.read(names)).states, strict=True
    ):
        assert ours.lifetime.tolist() == theirs.lifetime.tolist(), name
        assert ours.records[-30:].tobytes() == theirs.records[-30:].tobytes(), name
        assert (ours.found, ours.linked_user) == (theirs.found, theirs.linked_user)


async def test_a_long_history_is_trimmed_and_its_ids_remembered(opening: OpenStore) -> None:
    store = await opening(StoreSettings(buckets=2, history_cap=20, remember=400))
    made = [event(number) for number in range(500)]
    for start in range(0, 500, 50):
        assert sum(await store.append(made[start : start + 50], NOW)) == 50
    seen = await state(store)
    assert 20 <= len(seen.records) <= 20 + SLACK
    assert ids(seen)[-1] == hash64("e499")
    assert seen.lifetime[H_COUNT + Kind.click] == 500
    # Trimmed or not, what was accepted is still known …
    assert sum(await store.append(made[150:], NOW)) == 0
    # … and a late event older than the history counts, without a place in it.
    assert await store.append([event(1_000, at=NOW - 2_000_000)], NOW) == [YES]
    assert await store.append([event(1_000, at=NOW - 2_000_000)], NOW) == [NO]
    late = await state(store)
    assert ids(late) == ids(seen)
    assert late.lifetime[H_COUNT + Kind.click] == 501
    assert late.lifetime[H_FIRST] == NOW - 2_000_000


async def test_more_than_a_history_at_once(opening: OpenStore, backend: Backend) -> None:
    store = await opening(StoreSettings(buckets=2, history_cap=20))
    assert sum(await store.append([event(number) for number in range(1_000)], NOW)) == 1_000
    seen = await state(store)
    assert len(seen.records) <= 20 + SLACK
    assert seen.lifetime[H_COUNT + Kind.click] == 1_000
    assert sum(await store.append([event(number) for number in range(1_000)], NOW)) == 0
    assert len(await logged(backend, store)) == 1_000


async def test_lifetime_values_stop_at_the_exact_range(store: Store) -> None:
    most = 10**15
    for start in (0, 8):
        batch = [event(n, kind=Kind.purchase, value=most) for n in range(start, start + 8)]
        await store.append(batch, NOW)
    seen = await state(store)
    assert seen.lifetime[H_VALUE + Kind.purchase] == 2**53 - 1
    await store.append([event(20, kind=Kind.purchase, value=-most)], NOW)
    assert (await state(store)).lifetime[H_VALUE + Kind.purchase] == 2**53 - 1 - most


async def test_identify_carries_the_history_over_once(store: Store, backend: Backend) -> None:
    await store.append([event(n, "scart", kind=Kind.purchase, value=5) for n in range(10)], NOW)
    await store.append([event(n) for n in (3, 20)], NOW)
    # The user had e3 already, from another door: it is not counted twice.
    assert await store.identify("cart", "ada", NOW) == 9
    assert await store.identify("cart", "ada", NOW) == 0
    user, session = (await store.read(["uada", "scart"])).states
    assert session.linked_user == "ada"
    assert session.records.tobytes() == user.records.tobytes()
    assert user.linked_user == ""
    assert len(user.records) == 11
    assert user.lifetime[H_COUNT + Kind.purchase] == 9
    assert user.lifetime[H_VALUE + Kind.purchase] == 45
    assert user.lifetime[H_COUNT + Kind.click] == 2
    rows = await logged(backend, store)
    assert [row for row in rows if row[2] == LINK_KIND] == [("", "uada", LINK_KIND)]
    assert len(rows) == 13


async def test_events_of_an_identified_session_join_its_user(
    store: Store, backend: Backend
) -> None:
    await store.append([event(1, "scart")], NOW)
    await store.identify("cart", "ada", NOW)
    again = [event(1, "scart"), event(2, "scart"), event(3, "ubob"), event(2, "scart")]
    assert await store.append(again, NOW) == [NO, YES, YES, NO]
    assert await store.append([event(2)], NOW) == [NO]
    assert len((await state(store)).records) == 2
    assert ("e2", "uada", Kind.click) in await logged(backend, store)


async def test_a_session_belongs_to_one_user(store: Store) -> None:
    await store.identify("cart", "ada", NOW)
    with pytest.raises(CallerError) as refused:
        await store.identify("cart", "bob", NOW)
    assert refused.value.code == "already_identified"
    assert "cart" not in str(refused.value)


async def test_a_user_collects_several_sessions(store: Store) -> None:
    await store.append([event(1, "sone"), event(2, "stwo"), event(1, "stwo")], NOW)
    assert await store.identify("one", "ada", NOW) == 1
    assert await store.identify("two", "ada", NOW) == 1
    assert await store.identify("empty", "ada", NOW) == 0
    answer = await store.read(["sone", "stwo", "sempty", "uada"])
    assert [len(seen.records) for seen in answer.states] == [2, 2, 2, 2]


async def test_a_long_session_is_carried_with_its_remembered_ids(opening: OpenStore) -> None:
    store = await opening(StoreSettings(buckets=4, history_cap=20))
    made = [event(number, "scart") for number in range(300)]
    await store.append(made, NOW)
    assert await store.identify("cart", "ada", NOW) == 300
    assert sum(await store.append(made, NOW)) == 0
    seen = await state(store)
    assert seen.lifetime[H_COUNT + Kind.click] == 300
    assert ids(seen)[-20:] == [hash64(f"e{number}") for number in range(280, 300)]


async def test_concurrent_identifications_and_events(store: Store) -> None:
    await store.append([event(number, "scart") for number in range(20)], NOW)
    await asyncio.gather(
        *[store.identify("cart", "ada", NOW) for _ in range(5)],
        *[store.append([event(n, "scart")], NOW) for n in range(10, 40)],
        *[store.read(["scart", "uada"]) for _ in range(10)],
    )
    seen = await state(store)
    assert len(seen.records) == 40
    assert seen.lifetime[H_COUNT + Kind.click] == 40


async def test_a_second_store_sees_the_first_ones_events(opening: OpenStore) -> None:
    settings = StoreSettings(buckets=8)
    one, two = await opening(settings), await opening(settings)
    await one.append([event(1)], NOW)
    assert len((await state(two)).records) == 1
    assert await two.append([event(1)], NOW) == [NO]


async def test_rows_are_on_the_stream_of_their_bucket(store: Store, backend: Backend) -> None:
    made = [event(number, f"u{number}") for number in range(30)]
    await store.append(made, NOW)
    for entry in await asyncio.to_thread(backend.entries, store):
        owners = {unpack_payload(payload)[1] for payload in entry.payloads}
        assert len({bucket_of(owner, store.settings.buckets) for owner in owners}) == 1
