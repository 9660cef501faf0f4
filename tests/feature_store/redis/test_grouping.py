import struct

from domain.events import Event, Kind
from domain.ids import bucket_of, hash64
from feature_store.records import RECORD_BYTES, pack_payload, pack_record
from feature_store.redis.grouping import group_events, pack_settings, with_length
from feature_store.redis.streams import split_payloads
from feature_store.store import StoreSettings

SETTINGS = StoreSettings(buckets=4)


def event(number: int, entity: str = "uada", at: int = 0) -> Event:
    return Event(f"e{number}", entity, Kind.click, at or number)


def test_a_bucket_is_one_call_and_its_keys_share_a_tag() -> None:
    made = [event(number, f"u{number % 9}") for number in range(40)]
    groups = group_events(made, SETTINGS)
    assert sorted(group.bucket for group in groups) == sorted(
        {bucket_of(one.entity, 4) for one in made}
    )
    for group in groups:
        names, arguments = group.call(b"")
        assert {name[name.index("{") + 1 : name.index("}")] for name in names} == {
            str(group.bucket)
        }
        assert len(names) == 1 + 3 * len(group.places)
        assert len(arguments) == 2 + len(group.places)


def test_an_entitys_records_travel_in_order_with_their_payloads() -> None:
    made = [event(3), event(1), event(2, at=1), event(4, at=1)]
    (group,) = group_events(made, SETTINGS)
    _, (_, payloads, records) = group.call(b"")
    order = group.places[0]
    assert order == sorted(range(4), key=lambda n: (made[n].at, hash64(made[n].event_id)))
    assert records == b"".join(pack_record(made[place]) for place in order)
    assert isinstance(payloads, bytes)
    assert split_payloads(payloads) == [pack_payload(made[place]) for place in order]


def test_an_event_given_twice_is_sent_once() -> None:
    (group,) = group_events([event(1), event(2), event(1, at=7)], SETTINGS)
    _, (_, _, records) = group.call(b"")
    assert isinstance(records, bytes)
    assert len(records) == 2 * RECORD_BYTES
    assert group.places == [[0, 1]]


def test_sessions_bring_their_link_and_users_their_profile() -> None:
    for entity, letter in (("uada", "p"), ("scart", "l")):
        (group,) = group_events([event(1, entity)], SETTINGS)
        names, _ = group.call(b"")
        assert [name[0] for name in names] == ["x", "h", "d", letter]


def test_settings_are_six_numbers() -> None:
    packed = pack_settings(StoreSettings(history_cap=7, remember=9, ttl_ms=11), 13)
    assert struct.unpack("<6q", packed) == (7, 64, 128, 9, 11, 13)


def test_lengths() -> None:
    assert split_payloads(with_length(b"abc") + with_length(b"")) == [b"abc", b""]
