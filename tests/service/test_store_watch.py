"""The watch tells up from down, and recovers by itself."""

import asyncio

from service.metrics import Metrics
from service.store_watch import StoreWatch
from tests.service.serving import SwitchedStore, until


async def test_up_down_and_up_again() -> None:
    store, metrics = SwitchedStore(), Metrics()
    watch = StoreWatch(store, metrics, poll_s=0.01)
    await watch.start()
    try:
        assert watch.up
        for switch in ("down", "broken"):
            setattr(store, switch, True)
            await until(lambda: not watch.up)
            assert "sanderling_store_up 0.0" in metrics.exposition().decode()
            setattr(store, switch, False)
            await until(lambda: watch.up)
            assert "sanderling_store_up 1.0" in metrics.exposition().decode()
    finally:
        await watch.stop()


class SilentStore(SwitchedStore):
    async def ping(self) -> None:
        await asyncio.Event().wait()


async def test_silence_is_down() -> None:
    watch = StoreWatch(SilentStore(), Metrics(), timeout_s=0.01)
    await watch.look()
    assert not watch.up


async def test_stopping_before_starting_is_no_fault() -> None:
    await StoreWatch(SwitchedStore(), Metrics()).stop()
