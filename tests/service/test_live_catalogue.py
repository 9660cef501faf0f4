"""The catalogue in step with the store: changes, reloads, new models, a store that is away."""

import asyncio
from pathlib import Path

import numpy as np
import pytest

from domain.clock import FixedClock
from domain.errors import StoreUnavailable
from domain.items import Item
from feature_store.memory import MemoryStore
from feature_store.trends import Trends
from models.recommend.desk import Desk
from service import live_catalogue
from service.bundles import Bundles
from service.live_catalogue import LiveCatalogue
from service.metrics import Metrics
from service.trends import LiveTrends
from tests.golden.shop import ITEMS, LEARNED, NOW, Loaded, shop_model


class Store(MemoryStore):
    """Counts what is asked of it; can be down, and can forget its feed of changes."""

    def __init__(self) -> None:
        super().__init__()
        self.down = self.forgetful = False
        self.asked = 0

    async def item_changes(self, since_version):
        await asyncio.sleep(0)
        self.asked += 1
        if self.down:
            raise StoreUnavailable("out of reach")
        version, changes = await super().item_changes(since_version)
        return version, None if self.forgetful else changes

    async def page_items(self, cursor, limit):
        await asyncio.sleep(0)
        return await super().page_items(cursor, min(limit, 4))

    @property
    def version(self) -> int:
        return self._items_version


class Released(Bundles):
    """A release that a test sets by hand."""

    loaded: Loaded | None = None

    def current(self, family: str):
        return self.loaded


@pytest.fixture
def parts(tmp_path: Path):
    store, metrics = Store(), Metrics()
    bundles = Released(tmp_path, metrics, FixedClock(NOW))
    trends = LiveTrends(store)
    return store, bundles, trends, LiveCatalogue(store, metrics, bundles, trends)


def live_names(live: LiveCatalogue) -> set[str]:
    catalogue = live.desk.catalogue
    return {catalogue.ids[row] for row in np.flatnonzero(catalogue.live(NOW))}


async def another_desk(live: LiveCatalogue, old: Desk) -> None:
    for _ in range(100_000):
        if live.desk is not old:
            return
        await asyncio.sleep(0)
    pytest.fail("the desk was not changed")


SHOWN = {item.item for item in ITEMS if item.is_live(NOW)}


async def test_loads_all_there_is_and_follows_changes(parts) -> None:
    store, _, _, live = parts
    await store.put_items(ITEMS)
    await live.start()
    assert live_names(live) == SHOWN
    assert live.in_step(store.version)
    await store.put_items([Item("fresh", created_at=NOW)])
    await store.delete_items(["tea"])
    assert not live.in_step(store.version)
    await live.catch_up(store.version)
    assert live_names(live) == SHOWN - {"tea"} | {"fresh"}
    assert live.in_step(store.version)
    await live.stop()


async def test_all_who_wait_share_one_fetch(parts) -> None:
    store, _, _, live = parts
    await live.start()
    await store.put_items(ITEMS)
    before = store.asked
    await asyncio.gather(*(live.catch_up(store.version) for _ in range(50)))
    assert store.asked == before + 1
    assert live_names(live) == SHOWN


async def test_one_who_gives_up_does_not_stop_the_others(parts) -> None:
    store, _, _, live = parts
    await live.start()
    await store.put_items(ITEMS)
    hasty = asyncio.create_task(live.catch_up(store.version))
    patient = asyncio.create_task(live.catch_up(store.version))
    await asyncio.sleep(0)
    hasty.cancel()
    await asyncio.wait_for(patient, 10)
    assert live_names(live) == SHOWN


async def test_a_feed_that_no_longer_holds_the_changes_is_a_reload(parts) -> None:
    store, _, _, live = parts
    await store.put_items(ITEMS)
    await live.start()
    await store.delete_items(["tea", "milk"])
    await store.put_items([Item("fresh")])
    store.forgetful = True
    await live.catch_up(store.version)
    assert live_names(live) == SHOWN - {"tea", "milk"} | {"fresh"}


async def churn(store: Store) -> None:
    """Change so much that the feed forgets all there was before."""
    for start in range(0, 9_000, 1_000):
        await store.put_items([Item(f"x{n}", hidden=True) for n in range(start, start + 1_000)])
    assert (await store.item_changes(0))[1] is None


async def test_what_was_deleted_long_ago_is_not_brought_back_by_a_model(parts) -> None:
    store, bundles, trends, live = parts
    bundles.loaded = Loaded(shop_model())
    await store.put_items([*ITEMS, Item("candle"), Item("scarf")])
    await store.delete_items(["candle", "tea", "scarf"])
    await churn(store)
    await live.start()
    assert live_names(live) == SHOWN - {"tea"}
    # Seen in the log it does not come back either, nor by a return to an earlier model.
    trends.current = Trends(NOW, ("candle", "scarf"), np.ones((2, 2)), np.ones(2), {})
    old, bundles.loaded = live.desk, Loaded(shop_model())
    live.in_step(store.version)
    await another_desk(live, old)
    assert live_names(live) == SHOWN - {"tea"}
    await store.put_items([Item("candle")])
    await live.catch_up(store.version)
    assert live_names(live) == SHOWN - {"tea"} | {"candle"}
    await live.stop()


