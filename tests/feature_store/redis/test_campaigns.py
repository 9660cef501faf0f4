"""What only a server can do to campaigns: hold what this release cannot read."""

from collections.abc import Callable

import pytest

from domain.campaigns import Campaign
from domain.errors import OperatorError
from feature_store import keys
from feature_store.opening import open_store
from feature_store.redis.campaigns import RedisCampaigns
from feature_store.redis.store import RedisStore
from tests.feature_store.servers import RunningServer


async def test_a_garbled_campaign_hides_no_other_and_is_not_overwritten_unseen(
    servers: Callable[[str], RunningServer],
) -> None:
    running = servers("valkey")
    running.empty()
    store = await open_store(url=running.url)
    assert isinstance(store, RedisStore)
    server = store._server
    book = RedisCampaigns(server)
    for name in ("a", "b"):
        await book.edit(name, lambda _, name=name: Campaign(name))
    await server.call("HSET", keys.CAMPAIGNS[0], "a", "{not")
    page = await book.page("", 2)
    assert [one.campaign for one in page.campaigns] == ["b"]
    assert page.cursor == "b"
    assert (await book.get(["a"])) == [None]
    assert next(change.campaign for change in (await book.changes(0))[1] or ()) is None
    with pytest.raises(OperatorError):
        await book.edit("a", lambda before: before or Campaign("a"))
    assert await book.delete("a"), "deleting it mends it"
    await book.edit("a", lambda before: before or Campaign("a"))
    assert (await book.get(["a"]))[0] is not None
    await store.close()
