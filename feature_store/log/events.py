"""Event rows of the log: the schema, and the way from stream entries to a table.

Every number of a record and every text of its payload is a column of its own. Knows nothing
of files or of streams.
"""

from collections.abc import Sequence

import numpy as np

from domain.ids import hash64
from feature_store.log.arrow import Table, pa
from feature_store.log.files import parse_id
from feature_store.records import PAYLOAD_FIELDS, RECORD, Records, unpack_payload
from feature_store.store import StreamEntry

RECORD_COLUMNS: dict[str, str] = {
    "at": "at",
    "event": "event",
    "item": "item_hash",
    "value": "value",
    "ref": "ref",
    "quantity": "quantity",
    "channel": "channel_hash",
    "campaign": "campaign_hash",
    "kind": "kind",
    "flags": "flags",
    "currency": "currency_code",
}
"""Field of a record → its column; the plain names belong to the texts."""

POSITION_COLUMNS = ("stream_ms", "stream_seq", "row")

SCHEMA = pa.schema(
    [
        ("stream_ms", pa.int64()),
        ("stream_seq", pa.int32()),
        ("row", pa.int32()),
        ("entity_hash", pa.uint64()),
        *((column, pa.from_numpy_dtype(RECORD[name])) for name, column in RECORD_COLUMNS.items()),
        *((name, pa.string()) for name in PAYLOAD_FIELDS),
    ]
)

_HASHED = ("event", "ref", "entity_hash", "event_id", "decision_id", "refunds", "properties")
WRITE_OPTIONS: dict[str, object] = {
    "compression": "zstd",
    "compression_level": 1,
    "use_dictionary": [name for name in SCHEMA.names if name not in _HASHED],
    "write_statistics": ["stream_ms", "at", "kind"],
}


def _texts(payload: bytes) -> list[str]:
    fields = unpack_payload(payload)
    last = len(PAYLOAD_FIELDS) - 1
    # Only the last text, free JSON, could hold the separator.
    return fields if len(fields) == last + 1 else [*fields[:last], "\x1f".join(fields[last:])]


def table_of(
    positions: Sequence[tuple[int, int, int]], records: Records, texts: Sequence[Sequence[str]]
) -> Table:
    """Lay out rows as a table of SCHEMA; the three sequences are parallel."""
    place = np.array(positions, np.int64).reshape(-1, 3)
    columns: dict[str, object] = {
        "stream_ms": place[:, 0],
        "stream_seq": place[:, 1].astype(np.int32),
        "row": place[:, 2].astype(np.int32),
    }
    for name, column in RECORD_COLUMNS.items():
        columns[column] = np.ascontiguousarray(records[name])
    for place_of_text, name in enumerate(PAYLOAD_FIELDS):
        columns[name] = [row[place_of_text] for row in texts]
    hashes: dict[str, int] = {}
    entities = [row[PAYLOAD_FIELDS.index("entity")] for row in texts]
    for entity in set(entities):
        hashes[entity] = hash64(entity)
    columns["entity_hash"] = np.array([hashes[entity] for entity in entities], np.uint64)
    return pa.table([columns[name] for name in SCHEMA.names], schema=SCHEMA)


def table_of_entries(entries: Sequence[StreamEntry]) -> Table:
    """Lay out the events of stream entries in stream order.

    Raises ValueError when an entry's records and payloads do not match in number.
    """
    positions: list[tuple[int, int, int]] = []
    texts: list[list[str]] = []
    for entry in entries:
        ms, seq = parse_id(entry.stream_id)
        if len(entry.records) != RECORD.itemsize * len(entry.payloads):
            raise ValueError("a stream entry's records and payloads differ in number")
        positions.extend((ms, seq, row) for row in range(len(entry.payloads)))
        texts.extend(_texts(payload) for payload in entry.payloads)
    records = np.frombuffer(b"".join(entry.records for entry in entries), RECORD)
    return table_of(positions, records, texts)
