"""The catalogue in the store: a hash of items, their order, a version, recent changes.

All keys share one hash tag, so that a put is one script. Knows nothing of histories.
"""

from collections.abc import Sequence
from typing import Any

from domain.errors import StoreUnavailable
from domain.ids import new_id
from domain.items import Item
from feature_store import keys
from feature_store.redis import script_files as scripts
from feature_store.redis.codec import item_from_json, item_to_json
from feature_store.redis.server import Argument, Server
from feature_store.store import ItemChange, ItemPage

CHANGES_KEPT = 8_192
_AT_ONCE = 1_000
"""Items in one command; a larger put is gathered first, then made to count at once."""
_STAGING_SECONDS = 600
_ALL_KEYS = [keys.ITEMS_DATA, keys.ITEMS_ORDER, keys.ITEMS_VERSION, keys.ITEMS_CHANGES]


class Items:
    """The items' part of the store protocol; see feature_store.store.Store."""

    def __init__(self, server: Server) -> None:
        self._server = server

    async def put(self, items: Sequence[Item]) -> int:
        """Insert or replace items, all or none; answer the catalogue's new version."""
        pairs = {item.item: item_to_json(item) for item in items}
        flat: list[Argument] = [part for pair in pairs.items() for part in pair]
        if not flat:
            return int(await self._server.call("GET", keys.ITEMS_VERSION) or 0)
        if len(pairs) <= _AT_ONCE:
            calls = [(_ALL_KEYS, [CHANGES_KEPT, *flat])]
            return (await self._server.run(scripts.PUT_ITEMS, calls))[0]
        staging = keys.staging(new_id())
        for start in range(0, len(flat), 2 * _AT_ONCE):
            await self._server.call("HSET", staging, *flat[start : start + 2 * _AT_ONCE])
            # Gathered items whose put never ends go away by themselves.
            await self._server.call("EXPIRE", staging, _STAGING_SECONDS)
        version = (await self._server.run(scripts.COMMIT_ITEMS, [([*_ALL_KEYS, staging], [])]))[0]
        if version == 0:
            raise StoreUnavailable("the gathered items were lost before they counted")
        return version

    async def delete(self, item_ids: Sequence[str]) -> int:
        """Delete items; answer how many existed."""
        if not item_ids:
            return 0
        calls = [(_ALL_KEYS, [CHANGES_KEPT, *item_ids])]
        return (await self._server.run(scripts.DELETE_ITEMS, calls))[0]

    async def get(self, item_ids: Sequence[str]) -> list[Item | None]:
        """Answer the items with these ids, None where there is none."""
        found: list[Item | None] = []
        for start in range(0, len(item_ids), _AT_ONCE):
            some = item_ids[start : start + _AT_ONCE]
            texts: list[bytes | None] = await self._server.call("HMGET", keys.ITEMS_DATA, *some)
            found += [_item(item_id, text) for item_id, text in zip(some, texts, strict=True)]
        return found

    async def page(self, cursor: str, limit: int) -> ItemPage:
        """Answer a page of items in byte order of their ids after `cursor`."""
        calls = [([keys.ITEMS_DATA, keys.ITEMS_ORDER], [cursor, limit])]
        flat: list[bytes] = (await self._server.run(scripts.PAGE_ITEMS, calls))[0]
        ids = [item_id.decode() for item_id in flat[::2]]
        items = [
            item_from_json(item_id, text)
            for item_id, text in zip(ids, flat[1::2], strict=True)
            if text
        ]
        return ItemPage(tuple(items), ids[-1] if len(ids) == limit else "")

    async def changes(self, since_version: int) -> tuple[int, list[ItemChange] | None]:
        """Answer (current version, changes after `since_version`), or None for the changes."""
        names = [keys.ITEMS_DATA, keys.ITEMS_VERSION, keys.ITEMS_CHANGES]
        flat: list[Any] = (
            await self._server.run(scripts.ITEM_CHANGES, [(names, [since_version])])
        )[0]
        version = int(flat[0])
        if flat[1:] == [b"all"]:
            return version, None
        rows = zip(flat[1::3], flat[2::3], flat[3::3], strict=True)
        return version, [
            ItemChange(int(at), item_id.decode(), _item(item_id.decode(), text or None))
            for at, item_id, text in rows
        ]


def _item(item_id: str, text: bytes | None) -> Item | None:
    return None if text is None else item_from_json(item_id, text)
