"""The one shape every event file is brought to before it is checked: canonical frames.

A canonical frame has the columns of CANONICAL in order. `at` is UTC milliseconds; `value`
is in units of `currency`; texts are "" when absent; `fault` says why a row cannot be read.
Also gives rows their event ids. Knows nothing of files or of the store.
"""

from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b
from pathlib import Path

import numpy as np
import polars as pl

from domain.money import MICROS
from training.importing.occurrences import Occurrences
from training.importing.readers import FAULT, ROW

CANONICAL: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "row": pl.Int64,
    "event_id": pl.String,
    "user": pl.String,
    "session": pl.String,
    "kind": pl.String,
    "item": pl.String,
    "at": pl.Int64,
    "value": pl.Float64,
    "currency": pl.String,
    "quantity": pl.Float64,
    "channel": pl.String,
    "campaign": pl.String,
    "decision_id": pl.String,
    "refunds": pl.String,
    "properties": pl.String,
    "fault": pl.String,
}

TEXTS = tuple(name for name, dtype in CANONICAL.items() if dtype == pl.String)
_CONTENT = tuple(name for name in CANONICAL if name not in ("row", "event_id", "fault"))
_SEPARATOR = "\x1f"


def canonical(frame: pl.DataFrame, columns: Mapping[str, pl.Expr]) -> pl.DataFrame:
    """Bring a raw frame (see readers) to the canonical columns by one expression each.

    Columns without an expression are "" or null. An expression for `fault` adds reasons to
    those the reader found; the first one stands.
    """
    expressions = {"row": pl.col(ROW), **columns}
    fault = pl.col(FAULT)
    if "fault" in columns:
        fault = pl.when(fault == "").then(columns["fault"]).otherwise(fault)
    expressions["fault"] = fault
    made = frame.select(
        expressions.get(name, pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in CANONICAL.items()
    )
    return made.with_columns(pl.col(TEXTS).fill_null(""))


def with_event_ids(
    frames: Iterable[pl.DataFrame], source: str, scratch: Path | None = None
) -> Iterator[pl.DataFrame]:
    """Give every row without an event id one that depends on its content alone.

    The id is 24 hexadecimal digits of BLAKE2b over `source` and the canonical columns, and
    for the second, third … identical row of the same file "-1", "-2" …: so a file imported
    again, renamed, shuffled or cut differently yields the same ids.
    """
    occurrences = Occurrences(scratch)
    salt = source.encode()[:64]
    for frame in frames:
        digests = [
            blake2b(content.encode(), digest_size=12, key=salt).digest()
            for content in frame.select(_content()).to_series()
        ]
        heads = np.frombuffer(b"".join(digests), np.dtype([("head", "<u8"), ("tail", "<u4")]))
        counts = occurrences.count(np.ascontiguousarray(heads["head"])).tolist()
        ids = [
            digest.hex() if count == 0 else f"{digest.hex()}-{count}"
            for digest, count in zip(digests, counts, strict=True)
        ]
        made = pl.Series("made", ids, dtype=pl.String)
        yield frame.with_columns(
            pl.when(pl.col("event_id") == "").then(made).otherwise("event_id").alias("event_id")
        )


def _content() -> pl.Expr:
    # Amounts travel as whole micros: the text of a float may change between releases.
    parts = [
        (pl.col(name) * MICROS).round().cast(pl.Int64, strict=False)
        if CANONICAL[name] == pl.Float64
        else pl.col(name)
        for name in _CONTENT
    ]
    texts = [part.cast(pl.String).fill_null("") for part in parts]
    return pl.concat_str(texts, separator=_SEPARATOR)
