"""Live trends: what was published, kept when the store is silent or the value is broken."""

import numpy as np

from domain.errors import StoreUnavailable
from domain.events import Kind
from feature_store.memory import MemoryStore
from feature_store.trends import BLOB_NAME, NO_TRENDS, Tally, pack
from service.trends import LiveTrends
from tests.service.serving import until


class Blobs(MemoryStore):
    down = False

    async def get_blob(self, name: str) -> bytes | None:
        if self.down:
            raise StoreUnavailable("down")
        return await super().get_blob(name)


def published(item: str) -> bytes:
    tally = Tally()
    at, who = np.array([1_000], np.int64), np.array([7], np.uint64)
    tally.add([item], np.array([Kind.click], np.uint8), at, who)
    return pack(tally.snapshot())


async def test_it_follows_what_is_published() -> None:
    store = Blobs()
    trends = LiveTrends(store, poll_s=0.01)
    await trends.start()
    try:
        assert trends.current is NO_TRENDS
        await store.put_blob(BLOB_NAME, published("a"))
        await until(lambda: trends.current.items == ("a",))
    finally:
        await trends.stop()


async def test_the_last_good_one_stays() -> None:
    store = Blobs()
    trends = LiveTrends(store)
    await store.put_blob(BLOB_NAME, published("a"))
    await trends.look()
    kept = trends.current
    await trends.look()
    assert trends.current is kept
    store.down = True
    await trends.look()
    store.down = False
    await store.put_blob(BLOB_NAME, b"broken")
    await trends.look()
    assert trends.current is kept
    await store.put_blob(BLOB_NAME, published("b"))
    await trends.look()
    assert trends.current.items == ("b",)


async def test_stopping_before_starting_is_no_fault() -> None:
    await LiveTrends(Blobs()).stop()
