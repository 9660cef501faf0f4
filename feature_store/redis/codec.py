"""Items, profiles and decisions as JSON text in the store; absent keys mean their defaults.

Part of the stored format: add keys with defaults, never rename.
"""

import json
from typing import Any

import msgspec

from domain.decisions import Decision
from domain.items import Item
from domain.users import Profile

_write = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode

# One decision an answer: the standard library's encoder took a tenth of a recommendation.
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(list[Decision]).decode
# One profile a bid or recommendation: the standard library's decoder took three hundredths of one.
_read = msgspec.json.Decoder().decode


def item_to_json(item: Item) -> bytes:
    """Write what differs from an item's defaults; its id is the key it is stored under."""
    fields: dict[str, Any] = {}
    if item.title:
        fields["title"] = item.title
    if item.categories:
        fields["categories"] = item.categories
    if item.attributes:
        fields["attributes"] = item.attributes
    if item.price is not None:
        fields["price"] = item.price
    if not item.available:
        fields["available"] = False
    if item.hidden:
        fields["hidden"] = True
    if item.expires_at is not None:
        fields["expires_at"] = item.expires_at
    if item.created_at:
        fields["created_at"] = item.created_at
    return _write(fields).encode()


def item_from_json(item_id: str, text: bytes) -> Item:
    """Read an item stored under `item_id`."""
    fields: dict[str, Any] = json.loads(text)
    return Item(
        item=item_id,
        title=fields.get("title", ""),
        categories=tuple(fields.get("categories", ())),
        attributes=fields.get("attributes", {}),
        price=fields.get("price"),
        available=fields.get("available", True),
        hidden=fields.get("hidden", False),
        expires_at=fields.get("expires_at"),
        created_at=fields.get("created_at", 0),
    )


def profile_to_json(profile: Profile) -> bytes:
    """Write a profile."""
    return _write(
        {
            "attributes": profile.attributes,
            "consent": profile.consent,
            "test": profile.test,
            "updated_at": profile.updated_at,
        }
    ).encode()


def profile_from_json(text: bytes) -> Profile:
    """Read a profile; raises ValueError or AttributeError when the text is not one."""
    try:
        fields: dict[str, Any] = _read(text)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ValueError("a profile is JSON") from error
    if not isinstance(fields.get("consent", {}), dict):
        raise ValueError("consent is an object")
    return Profile(
        attributes=fields.get("attributes", {}),
        consent=fields.get("consent", {}),
        test=fields.get("test", False),
        updated_at=fields.get("updated_at", 0),
    )


def decisions_to_json(decisions: list[Decision]) -> bytes:
    """Write decisions as lists of their fields, in the order of Decision."""
    return _encode(decisions)


def decisions_from_json(text: bytes) -> list[Decision]:
    """Read what decisions_to_json wrote."""
    return _decode(text)
