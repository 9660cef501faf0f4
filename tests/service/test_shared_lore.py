"""The lore that workers share: every lesson counts once, whoever writes, dies or is cut off."""

import asyncio
import math
from dataclasses import replace
from typing import Any

import pytest

from domain.campaigns import Flight, LineItem
from domain.clock import FixedClock
from domain.errors import StoreUnavailable
from feature_store.memory import MemoryStore
from feature_store.store import EditBlob, StoreSettings
from models.bandits.evidence import COUNT
from models.bidding.lore import Lore
from models.bidding.lore_format import pack_lore, read_lore
from models.bidding.market import prior_landscape
from models.bidding.tidings import Lessons, Tried
from service.bundles import Loaded
from service.learning_settings import LearningSettings
from service.shared_lore import NAME, STALE_MS, USUAL, SharedLore
from service.sharing import TRIES
from tests.feature_store.conftest import Backend, backend, servers
from tests.service.campaigning import CAMPAIGN
from tests.service.learning import MEMO
from tests.service.serving import NOW

__all__ = ["backend", "servers"]


def one(store: Any, clock: FixedClock | None = None, **campaigns: Any) -> SharedLore:
    held = campaigns or {"c1": CAMPAIGN}
    return SharedLore(store, clock or FixedClock(NOW), lambda: held, LearningSettings())


def lessons(count: int = 1, reward: float = 0.5) -> Lessons:
    return Lessons(tried=[Tried("north", "c1", 2, MEMO.features, reward)] * count)


async def outcomes(store: Any) -> float:
    """Answer how many outcomes the shared lore holds."""
    held = await store.get_blob(NAME)
    return float(read_lore(held).multipliers.evidence.tallies[:, COUNT].sum()) if held else 0.0


async def teach(shared: SharedLore, count: int = 1) -> None:
    shared.give(lessons(count))
    assert await shared.exchange(None) is not None
    assert shared.pending is None


@pytest.mark.parametrize("backend", ["memory", "valkey", "cluster"], indirect=True)
async def test_what_one_learns_all_know(backend: Backend) -> None:
    stores = [await backend.open(StoreSettings(buckets=8)) for _ in range(3)]
    first, second, third = [one(store) for store in stores]
    await teach(first, 3)
    await teach(second, 4)
    for shared in (first, second, third):
        await shared.exchange(None)
        assert shared.learned.multipliers["north", "c1"].outcomes == 7
    for store in stores:
        await store.close()


@pytest.mark.parametrize("backend", ["memory", "valkey"], indirect=True)
async def test_many_at_once_lose_nothing(backend: Backend) -> None:
    stores = [await backend.open(StoreSettings(buckets=8)) for _ in range(6)]
    workers = [one(store) for store in stores]

    async def work(shared: SharedLore) -> None:
        for _ in range(5):
            shared.give(lessons(2))
            for _ in range(40):
                await shared.exchange(None)
                if shared.pending is None:
                    break
            assert shared.pending is None

    await asyncio.gather(*[work(shared) for shared in workers])
    assert await outcomes(stores[0]) == 60
    for store in stores:
        await store.close()


class Cut(MemoryStore):
    """Which fails before a write, or after it: then the writer cannot know."""

    before = after = 0

    async def edit_blob(self, name: str, edit: EditBlob) -> bytes:
        if self.before:
            self.before -= 1
            raise StoreUnavailable("cut off")
        value = await super().edit_blob(name, edit)
        if self.after:
            self.after -= 1
            raise StoreUnavailable("cut off")
        return value


@pytest.mark.parametrize(("before", "after"), [(1, 0), (0, 1), (2, 1)])
async def test_a_write_whose_answer_is_lost_counts_once(before: int, after: int) -> None:
    store = Cut()
    shared = one(store)
    store.before, store.after = before, after
    shared.give(lessons(3))
    for _ in range(before + after):
        with pytest.raises(StoreUnavailable):
            await shared.exchange(None)
        assert shared.pending is not None
    await shared.exchange(None)
    assert shared.pending is None
    assert await outcomes(store) == 3
    await teach(shared, 2)
    assert await outcomes(store) == 5


async def test_a_worker_that_comes_anew_counts_from_its_own_beginning() -> None:
    store = MemoryStore()
    for _ in range(3):
        await teach(one(store))
    assert await outcomes(store) == 3
    held = await store.get_blob(NAME)
    assert held is not None
    assert len(read_lore(held).workers) == 3


