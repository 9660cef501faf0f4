"""Stream entries become rows: every number and every text in its own column."""

import pytest

from domain.events import Event, Kind
from domain.ids import hash64
from feature_store.log.events import RECORD_COLUMNS, SCHEMA, table_of_entries
from feature_store.records import (
    LINK_KIND,
    PAYLOAD_FIELDS,
    RECORD,
    pack_link,
    pack_payload,
    pack_record,
)
from feature_store.store import StreamEntry

EVENT = Event(
    "e1", "uada", Kind.refund, 1_700_000_000_123, "tea", 2_500_000, "SEK", 2.0, "mail", "may",
    "d1", "p1", "visit", '{"a":"å"}',
)  # fmt: skip


def test_a_row_holds_the_whole_event() -> None:
    table = table_of_entries([StreamEntry("17-3", pack_record(EVENT), [pack_payload(EVENT)])])
    row = table.to_pylist()[0]
    assert table.schema == SCHEMA
    assert (row["stream_ms"], row["stream_seq"], row["row"]) == (17, 3, 0)
    assert row["entity_hash"] == hash64("uada")
    assert {name: row[name] for name in PAYLOAD_FIELDS} == {
        name: getattr(EVENT, name) for name in PAYLOAD_FIELDS
    }
    assert (row["at"], row["kind"], row["value"]) == (EVENT.at, Kind.refund, 2_500_000)
    assert row["item_hash"] == hash64("tea")
    assert row["ref"] == hash64("p1")
    assert set(RECORD_COLUMNS) == set(RECORD.names or ())


def test_rows_of_one_entry_are_numbered() -> None:
    two = [EVENT, EVENT._replace(event_id="e2")]
    entry = StreamEntry("1-0", b"".join(map(pack_record, two)), [pack_payload(e) for e in two])
    table = table_of_entries([entry, entry._replace(stream_id="1-1")])
    assert table["row"].to_pylist() == [0, 1, 0, 1]
    assert table["stream_seq"].to_pylist() == [0, 0, 1, 1]
    assert table["event_id"].to_pylist() == ["e1", "e2"] * 2


def test_a_link_is_a_row_of_its_own_kind() -> None:
    record, payload = pack_link("cart", "ada", 5)
    row = table_of_entries([StreamEntry("1-0", record, [payload])]).to_pylist()[0]
    assert (row["kind"], row["entity"], row["session"]) == (LINK_KIND, "uada", "cart")


def test_a_separator_inside_the_last_text_stays_there() -> None:
    odd = EVENT._replace(properties='{"a":"\x1f"}')
    table = table_of_entries([StreamEntry("1-0", pack_record(odd), [pack_payload(odd)])])
    assert table["properties"].to_pylist() == ['{"a":"\x1f"}']


def test_records_and_payloads_must_match() -> None:
    with pytest.raises(ValueError, match="differ in number"):
        table_of_entries([StreamEntry("1-0", pack_record(EVENT), [])])


def test_no_entries_are_an_empty_table() -> None:
    assert table_of_entries([]).num_rows == 0
