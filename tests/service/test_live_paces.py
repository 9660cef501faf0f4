"""Live paces: one controller for many workers, over a real server, and whatever happens to it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from domain.calendars import days_around
from domain.campaigns import Aim, Budget, Campaign, LineItem, Objective
from domain.clock import DAY_MS, HOUR_MS, FixedClock, system_clock
from domain.errors import StoreUnavailable
from feature_store.budgets import Ask, Claim, Day, Settled, Word
from feature_store.memory import MemoryStore
from feature_store.opening import open_store
from feature_store.purses import limits_of
from feature_store.settings import Home
from feature_store.store import Store, StoreSettings
from service.live_paces import BLOB, LivePaces
from service.metrics import Metrics
from service.shared_paces import Book, multipliers, read_book

NOON = 20_000 * DAY_MS + DAY_MS // 2
CAMPAIGN = Campaign(
    "c", budget=Budget(daily=86_400_000), max_bid=5_000_000, version=1,
    lines=(LineItem("l", 1_000_000),),
)  # fmt: skip


class Market:
    """A store with an account that spends, and workers that share a time told to them."""

    def __init__(self, store: Store, clock: FixedClock) -> None:
        self.store, self.clock = store, clock
        self.campaign = CAMPAIGN
        self.campaigns = {"c": CAMPAIGN}
        self.seconds = 100.0
        self.count = 0

    def worker(self, ahead_ms: int = 0) -> LivePaces:
        return LivePaces(
            self.store,
            lambda: self.clock() + ahead_ms,
            lambda: self.campaigns,
            Metrics(),
            elapsed=lambda: self.seconds,
        )

    async def spend(self, amount: int) -> None:
        """Bill so much, in bills of 1,000."""
        name = self.campaign.campaign
        days = [Day(*day) for day in days_around(self.campaign.zone, self.clock())]
        (grant,) = await self.store.budgets.lease(
            [Ask(name, limits_of(self.campaign), days, amount, amount, 10_000, 360_000)]
        )
        claims = [
            Claim(Word.bill, name, f"b{self.count + n}", grant.lease, grant.day, 1_000, 1_000,
                  grant.close_ms)
            for n in range(amount // 1_000)
        ]  # fmt: skip
        self.count += len(claims)
        assert set(await self.store.budgets.settle(claims)) <= {Settled.taken}

    async def foretell(self, bills: int) -> None:
        """Say that each bill was to bring .1 of a click, and .01 of a conversion."""
        await self.store.budgets.count(
            "c", foretold_clicks=100_000 * bills, foretold_conversions=10_000 * bills
        )

    def pass_time(self, seconds: float = 5.0) -> None:
        self.seconds += seconds
        self.clock.advance(int(seconds * 1_000))

    async def book(self) -> Book:
        return read_book(await self.store.get_blob(BLOB)).book


@pytest.fixture
def market() -> Market:
    clock = FixedClock(NOON)
    return Market(MemoryStore(clock=clock), clock)


@pytest.fixture
async def real(tmp_path: Path) -> AsyncIterator[Store]:
    store = await open_store(StoreSettings(), Home(tmp_path))
    yield store
    await store.close()


def guarded(worker: LivePaces) -> float:
    found = worker._metrics.registry.get_sample_value(
        "sanderling_bid_guards_total", {"guard": "pace", "cause": "state"}
    )
    return found or 0.0


async def test_unknown_campaigns_bid_what_they_are_worth(market: Market) -> None:
    worker = market.worker()
    assert worker.multiplier("c") == 1.0
    await worker.look()
    assert worker.multiplier("c") == 1.0
    assert worker.multiplier("nobody") == 1.0


async def test_it_falls_while_overspending_and_rises_when_nothing_is_sold(market: Market) -> None:
    worker = market.worker()
    await worker.look()
    path = [1.0]
    for _ in range(40):
        await market.spend(20_000)
        market.pass_time()
        await worker.look()
        path.append(worker.multiplier("c"))
    assert path[-1] < 0.5
    assert all(after <= before for before, after in pairwise(path))
    for _ in range(80):
        market.pass_time()
        await worker.look()
    assert worker.multiplier("c") > 2 * path[-1]


async def test_only_one_of_two_workers_steps_and_both_have_what_came_of_it(
    market: Market,
) -> None:
    one, two = market.worker(), market.worker()
    await asyncio.gather(one.look(), two.look())
    for _ in range(20):
        await market.spend(20_000)
        market.pass_time()
        await asyncio.gather(one.look(), two.look())
    assert (await market.book()).sequence == 21
    assert one.multiplier("c") == two.multiplier("c") < 0.7


async def test_many_workers_over_a_real_server_are_one_controller(real: Store) -> None:
    """Four workers, one of them new halfway, come to what one alone comes to."""

    async def run(name: str, count: int) -> tuple[list[float], int]:
        market = Market(real, FixedClock(system_clock()))
        hour = 12 - market.clock() // HOUR_MS % 24
        # Where it is about noon: no day ends while this runs.
        zone = f"Etc/GMT{-hour:+d}" if hour else "UTC"
        market.campaign = replace(CAMPAIGN, campaign=name, zone=zone)
        market.campaigns = {name: market.campaign}
        before = (await market.book()).sequence
        workers = [market.worker() for _ in range(count)]
        for turn in range(30):
            await market.spend(20_000)
            if turn == 15:
                workers[-1] = market.worker()
            await asyncio.gather(*(worker.look() for worker in workers))
            market.pass_time()
        for worker in (*workers, *workers):
            await worker.look()
        steps = (await market.book()).sequence - before
        return [worker.multiplier(name) for worker in workers], steps

    (alone,), steps = await run("c1", 1)
    # Where in the hour it is moves this by some hundredths: the day's rest is longer or shorter.
    assert alone < 0.8
    together, again = await run("c4", 4)
    assert len(set(together)) == 1
    assert together[0] == pytest.approx(alone, rel=0.05)
    assert abs(again - steps) <= 2, "steps come by the clock, not by the worker"


async def test_a_new_worker_begins_where_the_others_are(market: Market) -> None:
    worker = market.worker()
    for _ in range(20):
        await market.spend(20_000)
        await worker.look()
        market.pass_time()
    new = market.worker()
    await new.look()
    assert new.multiplier("c") == worker.multiplier("c") < 0.8


async def test_a_garbled_state_starts_anew_and_is_counted(market: Market) -> None:
    worker = market.worker()
    for _ in range(20):
        await market.spend(20_000)
        await worker.look()
        market.pass_time()
    await market.store.put_blob(BLOB, b"\xc1 not ours")
    await worker.look()
    assert worker.multiplier("c") == 1.0
    assert guarded(worker) == 1
    market.pass_time()
    await worker.look()
    assert (await market.book()).sequence == 1
    assert guarded(worker) == 1


async def test_a_store_that_is_out_of_reach_leaves_the_last_paces(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = market.worker()
    for _ in range(20):
        await market.spend(20_000)
        await worker.look()
        market.pass_time()
    low = worker.multiplier("c")

    async def silent(_: str) -> bytes | None:
        raise StoreUnavailable("out of reach")

    with monkeypatch.context() as patched:
        patched.setattr(market.store, "get_blob", silent)
        for _ in range(5):
            market.pass_time()
            await worker.look()
        assert worker.multiplier("c") == low
    market.pass_time()
    await worker.look()
    assert worker.multiplier("c") != low


@pytest.mark.parametrize("ahead", [DAY_MS, -DAY_MS])
async def test_a_worker_whose_clock_is_a_day_off_moves_nothing_far(
    market: Market, ahead: int
) -> None:
    """It steps when it is its turn: its stretch cannot be judged, and the next begins anew."""
    right, wrong = market.worker(), market.worker(ahead)
    for step in range(40):
        await market.spend(6_000)
        await (wrong if step % 7 == 3 else right).look()
        market.pass_time()
    assert 0.4 < right.multiplier("c") <= 1.0
    await wrong.look()
    assert wrong.multiplier("c") == pytest.approx(right.multiplier("c"), rel=0.2)


async def test_campaigns_that_are_gone_are_not_stepped(market: Market) -> None:
    worker = market.worker()
    await worker.look()
    market.campaigns = {}
    market.pass_time()
    await worker.look()
    assert (await market.book()).sequence == 1


async def test_a_target_of_cost_is_paced_by_what_was_foretold(market: Market) -> None:
    """Each bill of 1,000 is to bring .01 of a conversion; 50,000 is what one may cost."""
    market.campaigns = {"c": replace(CAMPAIGN, objective=Objective(Aim.cpa, 50_000))}
    worker = market.worker()
    for _ in range(40):
        await market.spend(6_000)
        await market.foretell(6)
        await worker.look()
        market.pass_time()
    assert worker.multiplier("c") < 0.7
    cheap = market.worker()
    market.campaigns = {"c": replace(CAMPAIGN, objective=Objective(Aim.cpa, 200_000))}
    for _ in range(40):
        await market.spend(4_000)
        await market.foretell(4)
        await cheap.look()
        market.pass_time()
    assert cheap.multiplier("c") > 1.0


async def test_it_polls_by_itself(market: Market) -> None:
    worker = market.worker()
    await worker.start()
    assert multipliers(await market.book()) == {"c": 1.0}
    await worker.stop()
