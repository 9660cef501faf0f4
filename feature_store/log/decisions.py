"""Decision rows of the log: the schema, and the way from stream entries to a table.

Knows nothing of what a decision means.
"""

from collections.abc import Sequence
from typing import Any

from feature_store.log.arrow import Table, pa
from feature_store.log.files import parse_id
from feature_store.store import DecisionEntry

SCHEMA = pa.schema(
    [
        ("stream_ms", pa.int64()),
        ("stream_seq", pa.int32()),
        ("row", pa.int32()),
        ("decision_id", pa.string()),
        ("at", pa.int64()),
        ("family", pa.string()),
        ("entity", pa.string()),
        ("model", pa.string()),
        ("as_of", pa.int64()),
        ("items", pa.list_(pa.string())),
        ("scores", pa.list_(pa.float64())),
        ("propensities", pa.list_(pa.float64())),
        ("fallback", pa.string()),
        ("variant", pa.string()),
        ("request", pa.string()),
    ]
)

WRITE_OPTIONS: dict[str, object] = {"compression": "zstd", "compression_level": 1}


def table_of_entries(entries: Sequence[DecisionEntry]) -> Table:
    """Lay out the decisions of stream entries in stream order."""
    columns: dict[str, list[Any]] = {name: [] for name in SCHEMA.names}
    for entry in entries:
        ms, seq = parse_id(entry.stream_id)
        for row, decision in enumerate(entry.decisions):
            place = {"stream_ms": ms, "stream_seq": seq, "row": row}
            for name, value in (place | decision._asdict()).items():
                columns[name].append(value)
    return pa.table(columns, schema=SCHEMA)