async def test_one_who_lags_hears_of_what_came_and_went_meanwhile(parts) -> None:
    store, bundles, _, live = parts
    bundles.loaded = Loaded(shop_model())
    await store.put_items(ITEMS)
    await live.start()
    assert "candle" in live_names(live)
    await store.put_items([Item("candle")])
    await store.delete_items(["candle", "tea"])
    await churn(store)
    await live.catch_up(store.version)
    assert live_names(live) == SHOWN - {"tea"}
    await live.stop()


async def test_a_store_that_was_emptied_empties_the_catalogue(parts) -> None:
    store, _, _, live = parts
    await store.put_items(ITEMS)
    await store.put_items(ITEMS[:1])
    await live.start()
    store.__init__()
    await store.put_items(ITEMS[:2])
    await live.catch_up(store.version)
    assert live_names(live) == {item.item for item in ITEMS[:2]}


async def test_starts_without_the_store_and_heals(parts) -> None:
    store, bundles, _, live = parts
    bundles.loaded = Loaded(shop_model())
    store.down = True
    await live.start()
    assert live.behind
    assert live_names(live) == set(LEARNED)
    with pytest.raises(StoreUnavailable):
        await live.catch_up(1)
    store.down = False
    await store.put_items(ITEMS)
    await live.catch_up(store.version)
    assert live_names(live) == SHOWN | {"candle"}
    assert not live.behind


async def test_a_new_model_is_numbered_beside_the_desk_in_use(parts) -> None:
    store, bundles, _, live = parts
    await store.put_items(ITEMS)
    await store.put_items([Item("gone"), Item("butter")])
    await store.delete_items(["gone", "butter"])
    await live.start()
    old = live.desk
    bundles.loaded = Loaded(shop_model())
    assert live.in_step(store.version)
    assert live.desk is old
    await store.delete_items(["jam"])
    await store.put_items([Item("fresh")])
    await asyncio.gather(live.catch_up(store.version), asyncio.sleep(0))
    await another_desk(live, old)
    assert live.desk.name == "recommend/shop"
    assert live.desk.catalogue.ids[: len(LEARNED)] == list(LEARNED)
    assert live_names(live) == SHOWN - {"butter", "jam"} | {"candle", "fresh"}
    assert live.in_step(store.version)
    await live.stop()


async def test_changes_that_come_while_a_model_is_numbered_are_kept(parts) -> None:
    store, bundles, _, live = parts
    await store.put_items([Item(f"i{number}") for number in range(2_000)])
    await live.start()
    old = live.desk
    bundles.loaded = Loaded(shop_model())
    live.in_step(store.version)
    await asyncio.sleep(0)
    await store.put_items([Item("i1999", hidden=True), Item("late")])
    await store.delete_items(["i0"])
    await live.catch_up(store.version)
    assert live.desk is old
    await another_desk(live, old)
    shown = live_names(live)
    assert {"i0", "i1999"}.isdisjoint(shown)
    assert {"late", "i1", "candle"} <= shown


async def test_trends_are_shown_on_every_desk(parts) -> None:
    store, bundles, trends, live = parts
    await live.start()
    trends.current = Trends(NOW, ("tea",), np.ones((2, 1)), np.ones(1), {})
    live.in_step(store.version)
    assert live.desk.trending is not None
    old = live.desk
    bundles.loaded = Loaded(shop_model())
    live.in_step(store.version)
    await another_desk(live, old)
    assert live.desk.trending is not None
    assert live.desk.trending[live.desk.catalogue.index("tea")] == 1


async def test_a_model_that_cannot_be_numbered_leaves_the_desk(parts, capfd) -> None:
    store, bundles, _, live = parts
    await live.start()
    old = live.desk
    bundles.loaded = Loaded(None)  # type: ignore[arg-type]
    live.in_step(store.version)
    for _ in range(5):
        await asyncio.sleep(0)
    assert live.desk is old
    assert live.in_step(store.version)
    await live.stop()


async def test_a_new_desk_is_warm_before_it_is_seated(parts, monkeypatch) -> None:
    _, bundles, _, live = parts
    await live.start()
    old, warmed = live.desk, []
    monkeypatch.setattr(live_catalogue, "_warm", lambda desk: warmed.append((desk, live.desk)))
    bundles.loaded = Loaded(shop_model())
    live.in_step(0)
    await another_desk(live, old)
    assert warmed == [(live.desk, old)]
