"""Live parts on a clock, and shared values kept when the store is silent or they are broken."""

import asyncio

from domain.errors import StoreUnavailable
from service.polling import Poller, SharedValue
from tests.service.serving import SwitchedStore, until


class Counter(Poller):
    looks = 0

    async def look(self) -> None:
        self.looks += 1


def number(blob: bytes | None) -> int:
    return -1 if blob is None else int(blob)


async def test_it_looks_before_it_counts_as_started_and_until_it_is_stopped() -> None:
    part = Counter(0.001)
    await part.stop()
    await part.start()
    assert part.looks == 1
    await until(lambda: part.looks > 3)
    await part.stop()
    seen = part.looks
    await asyncio.sleep(0.01)
    assert part.looks == seen


async def test_a_value_is_read_when_it_changes_and_kept_when_it_cannot_be() -> None:
    store, read = SwitchedStore(), []

    def noted(blob: bytes | None) -> int:
        read.append(blob)
        return number(blob)

    value = SharedValue(store, "thing", noted, 0, 1.0)
    assert value.current == 0
    await value.look()
    assert (value.current, read) == (0, [])
    for blob in (b"7", b"7", b"x", b"x"):
        await store.put_blob("thing", blob)
        await value.look()
        assert value.current == 7
    # What cannot be read is tried again: a release that can may come.
    assert read == [b"7", b"x", b"x"]
    await store.put_blob("thing", b"8")
    await value.look()
    assert value.current == 8


async def test_a_silent_store_and_a_broken_one_leave_the_value() -> None:
    class Silent(SwitchedStore):
        error: Exception | None = None

        async def get_blob(self, name: str) -> bytes | None:
            if self.error is not None:
                raise self.error
            return await super().get_blob(name)

    store = Silent()
    await store.put_blob("thing", b"3")
    value = SharedValue(store, "thing", number, 0, 1.0)
    await value.look()
    for store.error in (StoreUnavailable("down"), RuntimeError("broken")):
        await value.look()
        assert value.current == 3
