"""Recognising columns by their usual names, for files nobody described.

Only names are looked at, never values, and a guess is always shown to the person before it
is used. Knows nothing of reading or storing.
"""

import re
from collections.abc import Iterable

USUAL: dict[str, tuple[str, ...]] = {
    "event_id": ("event_id", "eventid"),
    "user": (
        "user", "user_id", "userid", "customer", "customer_id", "customerid", "household_id",
        "visitor_id", "visitorid", "client_id", "member_id", "uid",
    ),
    "session": (
        "session", "session_id", "sessionid", "user_session", "basket_id", "invoice_no",
        "invoiceno", "invoice", "order_id", "visit_id",
    ),
    "kind": ("kind", "event", "event_type", "eventtype", "type", "action", "behavior_type"),
    "item": (
        "item", "item_id", "itemid", "product", "product_id", "productid", "sku", "stock_code",
        "stockcode", "movie_id", "article_id", "asin", "content_id",
    ),
    "at": (
        "at", "timestamp", "time", "event_time", "datetime", "date", "created_at", "ts",
        "transaction_timestamp", "invoice_date", "invoicedate", "order_date", "unix_time",
    ),
    "value": ("value", "amount", "sales_value", "revenue", "total", "price", "rating"),
    "currency": ("currency",),
    "quantity": ("quantity", "qty", "number"),
    "channel": ("channel",),
    "campaign": ("campaign", "campaign_id"),
}  # fmt: skip

KIND_WORDS = {
    "view": "click",
    "pv": "click",
    "page_view": "click",
    "detail": "click",
    "cart": "add_to_cart",
    "addtocart": "add_to_cart",
    "add": "add_to_cart",
    "buy": "purchase",
    "order": "purchase",
    "transaction": "purchase",
    "remove": "remove_from_cart",
    "rate": "rating",
    "fav": "custom",
    "unsubscribe": "cancel",
}
"""Words other systems use for our kinds; applied only when the kind column was recognised."""


def recognise(names: Iterable[str]) -> dict[str, str]:
    """Answer our name to the file's column for every column with a usual name.

    The earlier a name stands in USUAL, the likelier it is meant; case, blanks and dashes do
    not matter.
    """
    by_plain = {_plain(name): name for name in names}
    found: dict[str, str] = {}
    for ours, usual in USUAL.items():
        for word in usual:
            if word in by_plain and by_plain[word] not in found.values():
                found[ours] = by_plain[word]
                break
    return found


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.strip().lower()).strip("_")
