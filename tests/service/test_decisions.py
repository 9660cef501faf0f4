"""The log of answers: written in batches, bounded, never lost to a store that comes back."""

import asyncio

import pytest

from domain.decisions import Decision
from domain.errors import StoreUnavailable
from feature_store.memory import MemoryStore
from service.decisions import BATCH, DecisionLog
from service.metrics import Metrics


def decision(number: int) -> Decision:
    return Decision(f"d{number}", number, "recommend", "", "", number, (), (), ())


class Store(MemoryStore):
    """A store that can be down, or unable to write one kind of decision."""

    def __init__(self) -> None:
        super().__init__()
        self.down = False
        self.batches: list[int] = []

    async def log_decisions(self, decisions) -> None:
        if self.down:
            raise StoreUnavailable("out of reach")
        if any(one.variant == "unwritable" for one in decisions):
            raise ValueError("cannot be written")
        self.batches.append(len(decisions))
        await super().log_decisions(decisions)

    def logged(self) -> list[str]:
        entries = [entry for stream in self.decision_streams.values() for entry in stream]
        return sorted(
            (one.decision_id for entry in entries for one in entry.decisions),
            key=lambda text: int(text[1:]),
        )


def counted(metrics: Metrics, outcome: str) -> float:
    return metrics.decisions.labels(outcome)._value.get()


async def until(holds) -> None:
    for _ in range(100_000):
        if holds():
            return
        await asyncio.sleep(0)
    pytest.fail("it did not happen")


@pytest.fixture
def store() -> Store:
    return Store()


async def test_writes_soon_in_batches(store) -> None:
    metrics = Metrics()
    log = DecisionLog(store, metrics, every_s=0.0)
    await log.start()
    for number in range(2 * BATCH + 5):
        assert log.put(decision(number))
    await until(lambda: len(store.logged()) == 2 * BATCH + 5)
    assert store.batches == [BATCH, BATCH, 5]
    log.put(decision(999))
    await until(lambda: "d999" in store.logged())
    await log.stop()
    assert counted(metrics, "logged") == 2 * BATCH + 6


async def test_a_full_buffer_drops_and_counts(store) -> None:
    metrics = Metrics()
    log = DecisionLog(store, metrics, room=3)
    assert [log.put(decision(number)) for number in range(5)] == [True] * 3 + [False] * 2
    await log.stop()
    assert store.logged() == ["d0", "d1", "d2"]
    assert counted(metrics, "dropped") == 2


async def test_what_is_held_is_written_at_the_stop(store) -> None:
    log = DecisionLog(store, Metrics(), every_s=60.0)
    await log.start()
    log.put(decision(1))
    await asyncio.sleep(0)
    assert store.logged() == []
    await log.stop()
    assert store.logged() == ["d1"]


async def test_a_store_that_comes_back_gets_everything(store) -> None:
    tried = asyncio.Event()

    async def sleep(seconds: float) -> None:
        if store.down:
            tried.set()
        await asyncio.sleep(0)

    log = DecisionLog(store, Metrics(), sleep=sleep)
    store.down = True
    await log.start()
    for number in range(3):
        log.put(decision(number))
    await asyncio.wait_for(tried.wait(), 10)
    store.down = False
    await until(lambda: store.logged() == ["d0", "d1", "d2"])
    await log.stop()


async def test_a_store_that_stays_away_does_not_hold_up_the_stop(store) -> None:
    metrics = Metrics()
    log = DecisionLog(store, metrics)
    store.down = True
    await log.start()
    log.put(decision(1))
    await log.stop()
    assert counted(metrics, "dropped") == 1


async def test_one_that_cannot_be_written_does_not_hold_up_the_next(store) -> None:
    metrics = Metrics()
    log = DecisionLog(store, metrics, every_s=0.0)
    await log.start()
    log.put(decision(1)._replace(variant="unwritable"))
    await until(lambda: counted(metrics, "dropped") == 1)
    log.put(decision(2))
    await until(lambda: store.logged() == ["d2"])
    await log.stop()