class Busy(MemoryStore):
    """Whose lore somebody else always changes just before a write."""

    busy = True

    async def edit_blob(self, name: str, edit: EditBlob) -> bytes:
        if self.busy:
            held = await self.get_blob(name)
            other = Lore(at=NOW) if held is None else read_lore(held)
            number = other.number_of("other") + 1
            await self.put_blob(name, pack_lore(other.signed("other", number, NOW)))
        return await super().edit_blob(name, edit)


async def test_who_is_always_too_late_keeps_his_lessons_for_the_next_turn() -> None:
    store = Busy()
    shared = one(store)
    shared.give(lessons(2))
    assert await shared.exchange(None) is None
    assert shared.pending is not None
    held = await store.get_blob(NAME)
    assert held is not None
    assert read_lore(held).number_of("other") == TRIES
    store.busy = False
    assert await shared.exchange(None) is not None
    assert await outcomes(store) == 2


@pytest.mark.parametrize("junk", [b"", b"junk", b"SBL1" + bytes(500), pack_lore(Lore())[:-1]])
async def test_lore_that_cannot_be_read_starts_anew(junk: bytes) -> None:
    store = MemoryStore()
    await store.put_blob(NAME, junk)
    shared = one(store)
    shared.give(lessons(2))
    heard = await shared.exchange(None)
    assert heard is not None
    assert heard.corrupt
    assert await outcomes(store) == 2
    again = await one(store).exchange(None)
    assert again is not None
    assert not again.corrupt


async def test_nothing_new_is_nothing_to_do_until_it_has_faded() -> None:
    store, clock = MemoryStore(), FixedClock(NOW)
    shared = one(store, clock)
    await teach(shared)
    held = await store.get_blob(NAME)
    assert await shared.exchange(None) is None
    clock.advance(STALE_MS)
    heard = await shared.exchange(None)
    assert heard is not None
    assert await store.get_blob(NAME) == held, "what only fades is not written"
    assert shared.learned.multipliers["north", "c1"].outcomes < 1


async def test_the_prior_lies_about_the_typical_standard_bid_for_all_alike() -> None:
    store = MemoryStore()
    lines = tuple(LineItem(f"l{n}", bid) for n, bid in enumerate((5, 3_000_000, 4_000_000)))
    dear = replace(CAMPAIGN, lines=lines)
    over = replace(CAMPAIGN, flight=Flight(0, NOW), lines=(LineItem("l", 1),))
    odd = replace(CAMPAIGN, currency="XYZ", lines=(LineItem("l", 2),))
    nobody: dict[str, Any] = {}
    first = SharedLore(store, FixedClock(NOW), lambda: nobody, LearningSettings())
    await first.exchange(None)
    assert first.learned.landscape.weights[0] == USUAL
    assert await store.get_blob(NAME) is None
    second = one(store, c1=dear, c2=over, c3=odd)
    await second.exchange(None)
    assert second.learned.landscape.weights[0] == pytest.approx(math.log(3e6))
    third = one(store)
    for shared in (first, third):
        await shared.exchange(None)
        assert shared.learned.landscape.weights[0] == pytest.approx(math.log(3e6))


class _Scorer:
    def __init__(self, location: float) -> None:
        self.landscape = prior_landscape(location, 8)
        self.delay = 1_000.0


def loaded(version: str, location: float, at: int) -> Loaded:
    bundle: Any = None
    return Loaded("bidding", version, _Scorer(location), bundle, at)


async def test_a_released_landscape_is_what_is_started_from() -> None:
    store = MemoryStore()
    shared = one(store)
    await teach(shared)
    heard = await shared.exchange(loaded("v1", 12.0, NOW))
    assert heard is not None
    assert heard.learned.landscape.weights[0] == 12.0
    assert heard.learned.landscape.buckets == 8
    assert shared.learned.multipliers["north", "c1"].outcomes == 1, "arms are kept"
    again = loaded("v2", 13.0, NOW + 5)
    assert await shared.exchange(again) is not None
    assert shared.learned.landscape.weights[0] == 13.0
    assert await shared.exchange(again) is None
    back = await shared.exchange(None)
    assert back is not None
    assert shared.learned.landscape.weights[0] == pytest.approx(math.log(1e6))
