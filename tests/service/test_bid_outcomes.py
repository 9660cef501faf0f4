"""Clicks and purchases that quote a bid: counted once, turned to lessons, and all others left."""

import json
from typing import Any

import pytest

from domain.clock import FixedClock
from domain.errors import StoreUnavailable
from domain.events import Event, Kind
from feature_store.budgets import Ledger
from feature_store.memory import MemoryStore
from feature_store.shown import KEPT_MS, Shown
from models.bidding.memo import pack_memo
from models.bidding.tidings import Lessons
from service import waiting
from service.bid_outcomes import WAITS_MS, BidOutcomes
from service.learning_settings import LearningSettings
from service.metrics import Metrics
from tests.service.campaigning import CAMPAIGN
from tests.service.learning import MEMO
from tests.service.serving import NOW

SHOWN = Shown("b1", "c1", "cr", NOW - 1_000, pack_memo(MEMO))


class Desk:
    """Outcomes over a store in memory."""

    def __init__(self, store: MemoryStore | None = None) -> None:
        self.clock = FixedClock(NOW)
        self.store = store or MemoryStore(clock=self.clock)
        self.metrics = Metrics()
        self.campaigns = {"c1": CAMPAIGN}
        self.lessons = Lessons()
        self.outcomes = BidOutcomes(
            self.store, self.clock, self.metrics, lambda: self.campaigns, LearningSettings()
        )

    async def settle(self, *events: Event) -> None:
        self.outcomes.take(events)
        await self.outcomes.settle(self.lessons)

    async def ledger(self) -> Ledger:
        return (await self.store.budgets.ledgers([("c1", 0)]))[0]

    def counted(self, outcome: str) -> float:
        name = "sanderling_bid_outcomes_total"
        return self.metrics.registry.get_sample_value(name, {"outcome": outcome}) or 0.0


@pytest.fixture
async def desk() -> Desk:
    made = Desk()
    await made.store.shown.put([SHOWN])
    return made


def event(name: str, kind: Kind = Kind.click, bid: str = "b1", **fields: Any) -> Event:
    return Event(name, "uada", kind, NOW, decision_id=bid, **fields)


async def test_a_click_counts_once_however_often_it_is_told(desk: Desk) -> None:
    for number in range(3):
        await desk.settle(event("e1"), event(f"again-{number}"))
    assert (await desk.ledger()).clicks == 1
    (clicked,) = desk.lessons.clicks
    assert clicked == ("c1", "cr", MEMO.features, 0.0625, 0.125, 1_000)
    assert (desk.counted("click"), desk.counted("duplicate")) == (1, 5)


async def test_of_several_workers_one_counts(desk: Desk) -> None:
    other = Desk(desk.store)
    for one in (desk, other):
        await one.settle(event("e1"))
    assert (await desk.ledger()).clicks == 1
    assert len(desk.lessons.clicks) + len(other.lessons.clicks) == 1


async def test_a_first_purchase_is_a_conversion_and_every_value_counts_once(desk: Desk) -> None:
    bought = Kind.purchase
    await desk.settle(event("p1", bought, value=3_000_000), event("e1"))
    await desk.settle(event("p2", bought, value=2_000_000), event("p1", bought, value=3_000_000))
    ledger = await desk.ledger()
    assert (ledger.clicks, ledger.conversions, ledger.value) == (1, 1, 5_000_000)
    assert desk.lessons.bought == [("c1", 0.125)], "the click was known, though it came after"


async def test_a_purchase_without_a_click_is_counted_and_teaches_nothing(desk: Desk) -> None:
    await desk.settle(event("p1", Kind.purchase))
    assert ((await desk.ledger()).conversions, desk.lessons.bought) == (1, [])


@pytest.mark.parametrize(
    ("currency", "value", "counted"),
    [("", 5, 5), ("USD", 5, 5), ("EUR", 1_000_000, 1_117_200), ("XYZ", 5, 0), ("", -5, 0),
     ("", None, 0)],
)  # fmt: skip
async def test_values_are_in_the_campaign_s_currency(
    desk: Desk, currency: str, value: int | None, counted: int
) -> None:
    await desk.settle(event("p1", Kind.purchase, value=value, currency=currency))
    assert (await desk.ledger()).value == counted


async def test_a_campaign_that_is_gone_has_no_currency(desk: Desk) -> None:
    desk.campaigns = {"c2": CAMPAIGN}
    await desk.settle(event("p1", Kind.purchase, value=5))
    assert await desk.ledger() == Ledger(conversions=1)


