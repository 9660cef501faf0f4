"""UCI Online Retail: the complete invoice lines of a gift wholesaler, to the minute."""

import polars as pl

from training.importing.presets.preset import Preset, Table

_INVOICE = pl.col("InvoiceNo")
_CANCELLED = _INVOICE.str.starts_with("C")
_KNOWN = pl.col("CustomerID").is_not_null()
_PRICE = pl.col("UnitPrice")
_QUANTITY = pl.col("Quantity")

SERVICES = (
    "POST", "DOT", "M", "m", "C2", "D", "S", "B", "BANK CHARGES", "AMAZONFEE", "CRUK", "PADS",
)  # fmt: skip
"""Stock codes of postage, fees, discounts, samples and the like: kept in the events, because
the money is real, but hidden in the catalogue."""

ONLINE_RETAIL = Preset(
    name="online-retail",
    about="UCI Online Retail: 541,909 invoice lines of 4,372 customers and 4,070 stock codes",
    rule=(
        "a line is a purchase of that item, value = quantity x unit price in GBP; a line of a "
        "C-invoice (negative quantity) is a refund of that item with a positive quantity and "
        "value; lines without customer belong to a session named by the invoice; the invoice is "
        "the session of the others too; a free line (price 0) of a customer is a purchase of "
        "value 0; free lines without customer are stock corrections and skipped, as are the "
        "two bad-debt lines (negative price); local time of the shop is taken as UTC"
    ),
    currency="GBP",
    event_table=Table(
        files=("online_retail.parquet",),
        keep=((_PRICE > 0) | ((_PRICE == 0) & _KNOWN)) & (_QUANTITY != 0),
        columns={
            "user": pl.col("CustomerID"),
            "session": _INVOICE,
            "kind": pl.when(_CANCELLED).then(pl.lit("refund")).otherwise(pl.lit("purchase")),
            "item": pl.col("StockCode").str.strip_chars(),
            "at": pl.col("InvoiceDate").dt.epoch("ms"),
            "value": (_QUANTITY.abs() * _PRICE).round(4),
            "currency": pl.lit("GBP"),
            "quantity": _QUANTITY.abs(),
        },
    ),
    item_table=Table(
        files=("online_retail.parquet",),
        keep=pl.col("Description").is_not_null() & (_PRICE > 0),
        columns={
            "item": pl.col("StockCode").str.strip_chars(),
            "title": pl.col("Description").str.strip_chars().str.to_titlecase(),
            "price": _PRICE,
            "hidden": pl.col("StockCode").is_in(SERVICES)
            | pl.col("StockCode").str.starts_with("gift_"),
        },
    ),
    user_table=Table(
        files=("online_retail.parquet",),
        keep=_KNOWN,
        columns={
            "user": pl.col("CustomerID").cast(pl.String),
            "country": pl.col("Country"),
        },
    ),
)
