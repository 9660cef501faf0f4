"""The whole catalogue page by page, over a real page boundary and over nothing."""

import random

import pytest

from domain.items import Item
from feature_store.listing import deleted_items, held_items
from feature_store.memory import MemoryStore

NAMES = [f"i{number:03d}" for number in range(20)] + ["Z", "ö"]


async def pages(listing) -> list[list[str]]:
    return [[getattr(one, "item", one) for one in page] async for page in listing]


@pytest.mark.parametrize("page", [1, 7, 22, 1_000])
async def test_every_id_comes_once_and_in_order(page: int) -> None:
    store = MemoryStore()
    await store.put_items([Item(name) for name in random.Random(page).sample(NAMES, len(NAMES))])
    found = await pages(held_items(store, page))
    assert [name for some in found for name in some] == sorted(NAMES, key=str.encode)
    assert max(map(len, found)) <= page
    assert await pages(deleted_items(store, page)) == [[]]
    await store.delete_items(NAMES)
    assert [name for some in await pages(deleted_items(store, page)) for name in some] == sorted(
        NAMES, key=str.encode
    )
    assert await pages(held_items(store, page)) == [[]]


async def test_an_empty_store_is_one_empty_page() -> None:
    assert await pages(held_items(MemoryStore())) == [[]]