@pytest.mark.parametrize(
    "other",
    [
        event("e1", bid=""),
        event("e1", Kind.impression),
        event("e1", Kind.refund),
        event("e1", Kind.add_to_cart),
        event("e1", bid="x" * 65),
    ],
)
async def test_other_events_are_not_even_kept(desk: Desk, other: Event) -> None:
    desk.outcomes.take([other])
    assert desk.outcomes.waiting == 0


async def test_where_nobody_advertises_nothing_is_looked_up(desk: Desk) -> None:
    desk.campaigns = {}
    desk.outcomes.take([event("e1")])
    assert desk.outcomes.waiting == 0


async def test_an_outcome_that_overtakes_its_bill_waits_for_it(desk: Desk) -> None:
    await desk.settle(event("e9", bid="b9"))
    assert (desk.outcomes.waiting, (await desk.ledger()).clicks) == (1, 0)
    await desk.store.shown.put([SHOWN._replace(bid="b9", at=NOW + 500)])
    desk.clock.advance(WAITS_MS[1] - 1)
    await desk.outcomes.settle(desk.lessons)
    assert desk.outcomes.waiting == 1
    desk.clock.advance(1)
    await desk.outcomes.settle(desk.lessons)
    assert (desk.outcomes.waiting, (await desk.ledger()).clicks) == (0, 1)
    assert desk.lessons.clicks[0].age == 0


async def test_an_id_of_no_bid_is_let_go_after_a_while(desk: Desk) -> None:
    await desk.settle(event("e9", bid="recommendation"))
    for wait in WAITS_MS[1:]:
        assert desk.outcomes.waiting == 1
        desk.clock.now_ms = NOW + wait
        await desk.outcomes.settle(desk.lessons)
    assert (desk.outcomes.waiting, desk.counted("unknown")) == (0, 1)
    assert len(desk.lessons) == 0


async def test_a_bid_without_a_memo_is_counted_alone(desk: Desk) -> None:
    await desk.store.shown.put([SHOWN._replace(about=b"")])
    await desk.settle(event("e1"), event("p1", Kind.purchase, value=7))
    assert await desk.ledger() == Ledger(clicks=1, conversions=1, value=7)
    assert len(desk.lessons) == 0


async def test_what_was_shown_too_long_ago_counts_nothing(desk: Desk) -> None:
    desk.clock.advance(KEPT_MS)
    await desk.settle(event("e1"))
    assert (await desk.ledger()).clicks == 0


class Failing(MemoryStore):
    """Whose budgets are out of reach after some counts."""

    def fail_after(self, count: int) -> None:
        whole, left = self.budgets.count_once, [count]

        async def counting(*args: Any, **fields: Any) -> bool:
            if not left[0]:
                raise StoreUnavailable("out of reach")
            left[0] -= 1
            return await whole(*args, **fields)

        self.budgets.count_once = counting


async def test_what_could_not_be_counted_waits_and_counts_once() -> None:
    store = Failing(clock=FixedClock(NOW))
    whole = store.budgets.count_once
    desk = Desk(store)
    await store.shown.put([SHOWN._replace(bid=f"b{n}") for n in range(5)])
    store.fail_after(2)
    with pytest.raises(StoreUnavailable):
        await desk.settle(*[event(f"e{n}", bid=f"b{n}") for n in range(5)])
    assert (desk.outcomes.waiting, len(desk.lessons.clicks)) == (3, 2)
    store.budgets.count_once = whole
    await desk.outcomes.settle(desk.lessons)
    assert ((await desk.ledger()).clicks, len(desk.lessons.clicks)) == (5, 5)


async def test_a_flood_is_bounded_and_counted(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "MOST_AT_ONCE", 300)
    most = waiting.MOST_WAITING
    desk.outcomes.take([event(f"e{n}", bid=f"x{n}") for n in range(most + 10)])
    assert desk.outcomes.waiting == most
    assert desk.counted("lost") == 10
    await desk.outcomes.settle(desk.lessons)
    assert desk.outcomes.waiting == most


def test_no_id_of_anybody_is_kept(desk: Desk) -> None:
    desk.outcomes.take([event("e1", session="s-77", properties=json.dumps({"who": "ada"}))])
    assert "ada" not in repr(desk.outcomes._lines._lines)
    assert "s-77" not in repr(desk.outcomes._lines._lines)
