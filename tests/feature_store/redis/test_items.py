import pytest

from domain.errors import StoreUnavailable
from domain.items import Item
from feature_store import keys
from feature_store.opening import open_store
from feature_store.store import StoreSettings
from tests.feature_store.servers import RunningServer

SETTINGS = StoreSettings(buckets=2)


async def test_pages_do_not_read_the_catalogue(server: RunningServer) -> None:
    store = await open_store(SETTINGS, url=server.url)
    await store.put_items([Item(f"i{n:06d}", title="x" * 50) for n in range(20_000)])
    client = server.client()
    client.config_resetstat()
    page = await store.page_items("i015000", 50)
    assert [page.items[0].item, page.cursor] == ["i015001", "i015050"]
    assert client.info("commandstats")["cmdstat_hget"]["calls"] == 50
    client.close()
    await store.close()


@pytest.mark.parametrize("text", [b"{", b"[]", b"null", b"\xff", b'{"categories": 1}', b"7"])
async def test_an_item_that_cannot_be_read_hides_no_other(
    server: RunningServer, text: bytes
) -> None:
    store = await open_store(SETTINGS, url=server.url)
    before = await store.put_items([Item("a"), Item("b"), Item("c")])
    client = server.client()
    client.hset(keys.ITEMS_DATA, "b", text)
    client.close()
    assert await store.get_items(["a", "b", "c"]) == [Item("a"), None, Item("c")]
    assert (await store.page_items("", 2)) == ((Item("a"),), "b")
    assert (await store.page_items("b", 2)).items == (Item("c"),)
    changes = (await store.item_changes(before - 1))[1]
    assert changes is not None
    assert [change.item for change in changes] == [Item("a"), None, Item("c")]
    # It can be put again, by either way of putting, and deleted.
    made = await store.edit_items(["b"], lambda known: [Item("b", title=str(sorted(known)))])
    assert await store.get_items(["b"]) == list(made) == [Item("b", title="[]")]
    assert await store.delete_items(["b"]) == 1
    await store.close()


async def test_a_large_put_leaves_nothing_behind(server: RunningServer) -> None:
    store = await open_store(SETTINGS, url=server.url)
    await store.put_items([Item(f"i{n}") for n in range(3_000)])
    client = server.client()
    names = {name.decode() for name in client.keys("*{items}*")}
    client.close()
    assert names == {keys.ITEMS_DATA, keys.ITEMS_ORDER, keys.ITEMS_VERSION, keys.FORMAT}
    await store.close()


async def test_a_large_put_whose_server_dies_changes_nothing(server: RunningServer) -> None:
    store = await open_store(SETTINGS, url=server.url)
    version = await store.put_items([Item("a")])
    server.kill()
    with pytest.raises(StoreUnavailable):
        await store.put_items([Item(f"i{n}") for n in range(3_000)])
    server.start()
    again = await open_store(SETTINGS, url=server.url)
    assert (await again.item_changes(version)) == (version, [])
    assert (await again.page_items("", 10)).items == (Item("a"),)
    await again.close()
    await store.close()
