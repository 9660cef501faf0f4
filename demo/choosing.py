"""Choosing whom and what the story is about, by rule and from the log itself.

The rule is stated to the reader; nothing is tried out beforehand. Knows nothing of telling.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from demo.calls import Service
from demo.telling import DemoFailed

LEAST_EVENTS = 5


class Someone(NamedTuple):
    """A user or session of the log: the field of a request that names it, its id, its events."""

    field: str
    name: str
    events: int


def someone_typical(log: Path) -> Someone:
    """Answer the user (or session, where nobody is known) with the median number of events.

    Of those with LEAST_EVENTS events or more; of equals the first by id. Raises DemoFailed
    when there is nobody.
    """
    files = str(log / "day=*" / "bucket=*" / "*.parquet")
    counts = pl.scan_parquet(files, hive_partitioning=False).group_by("entity").len().collect()
    counts = counts.filter(pl.col("len") >= LEAST_EVENTS)
    for field in ("user", "session"):
        some = counts.filter(pl.col("entity").str.starts_with(field[0])).sort("len", "entity")
        if some.height:
            entity, events = some.row(some.height // 2)
            return Someone(field, entity[1:], events)
    raise DemoFailed(f"nobody in the log has {LEAST_EVENTS} events; the demo needs a longer log")


def label(item: dict[str, Any]) -> str:
    """Answer what a person calls an item."""
    return str(item.get("title") or f"item {item['item']}")


def shelf(item: dict[str, Any]) -> str:
    """Answer the categories of an item in words."""
    return " / ".join(item.get("categories") or ())


def another_shelf(service: Service, places: Sequence[dict[str, Any]], top: int) -> dict[str, Any]:
    """Answer the best item below the first `top` whose narrowest category none of those has.

    Without categories it is simply the next item. Raises DemoFailed when there is none.
    """
    taken = {_category(service.item(place["item"])) for place in places[:top]}
    items = [service.item(place["item"]) for place in places[top:]]
    if not items:
        raise DemoFailed("the catalogue is too small to choose another item from")
    return next((item for item in items if _category(item) not in taken), items[0])


def _category(item: dict[str, Any]) -> str:
    return next(reversed(item.get("categories") or ()), "")
