"""The JSON of an item: whole, as a change, and as answered; and its way into domain.items.

Knows nothing of how items arrive or where they are kept.
"""

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from domain.clock import Clock
from domain.errors import BadField, NotFound
from domain.items import Item
from domain.money import from_micros, to_micros
from service.codec import Rejected
from service.shapes import (
    MAX_ATTRIBUTES,
    At,
    AttributePatch,
    Attributes,
    Id,
    Name,
    OptionalId,
    Price,
    Text,
    Value,
    check_at,
    check_attributes,
    check_id,
    check_text,
)

Categories = Annotated[list[Name], Meta(max_length=64, description="most general first")]
_EXPIRES = Meta(description="from then on it is no longer shown")
_CREATED = Meta(description="when it came to the shop; absent: when it was first sent")


class ItemFields(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A whole item but for its id: what is left out takes its default."""

    title: Text = ""
    categories: Categories = []
    attributes: Attributes = {}
    price: Annotated[Price | None, Meta(description="in units of the house currency")] = None
    available: bool = True
    hidden: bool = False
    expires_at: Annotated[At | None, _EXPIRES] = None
    created_at: Annotated[At | None, _CREATED] = None


class ItemIn(ItemFields, kw_only=True):
    """A whole item: what is left out takes its default. `item`, if given, repeats the path."""

    item: OptionalId = None


class ItemRow(ItemFields, kw_only=True):
    """A whole item: what is left out takes its default."""

    item: Id


class ItemChanges(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What to change of an item; what is left out stays.

    A null removes a price, a time or one attribute; attributes merge by name.
    """

    title: Text | UnsetType = UNSET
    categories: Categories | UnsetType = UNSET
    attributes: AttributePatch = {}
    price: Price | UnsetType | None = UNSET
    available: bool | UnsetType = UNSET
    hidden: bool | UnsetType = UNSET
    expires_at: Annotated[At | UnsetType | None, _EXPIRES] = UNSET
    created_at: Annotated[At | UnsetType, _CREATED] = UNSET


class ItemPatch(ItemChanges, kw_only=True):
    """What to change; nulls remove, what is left out stays. `item` may repeat the path."""

    item: OptionalId = None


class ItemPatchRow(ItemChanges, kw_only=True):
    """What to change; nulls remove, what is left out stays."""

    item: Id


class ItemName(msgspec.Struct, forbid_unknown_fields=True):
    """The id of an item to delete."""

    item: Id


class ItemReply(msgspec.Struct, frozen=True):
    """An item as it stands; times are epoch milliseconds, the price is in units."""

    item: str
    title: str
    categories: list[str]
    attributes: dict[str, Value]
    price: float | None
    available: bool
    hidden: bool
    expires_at: int | None
    created_at: int


class PageReply(msgspec.Struct, frozen=True):
    """A page of items in id order; `cursor` asks for the next one, "" at the end."""

    items: list[ItemReply]
    cursor: str


class StoredReply(msgspec.Struct, frozen=True):
    """How many items were written; the refused rows with their reasons."""

    stored: int
    rejected: list[Rejected]


class DeletedReply(msgspec.Struct, frozen=True):
    """How many items existed and were deleted; the refused rows with their reasons."""

    deleted: int
    rejected: list[Rejected]


def item_reply(item: Item) -> ItemReply:
    """Put an item as callers see it."""
    return ItemReply(
        item=item.item,
        title=item.title,
        categories=list(item.categories),
        attributes=item.attributes,
        price=None if item.price is None else from_micros(item.price),
        available=item.available,
        hidden=item.hidden,
        expires_at=item.expires_at,
        created_at=item.created_at,
    )


def item_of(item_id: str, sent: ItemFields, known: Item | None, clock: Clock) -> Item:
    """Check a whole item as sent; raises BadField. `known` is what it replaces, if anything."""
    check_id(item_id, "item")
    check_text(sent.title, "title")
    check_attributes(sent.attributes, "attributes")
    created = check_at(sent.created_at, "created_at", clock)
    if created is None:
        created = known.created_at if known is not None else clock()
    return Item(
        item=item_id,
        title=sent.title,
        categories=_categories(sent.categories),
        attributes=dict(sent.attributes),
        price=None if sent.price is None else to_micros(sent.price),
        available=sent.available,
        hidden=sent.hidden,
        expires_at=check_at(sent.expires_at, "expires_at", clock),
        created_at=created,
    )


def _categories(sent: list[str]) -> tuple[str, ...]:
    return tuple(check_id(category, "categories") for category in sent)


def patched(item_id: str, sent: ItemChanges, known: Item | None, clock: Clock) -> Item:
    """Answer `known` with the changes as sent; raises BadField, NotFound."""
    check_id(item_id, "item")
    if known is None:
        raise NotFound("no such item", field="item")
    check_attributes(sent.attributes, "attributes")
    merged: dict[str, Any] = {**known.attributes, **sent.attributes}
    attributes = {name: value for name, value in merged.items() if value is not None}
    if len(attributes) > MAX_ATTRIBUTES:
        raise BadField(f"at most {MAX_ATTRIBUTES} attributes", field="attributes", code="too_many")
    price, created = known.price, known.created_at
    if sent.price is not UNSET:
        price = None if sent.price is None else to_micros(sent.price)
    expires = known.expires_at
    if sent.expires_at is not UNSET:
        expires = check_at(sent.expires_at, "expires_at", clock)
    if sent.created_at is not UNSET:
        created = check_at(sent.created_at, "created_at", clock) or created
    return Item(
        item=item_id,
        title=known.title if sent.title is UNSET else check_text(sent.title, "title"),
        categories=(known.categories if sent.categories is UNSET else _categories(sent.categories)),
        attributes=attributes,
        price=price,
        available=known.available if sent.available is UNSET else sent.available,
        hidden=known.hidden if sent.hidden is UNSET else sent.hidden,
        expires_at=expires,
        created_at=created,
    )
