"""Scores on their way: bounded, the later one wins, nothing lost while the store is away."""

import asyncio
from collections.abc import Mapping

import pytest

from domain.errors import StoreUnavailable
from domain.scores import Score
from feature_store.memory import MemoryStore
from service.metrics import Metrics
from service.score_cache import BATCH, ScoreCache
from tests.service.serving import until


def score(as_of: int, probability: float = 0.5) -> Score:
    return Score(probability, 1.0, as_of)


class Counting(MemoryStore):
    """Counts calls; `away` refuses them, `harm` fails them for good."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[int] = []
        self.away = self.harm = False

    async def put_scores(self, scores: Mapping[str, Mapping[str, Score]]) -> int:
        self.calls.append(len(scores))
        if self.away:
            raise StoreUnavailable("away")
        if self.harm:
            raise RuntimeError("user-4711 must not show")
        return await super().put_scores(scores)


async def held(store: MemoryStore, entity: str) -> dict[str, Score]:
    return dict((await store.read([entity])).states[0].scores)


def counted(metrics: Metrics, outcome: str) -> float:
    return metrics.registry.get_sample_value("sanderling_scores_total", {"outcome": outcome}) or 0


async def test_scores_are_written_together_a_moment_later() -> None:
    store, metrics = Counting(), Metrics()
    cache = ScoreCache(store, metrics, every_s=0.01)
    await cache.start()
    for n in range(50):
        assert cache.put(f"u{n % 10}", "churn", score(n))
        assert cache.put(f"u{n % 10}", "intent", score(n))
    assert store.calls == []
    await until(lambda: counted(metrics, "cached") == 20)
    assert store.calls == [10]
    assert await held(store, "u3") == {"churn": score(43), "intent": score(43)}
    await cache.stop()


async def test_of_those_that_wait_the_later_stays() -> None:
    store = Counting()
    cache = ScoreCache(store, Metrics())
    for as_of in (5, 7, 6):
        cache.put("uada", "churn", score(as_of))
    cache.put("uada", "churn", score(7, 0.9))
    await cache.stop()
    assert await held(store, "uada") == {"churn": score(7, 0.9)}


async def test_a_full_buffer_drops_the_newest_and_says_so() -> None:
    store, metrics = Counting(), Metrics()
    cache = ScoreCache(store, metrics, room=2)
    assert [cache.put(f"u{n}", "churn", score(1)) for n in range(3)] == [True, True, False]
    # One who waits already takes no more room.
    assert cache.put("u0", "churn", score(2))
    assert counted(metrics, "dropped") == 1
    await cache.stop()
    assert await held(store, "u0") == {"churn": score(2)}
    assert await held(store, "u2") == {}


async def test_many_go_in_batches() -> None:
    store = Counting()
    cache = ScoreCache(store, Metrics())
    for n in range(2 * BATCH + 1):
        cache.put(f"u{n}", "churn", score(n))
    await cache.stop()
    assert store.calls == [BATCH, BATCH, 1]


async def test_what_could_not_be_sent_waits_and_newer_ones_win(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("service.score_cache.RETRY_S", 0.01)
    store, metrics = Counting(), Metrics()
    store.away = True
    cache = ScoreCache(store, metrics, every_s=0.001)
    await cache.start()
    cache.put("uada", "churn", score(5))
    cache.put("ubob", "churn", score(5))
    await until(lambda: len(store.calls) > 1)
    cache.put("uada", "churn", score(6))
    store.away = False
    await until(lambda: counted(metrics, "cached") == 2)
    assert await held(store, "uada") == {"churn": score(6)}
    assert await held(store, "ubob") == {"churn": score(5)}
    await cache.stop()


async def test_one_that_cannot_be_written_holds_up_no_other(caplog) -> None:
    store, metrics = Counting(), Metrics()
    store.harm = True
    cache = ScoreCache(store, metrics, every_s=0.001)
    await cache.start()
    cache.put("uada", "churn", score(5))
    await until(lambda: counted(metrics, "dropped") == 1)
    store.harm = False
    cache.put("uada", "churn", score(6))
    await until(lambda: counted(metrics, "cached") == 1)
    await cache.stop()
    assert "4711" not in caplog.text


async def test_at_the_stop_a_store_that_is_away_is_not_waited_for() -> None:
    store, metrics = Counting(), Metrics()
    store.away = True
    cache = ScoreCache(store, metrics)
    await cache.start()
    cache.put("uada", "churn", score(5))
    async with asyncio.timeout(10):
        await cache.stop()
    assert counted(metrics, "dropped") == 1
