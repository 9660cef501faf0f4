"""The catalogue in the store: a hash of items, their order, a version, recent changes.

All keys share one hash tag, so that a put is one script. Knows nothing of histories.
"""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any

from domain.errors import StoreUnavailable
from domain.ids import new_id
from domain.items import Item
from feature_store import keys
from feature_store.redis import script_files as scripts
from feature_store.redis.codec import item_from_json, item_to_json
from feature_store.redis.server import Argument, Server
from feature_store.store import DeletedPage, EditItems, ItemChange, ItemPage

CHANGES_KEPT = 8_192
_AT_ONCE = 1_000
"""Items in one command; a larger put is gathered first, then made to count at once."""
_STAGING_SECONDS = 600
_EDIT_TRIES = 200
_WHATEVER = b"*"
"""In place of what must be held: anything, or nothing."""
_ALL_KEYS = [
    keys.ITEMS_DATA,
    keys.ITEMS_ORDER,
    keys.ITEMS_VERSION,
    keys.ITEMS_CHANGES,
    keys.ITEMS_DELETED,
]


class Items:
    """The items' part of the store protocol; see feature_store.store.Store."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._editing = asyncio.Lock()

    async def put(self, items: Sequence[Item]) -> int:
        """Insert or replace items, all or none; answer the catalogue's new version."""
        pairs = {item.item: item_to_json(item) for item in items}
        if not pairs:
            return int(await self._server.call("GET", keys.ITEMS_VERSION) or 0)
        if len(pairs) <= _AT_ONCE:
            return await self._put((name, _WHATEVER, text) for name, text in pairs.items())
        flat: list[Argument] = [part for pair in pairs.items() for part in pair]
        staging = keys.staging(new_id())
        for start in range(0, len(flat), 2 * _AT_ONCE):
            await self._server.call("HSET", staging, *flat[start : start + 2 * _AT_ONCE])
            # Gathered items whose put never ends go away by themselves.
            await self._server.call("EXPIRE", staging, _STAGING_SECONDS)
        version = (await self._server.run(scripts.COMMIT_ITEMS, [([*_ALL_KEYS, staging], [])]))[0]
        if version == 0:
            raise StoreUnavailable("the gathered items were lost before they counted")
        return version

    async def _put(self, rows: Iterable[tuple[str, bytes, bytes]]) -> Any:
        """Run the script over (id, what must be held, what to hold); see put_items.lua."""
        flat: list[Argument] = [part for row in rows for part in row]
        return (await self._server.run(scripts.PUT_ITEMS, [(_ALL_KEYS, [CHANGES_KEPT, *flat])]))[0]

    async def edit(self, item_ids: Sequence[str], edit: EditItems) -> Sequence[Item]:
        """Put what `edit` makes of these items; see feature_store.store.Store."""
        ids = list(dict.fromkeys(item_ids))
        # Who shares this process waits for his turn; only other processes are tried against.
        async with self._editing:
            held = dict(zip(ids, await self._texts(ids), strict=True))
            for _ in range(_EDIT_TRIES):
                found = [_item(item_id, text) for item_id, text in held.items()]
                items = edit({item.item: item for item in found if item is not None})
                if not items:
                    return items
                rows = [(one.item, held[one.item] or b"", item_to_json(one)) for one in items]
                reply: int | list[bytes] = await self._put(rows)
                if isinstance(reply, int):
                    return items
                held |= {i.decode(): text for i, text in zip(reply[::2], reply[1::2], strict=True)}
        raise StoreUnavailable("too many changes of the same items at once")

    async def delete(self, item_ids: Sequence[str]) -> int:
        """Delete items; answer how many existed."""
        if not item_ids:
            return 0
        calls = [(_ALL_KEYS, [CHANGES_KEPT, *item_ids])]
        return (await self._server.run(scripts.DELETE_ITEMS, calls))[0]

    async def get(self, item_ids: Sequence[str]) -> list[Item | None]:
        """Answer the items with these ids, None where there is none."""
        texts = await self._texts(item_ids)
        return [_item(item_id, text) for item_id, text in zip(item_ids, texts, strict=True)]

    async def _texts(self, item_ids: Sequence[str]) -> list[bytes | None]:
        texts: list[bytes | None] = []
        for start in range(0, len(item_ids), _AT_ONCE):
            some = item_ids[start : start + _AT_ONCE]
            texts += await self._server.call("HMGET", keys.ITEMS_DATA, *some)
        return texts

    async def page(self, cursor: str, limit: int) -> ItemPage:
        """Answer a page of items in byte order of their ids after `cursor`."""
        calls = [([keys.ITEMS_DATA, keys.ITEMS_ORDER], [cursor, limit])]
        flat: list[bytes] = (await self._server.run(scripts.PAGE_ITEMS, calls))[0]
        ids = [item_id.decode() for item_id in flat[::2]]
        found = (_item(item_id, text) for item_id, text in zip(ids, flat[1::2], strict=True))
        items = tuple(item for item in found if item is not None)
        return ItemPage(items, ids[-1] if len(ids) == limit else "")

    async def page_deleted(self, cursor: str, limit: int) -> DeletedPage:
        """Answer a page of deleted ids in byte order after `cursor`."""
        start = f"({cursor}" if cursor else "-"
        order = ("BYLEX", "LIMIT", 0, limit)
        found: list[bytes] = await self._server.call(
            "ZRANGE", keys.ITEMS_DELETED, start, "+", *order
        )
        ids = tuple(item_id.decode() for item_id in found)
        return DeletedPage(ids, ids[-1] if len(ids) == limit else "")

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
            ItemChange(int(at), item_id.decode(), _item(item_id.decode(), text))
            for at, item_id, text in rows
        ]


def _item(item_id: str, text: bytes | None) -> Item | None:
    """Read one item. What cannot be read is as if it were not there: one garbled item must not
    hide the catalogue, and putting it again mends it."""
    if not text:
        return None
    try:
        return item_from_json(item_id, text)
    except (ValueError, TypeError, AttributeError):
        return None
