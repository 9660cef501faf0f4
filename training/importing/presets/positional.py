"""Sets without times: one user a line, `user item item …`, oldest first.

The times are made up by one rule: a user's last event is at LAST_AT, the one before it a
day earlier, and so on. A split at LAST_AT is therefore exactly leave-one-out.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from domain.clock import DAY_MS
from training.importing.presets.preset import Preset, Table
from training.importing.readers import BATCH_ROWS, FAULT, ROW, open_text

LAST_AT = 1_404_172_800_000
"""2014-07-01T00:00:00Z."""

_RULE = (
    "times are synthetic, by position: the last event of every user is at 2014-07-01T00:00Z, "
    "the one before it a day earlier, and so on; item attributes are the set's own numbers, as tags"
)


def read_sequences(path: Path) -> Iterator[pl.DataFrame]:
    """Read `user item item …` lines as rows of user, item, at (ms); the row is the line."""
    rows: list[tuple[int, str, str, int]] = []
    with open_text(path) as text:
        for line, words in enumerate(map(str.split, text), 1):
            user, items = words[0] if words else "", words[1:]
            first = LAST_AT - (len(items) - 1) * DAY_MS
            rows += [(line, user, item, first + i * DAY_MS) for i, item in enumerate(items)]
            if len(rows) >= BATCH_ROWS:
                yield _frame(rows)
                rows = []
    if rows:
        yield _frame(rows)


def _frame(rows: list[tuple[int, str, str, int]]) -> pl.DataFrame:
    schema = {ROW: pl.Int64, "user": pl.String, "item": pl.String, "at": pl.Int64}
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    return frame.with_columns(pl.lit("").alias(FAULT))


def read_tags(path: Path) -> Iterator[pl.DataFrame]:
    """Read one JSON object of `item: [numbers]`; numbers become texts, each once, in order."""
    with open_text(path) as text:
        found: dict[str, list[int]] = json.load(text)
    frame = pl.DataFrame(
        {
            "item": list(found),
            "tags": [list(dict.fromkeys(map(str, tags))) for tags in found.values()],
        },
        schema={"item": pl.String, "tags": pl.List(pl.String)},
    )
    rows = pl.int_range(1, frame.height + 1, dtype=pl.Int64, eager=True)
    yield frame.with_columns(rows.alias(ROW), pl.lit("").alias(FAULT))


def _positional(name: str, about: str, kind: str, events: str, items: str) -> Preset:
    return Preset(
        name=name,
        about=about,
        rule=f"every item is a {kind}; {_RULE}",
        event_table=Table(
            files=(events,),
            read=read_sequences,
            columns={
                "user": pl.col("user"),
                "kind": pl.lit(kind),
                "item": pl.col("item"),
                "at": pl.col("at"),
            },
        ),
        item_table=Table(
            files=(items,),
            read=read_tags,
            columns={"item": pl.col("item"), "tags": pl.col("tags")},
        ),
    )


AMAZON_BEAUTY = _positional(
    "amazon-beauty",
    "Amazon Beauty, five-core: 198,502 reviewed purchases of 12,101 items by 22,363 users",
    "purchase",
    "Beauty.txt",
    "Beauty_item2attributes.json",
)
LASTFM = _positional(
    "lastfm",
    "Last.fm: 52,551 artists listened to, 3,646 artists, 1,090 users",
    "click",
    "LastFM.txt",
    "LastFM_item2attributes.json",
)
