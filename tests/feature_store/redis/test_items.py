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
