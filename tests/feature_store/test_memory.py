from domain.decisions import Decision
from domain.events import Event, Kind
from domain.ids import bucket_of
from feature_store.memory import MemoryStore
from feature_store.records import H_REFRESHED, pack_payload, pack_record
from feature_store.store import StoreSettings

NOW = 1_700_000_000_000
SETTINGS = StoreSettings(buckets=4, history_cap=10, remember=50)


async def test_streams_hold_what_a_servers_would() -> None:
    store = MemoryStore(SETTINGS)
    made = Event("e1", "uada", Kind.click, NOW)
    await store.append([made, made], NOW)
    (entry,) = store.streams[bucket_of("uada", 4)]
    assert (entry.records, entry.payloads) == (pack_record(made), [pack_payload(made)])


async def test_decisions_are_kept_for_a_look() -> None:
    store = MemoryStore(SETTINGS)
    made = Decision("d", NOW, "recommend", "uada", "m", NOW, ("a",), (1.0,), (1.0,))
    await store.log_decisions([made])
    assert store.decision_streams[bucket_of("uada", 4)][0].decisions == [made]


async def test_only_so_many_ids_are_remembered() -> None:
    store = MemoryStore(SETTINGS)
    made = [Event(f"e{n}", "uada", Kind.click, NOW + n) for n in range(1_000)]
    await store.append(made, NOW)
    assert not any(await store.append(made[-100:], NOW))
    assert all(await store.append(made[:100], NOW))


async def test_the_day_of_the_last_renewal_is_noted() -> None:
    store = MemoryStore(SETTINGS)
    for day, noted in ((0, 0), (1, 0), (2, 2)):
        await store.append([Event(f"e{day}", "uada", Kind.click, NOW)], NOW + day * 86_400_000)
        state = (await store.read(["uada"])).states[0]
        assert state.lifetime[H_REFRESHED] == NOW + noted * 86_400_000


async def test_a_state_is_a_snapshot() -> None:
    store = MemoryStore(SETTINGS)
    await store.append([Event("e1", "uada", Kind.click, NOW)], NOW)
    before = (await store.read(["uada"])).states[0]
    await store.append([Event("e2", "uada", Kind.click, NOW)], NOW)
    assert (len(before.records), before.lifetime[4:].sum()) == (1, 1)
