"""What every book of campaigns promises, checked in memory and against real servers."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest

from domain.campaigns import Aim, Budget, Campaign, Creative, LineItem, Media, Objective
from domain.errors import BadField
from domain.targeting import Targeting
from feature_store import keys
from feature_store.campaigns import (
    CHANGES_KEPT,
    CampaignBook,
    CampaignChange,
    MemoryCampaigns,
    all_campaigns,
    campaign_from_json,
    campaign_to_json,
)
from feature_store.redis.campaigns import RedisCampaigns
from feature_store.redis.store import RedisStore
from feature_store.store import StoreSettings
from tests.feature_store.conftest import Backend
from tests.feature_store.servers import RunningServer

FULL = Campaign(
    "full",
    "EUR",
    Budget(5, 9, 3),
    Objective(Aim.cpa, 7),
    creatives=(Creative("v", Media.video, duration_ms=5, apis=(1, 2), domains=("a.example",)),),
    lines=(LineItem("l", 3, targeting=Targeting(geos=("DEU",), hours=(1, 2)), deals=("d",)),),
)


@pytest.fixture(params=["memory", "valkey", "redis", "cluster"])
async def book(
    request: pytest.FixtureRequest, servers: Callable[[str], RunningServer]
) -> AsyncIterator[CampaignBook]:
    if request.param == "memory":
        yield MemoryCampaigns()
        return
    server = servers(request.param)
    server.empty()
    store = await Backend(request.param, server.url).open(StoreSettings())
    assert isinstance(store, RedisStore)
    yield RedisCampaigns(store._server)
    await store.close()


async def put(book: CampaignBook, name: str, title: str = "") -> Campaign:
    return await book.edit(name, lambda _: Campaign(name, title=title))


async def test_a_campaign_comes_back_as_it_was_put(book: CampaignBook) -> None:
    made = await book.edit("full", lambda before: replace(FULL, active=before is None))
    assert made == replace(FULL, version=1)
    assert await book.get(["full", "none"]) == [made, None]
    assert await book.get([]) == []


async def test_versions_grow_beyond_a_deletion(book: CampaignBook) -> None:
    first = await put(book, "a")
    second = await put(book, "a")
    assert await book.delete("a")
    assert not await book.delete("a")
    third = await put(book, "a")
    assert first.version < second.version < third.version
    assert await book.version() == third.version


async def test_changes_are_told_in_order_and_deletions_too(book: CampaignBook) -> None:
    assert await book.changes(0) == (0, [])
    a = await put(book, "a")
    b = await put(book, "b")
    await book.delete("a")
    assert await book.changes(0) == (
        3, [CampaignChange(1, "a", None), CampaignChange(2, "b", b), CampaignChange(3, "a", None)],
    )  # fmt: skip
    assert await book.changes(2) == (3, [CampaignChange(3, "a", None)])
    assert await book.changes(3) == (3, [])
    assert (await book.changes(99))[1] is None, "a store that was emptied is read anew"
    assert a.version == 1


async def test_who_missed_too_much_reads_everything_again(book: CampaignBook) -> None:
    for number in range(CHANGES_KEPT // 512 + 2):
        await put(book, "a", str(number))
    if isinstance(book, MemoryCampaigns):
        book._changes = book._changes[-3:]
    else:
        assert isinstance(book, RedisCampaigns)
        await book._server.call("XTRIM", keys.CAMPAIGNS[3], "MAXLEN", 3)
    version = await book.version()
    assert (await book.changes(version - 4))[1] is None
    assert len((await book.changes(version - 3))[1] or ()) == 3


async def test_what_an_edit_raises_passes_and_nothing_is_written(book: CampaignBook) -> None:
    def refuse(_: Campaign | None) -> Campaign:
        raise BadField("no", field="budget")

    with pytest.raises(BadField):
        await book.edit("a", refuse)
    assert await book.get(["a"]) == [None]
    assert await book.version() == 0


async def test_no_change_is_lost_between_writers(book: CampaignBook) -> None:
    await put(book, "a", "0")
    other = book if isinstance(book, MemoryCampaigns) else RedisCampaigns(_server(book))

    def add(before: Campaign | None) -> Campaign:
        assert before is not None
        return replace(before, title=str(int(before.title) + 1))

    made = await asyncio.gather(
        *[writer.edit("a", add) for _ in range(10) for writer in (book, other)]
    )
    (found,) = await book.get(["a"])
    assert found is not None
    assert found.title == "20"
    assert len({one.version for one in made}) == 20


def _server(book: CampaignBook):
    assert isinstance(book, RedisCampaigns)
    return book._server


async def test_pages_are_in_byte_order_and_end(book: CampaignBook) -> None:
    for name in ("b", "B", "a", "~", "a.1"):
        await put(book, name)
    first = await book.page("", 2)
    assert [one.campaign for one in first.campaigns] == ["B", "a"]
    second = await book.page(first.cursor, 2)
    assert [one.campaign for one in second.campaigns] == ["a.1", "b"]
    last = await book.page(second.cursor, 2)
    assert ([one.campaign for one in last.campaigns], last.cursor) == (["~"], "")
    assert [one.campaign for one in await all_campaigns(book, 2)] == ["B", "a", "a.1", "b", "~"]


def test_text_of_another_release_is_refused_or_read_with_defaults() -> None:
    assert campaign_from_json(campaign_to_json(FULL)) == FULL
    assert campaign_from_json(b'{"campaign":"a","new_field":1}') == Campaign("a")
    for text in (b"", b"[]", b'{"campaign":3}', b"\xff", b'{"campaign":"a","pacing":"odd"}'):
        with pytest.raises(ValueError, match="campaign"):
            campaign_from_json(text)
