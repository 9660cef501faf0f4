"""Public logs as histories, without a store: canonical frames in, a History and item ids out.

Amounts are taken for the house currency. For benchmarks and studies; the released way is
through the log. Knows nothing of models.
"""

from collections.abc import Callable, Iterable

import numpy as np
import polars as pl

from domain.events import Kind
from domain.ids import hash32, hash64, session_entity, user_entity
from domain.money import to_micros
from feature_store.history import History
from feature_store.records import HAS_VALUE, RECORD


def _hashes(texts: pl.Series, hashed: Callable[[str], int] = hash64) -> np.ndarray:
    """Answer uint64 hashes of texts, 0 for empty ones; each distinct text is hashed once."""
    distinct = texts.unique(maintain_order=True)
    values = [hashed(text) if text else 0 for text in distinct]
    table = dict(zip(distinct, values, strict=True))
    return np.array([table[text] for text in texts], np.uint64)


def _micros(values: pl.Series) -> np.ndarray:
    """Answer int64 micros of amounts, 0 for absent ones; all are taken for the house currency."""
    distinct = values.unique()
    table = {value: 0 if value is None else to_micros(value) for value in distinct}
    return np.array([table[value] for value in values], np.int64)


def history_of(frames: Iterable[pl.DataFrame], cap: int = 512) -> tuple[History, tuple[str, ...]]:
    """Answer (history, ids of every item in order of first appearance) of canonical frames.

    Rows with a fault are left out. Events of one user at the same time are ordered by the
    hash of their event id, as in the store.
    """
    log = pl.concat(list(frames)).filter(pl.col("fault") == "")
    entity = pl.when(pl.col("user") != "").then(pl.lit("user")).otherwise(pl.lit("session"))
    name = pl.when(pl.col("user") != "").then("user").otherwise("session")
    log = log.with_columns(entity.alias("who"), name.alias("name"))
    keys = log.select("who", "name").unique(maintain_order=True).with_row_index("code")
    codes = log.join(keys, on=["who", "name"], how="left", maintain_order="left")["code"]
    make = {"user": user_entity, "session": session_entity}
    entities = tuple(make[who](name) for who, name in keys.select("who", "name").iter_rows())
    records = np.zeros(log.height, RECORD)
    records["at"] = log["at"].to_numpy()
    records["event"] = _hashes(log["event_id"])
    records["item"] = _hashes(log["item"])
    records["quantity"] = log["quantity"].fill_null(1.0).to_numpy()
    records["value"] = _micros(log["value"])
    records["flags"] = np.where(log["value"].is_null().to_numpy(), 0, HAS_VALUE)
    records["campaign"] = _hashes(log["campaign"], hash32)
    records["channel"] = _hashes(log["channel"], hash32)
    kinds = {kind.name: int(kind) for kind in Kind}
    records["kind"] = [kinds[kind] for kind in log["kind"]]
    items = tuple(item for item in log["item"].unique(maintain_order=True) if item)
    return History.from_arrays(entities, codes.to_numpy().astype(np.int64), records, cap=cap), items
