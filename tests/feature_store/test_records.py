import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.events import KINDS, Event, Kind
from domain.ids import hash32, hash64
from domain.money import currency_code
from feature_store.records import (
    ANONYMOUS,
    EMPTY_LIFETIME,
    EMPTY_RECORDS,
    FORMAT_VERSION,
    H_VALUE,
    H_VERSION,
    HAS_VALUE,
    HEADER_BYTES,
    HEADER_FIELDS,
    LINK_KIND,
    PAYLOAD_FIELDS,
    RECORD,
    RECORD_BYTES,
    pack_link,
    pack_payload,
    pack_record,
    parse_history,
    unpack_payload,
)

ids = st.text(st.characters(exclude_categories=("C",)), max_size=20)
events = st.builds(
    Event,
    event_id=ids,
    entity=ids.map(lambda text: "u" + text) | ids.map(lambda text: "s" + text),
    kind=st.sampled_from(Kind),
    at=st.integers(0, 2**45),
    item=ids,
    value=st.none() | st.integers(-(10**15), 10**15),
    currency=st.sampled_from(["", "EUR", "SEK"]),
    quantity=st.floats(0.5, 1e9, width=32),
    channel=ids,
    campaign=ids,
    decision_id=ids,
    refunds=ids,
    session=ids,
    properties=st.sampled_from(["", '{"a":"b"}']),
)


def test_the_layout_is_the_stored_format() -> None:
    assert (RECORD_BYTES, HEADER_BYTES, HEADER_FIELDS) == (56, 272, 34)
    assert H_VALUE + KINDS == HEADER_FIELDS
    offsets = {name: RECORD.fields[name][1] for name in RECORD.names or ()}  # type: ignore[index]
    names = ["at", "event", "item", "value", "ref", "quantity", "channel", "campaign"]
    assert offsets == dict(
        zip(
            [*names, "kind", "flags", "currency"],
            [0, 8, 16, 24, 32, 40, 44, 48, 52, 53, 54],
            strict=True,
        )
    )


@given(events)
def test_a_record_holds_what_the_event_says(event: Event) -> None:
    (row,) = np.frombuffer(pack_record(event, "EUR"), RECORD)
    assert (row["at"], row["event"], row["kind"]) == (event.at, hash64(event.event_id), event.kind)
    assert row["item"] == (hash64(event.item) if event.item else 0)
    assert row["value"] == (event.value or 0)
    assert bool(row["flags"] & HAS_VALUE) == (event.value is not None)
    assert bool(row["flags"] & ANONYMOUS) == (event.entity[0] == "s")
    assert row["quantity"] == event.quantity
    assert row["channel"] == (hash32(event.channel) if event.channel else 0)
    assert row["currency"] == (currency_code("SEK") if event.currency == "SEK" else 0)
    ref = event.refunds if event.kind == Kind.refund else event.decision_id
    assert row["ref"] == (hash64(ref) if ref else 0)


@given(events)
def test_a_payload_holds_every_text(event: Event) -> None:
    texts = unpack_payload(pack_payload(event))
    assert dict(zip(PAYLOAD_FIELDS, texts, strict=True)) == {
        name: getattr(event, name) for name in PAYLOAD_FIELDS
    }


def test_a_link_is_a_row_of_its_own_kind() -> None:
    record, payload = pack_link("cart", "ada", 7)
    (row,) = np.frombuffer(record, RECORD)
    assert (row["kind"], row["at"], row["event"]) == (LINK_KIND, 7, hash64("scart"))
    assert LINK_KIND not in set(Kind)
    texts = dict(zip(PAYLOAD_FIELDS, unpack_payload(payload), strict=True))
    assert {name: text for name, text in texts.items() if text} == {
        "entity": "uada",
        "session": "cart",
    }


def test_a_history_is_viewed_without_a_copy() -> None:
    records = b"".join(pack_record(Event(f"e{n}", "uada", Kind.click, n)) for n in range(3))
    lifetime, rows = parse_history(EMPTY_LIFETIME.tobytes() + records)
    assert lifetime[H_VERSION] == FORMAT_VERSION
    assert rows["at"].tolist() == [0, 1, 2]
    assert not rows.flags.owndata
    assert len(parse_history(EMPTY_LIFETIME.tobytes())[1]) == 0


@pytest.mark.parametrize(
    "blob",
    [
        b"",
        b"x" * 271,
        bytes(272),
        EMPTY_LIFETIME.tobytes() + b"x" * 55,
        EMPTY_LIFETIME.tobytes()[:-8],
    ],
)
def test_what_is_no_history_is_refused(blob: bytes) -> None:
    with pytest.raises(ValueError, match="history"):
        parse_history(blob)


def test_the_empty_ones_cannot_be_written() -> None:
    for array in (EMPTY_LIFETIME, EMPTY_RECORDS):
        assert not array.flags.writeable
