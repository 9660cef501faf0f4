"""Taobao user behaviour: views, carts, favourites and purchases over nine days."""

from datetime import UTC, datetime, timedelta

import polars as pl

from training.importing.presets.preset import Preset, Table
from training.importing.readers import TextOptions, read_rows

_SHANGHAI = timedelta(hours=8)
"""Asia/Shanghai has had no summer time since 1991."""

FIRST_S = int((datetime(2017, 11, 25, tzinfo=UTC) - _SHANGHAI).timestamp())
END_S = int((datetime(2017, 12, 4, tzinfo=UTC) - _SHANGHAI).timestamp())

KINDS = {"pv": "click", "cart": "add_to_cart", "fav": "custom", "buy": "purchase"}
_AT = pl.col("5").cast(pl.Int64, strict=False)

TAOBAO_BEHAVIOUR = Preset(
    name="taobao-behaviour",
    about="Taobao user behaviour: 100,001 events of 983 users on products in categories",
    rule=(
        "pv (a view of the product's own page, so a click on it) is click, cart add_to_cart, "
        'buy purchase, fav custom with properties {"action":"favourite"}; rows outside '
        "2017-11-25 to 2017-12-03 in Asia/Shanghai are skipped as strays"
    ),
    event_table=Table(
        files=("small_sample.csv", "UserBehavior.csv"),
        read=lambda path: read_rows(path, TextOptions(header=False)),
        keep=_AT.is_null() | _AT.is_between(FIRST_S, END_S, closed="left"),
        columns={
            "user": pl.col("1"),
            "kind": pl.col("4").replace(KINDS),
            "item": pl.col("2"),
            "at": _AT * 1000,
            "properties": pl.when(pl.col("4") == "fav").then(pl.lit('{"action":"favourite"}')),
            "fault": pl.when(_AT.is_null())
            .then(pl.lit("at: not an epoch number"))
            .otherwise(pl.lit("")),
        },
    ),
    item_table=Table(
        files=("small_sample.csv", "UserBehavior.csv"),
        read=lambda path: read_rows(path, TextOptions(header=False)),
        columns={"item": pl.col("2"), "categories": pl.concat_list(pl.col("3"))},
    ),
)
