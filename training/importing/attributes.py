"""Items and users from frames: the catalogue and the profiles, changed only where they differ.

Frames name our columns; every other column is an attribute of that name. Knows nothing of
files; what an attribute means is the models' business.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from math import isinf
from typing import Any

import polars as pl

from domain.clock import Clock
from domain.errors import BadField
from domain.ids import is_valid_id
from domain.items import Attribute, Item
from domain.money import to_micros
from feature_store.store import Store
from training.importing.checking import Rejected
from training.importing.counts import Counts
from training.importing.landing import Landing
from training.importing.patience import patiently
from training.importing.readers import FAULT, ROW

ITEM_COLUMNS = (
    "item", "title", "categories", "price", "available", "hidden", "expires_at", "created_at",
)  # fmt: skip
_BATCH = 1_000
_ID_RULE = "1 to 256 bytes of printable text without blanks at either end"
_AT_ONCE = 64

Progress = Callable[[int], object]


def attribute(value: object) -> Attribute | None:
    """Answer a cell as an attribute: text, number, flag, list of texts; None when it is empty."""
    if value is None or value == "" or value == []:
        return None
    if isinstance(value, bool | str):
        return value
    if isinstance(value, int | float):
        return None if value != value else float(value)
    if isinstance(value, list):
        return [str(part) for part in value if part is not None]
    return str(value)


def _attributes(row: dict[str, Any], own: Iterable[str]) -> dict[str, Attribute]:
    cells = {name: attribute(value) for name, value in row.items() if name not in own}
    for name, value in cells.items():
        if isinstance(value, float) and isinf(value):
            # No number that anybody meant, and nothing that can be kept as JSON.
            raise BadField("a finite number", field=name)
    return {name: value for name, value in cells.items() if value is not None}


def item_of(row: dict[str, Any]) -> Item:
    """Answer the Item a row describes; raises BadField."""
    name = row["item"]
    if not isinstance(name, str) or not is_valid_id(name):
        raise BadField(_ID_RULE, field="item")
    price = row.get("price")
    try:
        micros = None if price is None or price == "" else to_micros(price)
    except (ValueError, TypeError) as error:
        raise BadField("a finite amount of at most 1e9 units", field="price") from error
    flags = {flag: _flag(row[flag], flag) for flag in ("available", "hidden") if flag in row}
    return Item(
        item=name,
        title=row.get("title") or "",
        categories=tuple(row.get("categories") or ()),
        attributes=_attributes(row, ITEM_COLUMNS),
        price=micros,
        available=flags.get("available") is not False,
        hidden=flags.get("hidden") is True,
        expires_at=row.get("expires_at"),
        created_at=row.get("created_at") or 0,
    )


_FLAGS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def _flag(value: object, field: str) -> bool | None:
    if value is None or value == "":
        return None
    known = _FLAGS.get(str(value).strip().lower())
    if known is None:
        raise BadField("true or false", field=field)
    return known


async def put_items(
    frames: Iterable[tuple[str, pl.DataFrame]], landing: Landing, progress: Progress
) -> Counts:
    """Insert or replace items; one that is already so is left alone. `frames` are (file, frame).

    A new item without `created_at` is created now; a known one keeps its time.
    """
    counts, store = Counts(), landing.store
    for file, frame in frames:
        for rows, first in _slices(frame):
            items: list[Item] = []
            for place, row in enumerate(rows, first):
                place = row.pop(ROW, place)
                try:
                    if fault := row.pop(FAULT, ""):
                        raise BadField(fault, code="unreadable")
                    items.append(item_of(row))
                except BadField as error:
                    refused = Rejected(place, error.field, error.code, error.message)
                    counts.rejected[refused.code] += 1
                    landing.rejects.write(file, [refused])
            known = await patiently(partial(store.get_items, [item.item for item in items]))
            dated = [
                replace(
                    item, created_at=item.created_at or (old.created_at if old else landing.clock())
                )
                for item, old in zip(items, known, strict=True)
            ]
            changed = [item for item, old in zip(dated, known, strict=True) if item != old]
            if changed:
                await patiently(partial(store.put_items, changed))
            counts.read += len(rows)
            counts.accepted += len(changed)
            counts.duplicates += len(items) - len(changed)
            progress(len(rows))
    return counts


async def patch_users(
    frames: Iterable[tuple[str, pl.DataFrame]], landing: Landing, progress: Progress
) -> Counts:
    """Merge attributes into profiles; consent and the test flag are not touched."""
    counts, store = Counts(), landing.store
    for file, frame in frames:
        for rows, first in _slices(frame):
            wanted: dict[str, dict[str, Attribute]] = {}
            for place, row in enumerate(rows, first):
                place = row.pop(ROW, place)
                try:
                    if fault := row.pop(FAULT, ""):
                        raise BadField(fault, code="unreadable")
                    if not isinstance(row["user"], str) or not is_valid_id(row["user"]):
                        raise BadField(_ID_RULE, field="user")
                    told = _attributes(row, ("user",))
                except BadField as error:
                    refused = Rejected(place, error.field, error.code, error.message)
                    counts.rejected[refused.code] += 1
                    landing.rejects.write(file, [refused])
                    continue
                wanted.setdefault(row["user"], {}).update(told)
                counts.accepted += 1
            same = await _unchanged(store, wanted)
            counts.accepted -= len(same)
            counts.duplicates += len(same)
            await _patch(store, [(u, a) for u, a in wanted.items() if u not in same], landing.clock)
            counts.read += len(rows)
            progress(len(rows))
    return counts


async def _unchanged(store: Store, wanted: dict[str, dict[str, Attribute]]) -> set[str]:
    read = await patiently(partial(store.read_profiles, list(wanted)))
    return {
        user
        for (user, attributes), (profile, _) in zip(wanted.items(), read, strict=True)
        if profile is not None
        and all(profile.attributes.get(name) == value for name, value in attributes.items())
    }


async def _patch(
    store: Store, changes: Sequence[tuple[str, dict[str, Attribute]]], clock: Clock
) -> None:
    for start in range(0, len(changes), _AT_ONCE):
        await asyncio.gather(
            *(
                patiently(partial(store.patch_profile, user, clock(), attributes=dict(attributes)))
                for user, attributes in changes[start : start + _AT_ONCE]
            )
        )


def _slices(frame: pl.DataFrame) -> Iterator[tuple[list[dict[str, Any]], int]]:
    for start in range(0, frame.height, _BATCH):
        yield frame.slice(start, _BATCH).to_dicts(), start + 1
