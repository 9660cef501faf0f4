"""An outcome counts once, on an item of an answer that was remembered, within its window."""

import pytest

from domain.clock import FixedClock
from domain.errors import StoreUnavailable
from domain.events import Event, Kind
from domain.ids import hash64
from feature_store.chosen import Chosen
from feature_store.memory import MemoryStore
from models.recommend.contexts import WIDTH
from models.recommend.lessons import Lessons
from service.metrics import Metrics
from service.recommend_outcomes import WAITS_MS, RecommendOutcomes
from service.recommend_settings import RecommendSettings
from tests.service.serving import NOW

X = (1.0, *[0.0] * (WIDTH - 1))
ITEMS = ("a", "b", "c")
GIVEN = Chosen("d1", NOW, "home", 2, X, tuple(hash64(item) for item in ITEMS), (2,))


def event(item: str = "a", kind: Kind = Kind.click, decision: str = "d1", number: int = 1) -> Event:
    return Event(f"e{number}", "uU", kind, NOW, item, decision_id=decision)


class Desk:
    """Outcomes of one worker over a store."""

    def __init__(self, store: MemoryStore | None = None) -> None:
        self.clock = FixedClock(NOW)
        self.store = store or MemoryStore(clock=self.clock)
        self.metrics = Metrics()
        self.outcomes = RecommendOutcomes(self.store, self.clock, self.metrics, RecommendSettings())

    async def settle(self, *events: Event) -> list[tuple[float, int]]:
        lessons = Lessons()
        self.outcomes.take(events)
        await self.outcomes.settle(lessons)
        return [(one.reward, one.given.arm) for one in lessons.rewards]

    def count(self, outcome: str) -> float:
        name = "sanderling_recommend_rewards_total"
        return self.metrics.registry.get_sample_value(name, {"outcome": outcome}) or 0.0


async def kept(store: MemoryStore, window_ms: int = 7_200_000) -> None:
    await store.chosen.put([GIVEN], window_ms)


async def test_a_click_and_a_purchase_of_each_item_count_once() -> None:
    desk = Desk()
    await kept(desk.store)
    found = await desk.settle(event("a"), event("a"), event("b"), event("a", Kind.purchase))
    assert found == [(1.0, 2), (1.0, 2), (5.0, 2)]
    assert await desk.settle(event("a", number=9), event("b", Kind.purchase)) == [(5.0, 2)]
    assert desk.count("duplicate") == 2
    assert (desk.count("click"), desk.count("purchase")) == (2, 2)


async def test_two_workers_hear_the_same_and_count_it_once() -> None:
    one = Desk()
    two = Desk(one.store)
    await kept(one.store)
    rewards = await one.settle(event("a"), event("b")) + await two.settle(event("b"), event("a"))
    assert rewards == [(1.0, 2), (1.0, 2)]


async def test_what_is_no_outcome_of_an_answer_teaches_nothing() -> None:
    desk = Desk()
    await kept(desk.store)
    assert await desk.settle(event("z"), event("a", Kind.seen), event("a", decision="")) == []
    assert desk.count("other_item") == 1
    long, odd = event("a", decision="x" * 65), event("a", decision="}{\n*")
    assert await desk.settle(long, odd) == []
    assert desk.outcomes.waiting == 1, "the odd one may be on its way still"
    for wait in WAITS_MS[1:]:
        desk.clock.now_ms = NOW + wait
        assert await desk.settle() == []
    assert (desk.outcomes.waiting, desk.count("unknown")) == (0, 1)


async def test_what_was_explored_is_counted_and_teaches_no_mix() -> None:
    desk = Desk()
    await kept(desk.store)
    assert await desk.settle(event("c")) == []
    assert desk.count("explored_click") == 1


async def test_an_answer_that_reaches_the_store_later_is_found() -> None:
    desk = Desk()
    assert await desk.settle(event("a")) == []
    await kept(desk.store)
    assert await desk.settle() == []
    desk.clock.now_ms += WAITS_MS[1]
    assert await desk.settle() == [(1.0, 2)]


async def test_after_the_window_it_is_late() -> None:
    desk = Desk()
    await kept(desk.store, 10**9)
    desk.clock.now_ms += RecommendSettings().window_ms + 1
    assert await desk.settle(event("a")) == []
    assert desk.count("late") == 1


async def test_a_store_out_of_reach_loses_nothing() -> None:
    desk = Desk()
    await kept(desk.store)
    door = desk.store.chosen

    class Away:
        async def get(self, decisions: object) -> None:
            raise StoreUnavailable("out of reach")

    desk.store.chosen = Away()  # type: ignore[assignment]
    with pytest.raises(StoreUnavailable):
        await desk.settle(event("a"), event("b"))
    assert desk.outcomes.waiting == 2
    desk.store.chosen = door
    assert await desk.settle() == [(1.0, 2), (1.0, 2)]


async def test_it_is_told_and_forgotten() -> None:
    desk = Desk()
    desk.outcomes.take([event("a", Kind.seen)])
    assert not desk.outcomes.told
    desk.outcomes.take([event("a")])
    assert desk.outcomes.told
    desk.outcomes.forget()
    assert (desk.outcomes.waiting, desk.outcomes.told) == (0, False)
