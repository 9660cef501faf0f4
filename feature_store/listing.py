"""The whole catalogue, a page at a time: what it holds, and what was deleted from it.

For who starts from nothing or has missed changes. Knows nothing of how a store pages.
"""

from collections.abc import AsyncIterator

from domain.items import Item
from feature_store.store import Store

PAGE = 1_000


async def held_items(store: Store, page: int = PAGE) -> AsyncIterator[tuple[Item, ...]]:
    """Yield every item in id order, `page` at a time."""
    cursor = ""
    while True:
        found = await store.page_items(cursor, page)
        yield found.items
        cursor = found.cursor
        if not cursor:
            return


async def deleted_items(store: Store, page: int = PAGE) -> AsyncIterator[tuple[str, ...]]:
    """Yield the ids that were deleted and not put again, in id order, `page` at a time."""
    cursor = ""
    while True:
        found = await store.page_deleted(cursor, page)
        yield found.item_ids
        cursor = found.cursor
        if not cursor:
            return
