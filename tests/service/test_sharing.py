"""One shared value: taught once, whatever gets lost, whoever else writes."""

import json

import pytest

from domain.clock import FixedClock
from domain.errors import StoreUnavailable
from feature_store.memory import MemoryStore
from service.sharing import TRIES, Shared, Worked
from tests.service.serving import NOW


class Adder:
    """A worker that adds numbers to a shared list."""

    def __init__(self, store: MemoryStore, clock: FixedClock) -> None:
        self.shared: Shared[list[int], list[int]] = Shared(store, "sum", clock, 30_000)
        self.worked = 0

    def work(self, held: bytes | None) -> Worked[list[int]]:
        self.worked += 1
        known = json.loads(held) if held else {"said": [], "last": {}}
        if (
            self.shared.pending is None
            or known["last"].get(self.shared.worker) == self.shared.number
        ):
            return Worked(known["said"], None)
        known["said"] += self.shared.pending
        known["last"][self.shared.worker] = self.shared.number
        return Worked(known["said"], json.dumps(known).encode())

    async def add(self, *numbers: int) -> list[int] | None:
        if numbers:
            self.shared.give(list(numbers))
        return await self.shared.exchange(self.work)


async def test_all_hear_what_each_said_once() -> None:
    store, clock = MemoryStore(), FixedClock(NOW)
    one, two = Adder(store, clock), Adder(store, clock)
    assert await one.add(1, 2) == [1, 2]
    assert await two.add(3) == [1, 2, 3]
    assert await one.add() == [1, 2, 3]
    assert await one.add() is None, "nothing is new"
    assert one.worked == 2


async def test_what_fades_is_worked_out_anew_after_a_while() -> None:
    clock = FixedClock(NOW)
    one = Adder(MemoryStore(), clock)
    await one.add(1)
    clock.now_ms += 29_999
    assert await one.add() is None
    clock.now_ms += 1
    assert await one.add() == [1]


async def test_an_answer_that_was_lost_counts_once() -> None:
    class Cut(MemoryStore):
        cut = True

        async def edit_blob(self, name, edit):
            made = await super().edit_blob(name, edit)
            if self.cut:
                self.cut = False
                raise StoreUnavailable("lost")
            return made

    one = Adder(Cut(), FixedClock(NOW))
    with pytest.raises(StoreUnavailable):
        await one.add(5)
    assert one.shared.pending == [5]
    assert await one.add() == [5]
    assert one.shared.pending is None


async def test_whoever_is_overtaken_again_and_again_keeps_its_lessons() -> None:
    class Busy(MemoryStore):
        wrote = 0

        async def get_blob(self, name):
            held = await super().get_blob(name)
            if self.wrote < TRIES:
                self.wrote += 1
                value = {"said": [self.wrote], "last": {}}
                await super().put_blob(name, json.dumps(value).encode())
            return held

    one = Adder(Busy(), FixedClock(NOW))
    assert await one.add(9) is None
    assert one.shared.pending == [9]
    assert await one.add() == [TRIES, 9]
