"""What every implementation of budgets promises, checked against each of them."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from domain.clock import DAY_MS, FixedClock
from feature_store.budgets import (
    BREAKER_MS,
    Budgets,
    Grant,
    Ledger,
    Limits,
    Refusal,
    Settled,
    Word,
)
from feature_store.ledgers import MemoryBudgets
from feature_store.redis.budgets import RedisBudgets
from feature_store.redis.store import RedisStore
from feature_store.store import StoreSettings
from tests.feature_store.conftest import Backend
from tests.feature_store.lending import HOLD, NOON, TODAY, USABLE, ask, claim, days
from tests.feature_store.servers import RunningServer

BILL, WIN, LOSS = Word.bill, Word.win, Word.loss
TAKEN, DUPLICATE = Settled.taken, Settled.duplicate


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOON)


@pytest.fixture(params=["memory", "valkey", "redis", "cluster"])
async def budgets(
    request: pytest.FixtureRequest, servers: Callable[[str], RunningServer], clock: FixedClock
) -> AsyncIterator[Budgets]:
    if request.param == "memory":
        yield MemoryBudgets(clock)
        return
    server = servers(request.param)
    server.empty()
    store = await Backend(request.param, server.url).open(StoreSettings())
    assert isinstance(store, RedisStore)
    yield RedisBudgets(store._server, clock)
    await store.close()


async def lend(budgets: Budgets, want: int, now_ms: int = NOON, **fields: object) -> Grant:
    return (await budgets.lease([ask(want, now_ms, **fields)]))[0]


async def told(budgets: Budgets, grant: Grant, bid: str, word: Word, *amounts: int) -> Settled:
    return (await budgets.settle([claim(grant, bid, word, *amounts)]))[0]


async def books(budgets: Budgets, day: int = TODAY) -> Ledger:
    return (await budgets.ledgers([("c1", day)]))[0]


async def test_an_unknown_campaign_has_nothing(budgets: Budgets) -> None:
    assert await books(budgets) == Ledger()


async def test_a_lease_says_how_much_and_until_when(budgets: Budgets) -> None:
    grant = await lend(budgets, 300)
    assert grant == Grant(1, 300, NOON, NOON + USABLE, NOON + USABLE + HOLD, TODAY)
    assert await books(budgets) == Ledger(lent=300, lent_today=300)


async def test_a_bill_is_spent_and_the_rest_of_what_it_reserved_is_free(budgets: Budgets) -> None:
    grant = await lend(budgets, 300)
    assert await told(budgets, grant, "b1", BILL, 100, 60) == TAKEN
    assert await books(budgets) == Ledger(60, 200, 60, 200, bills=1)


async def test_ten_replays_of_a_bill_are_one_spend(budgets: Budgets) -> None:
    grant = await lend(budgets, 300)
    bill = claim(grant, "b1", BILL, 100, 60)
    told_ten_times = await asyncio.gather(*[budgets.settle([bill]) for _ in range(10)])
    assert sorted(answer[0] for answer in told_ten_times) == [DUPLICATE] * 9 + [TAKEN]
    assert (await budgets.settle([bill] * 3)) == [DUPLICATE] * 3
    assert (await books(budgets)).spent == 60


async def test_a_win_is_a_signal_and_no_spend(budgets: Budgets) -> None:
    grant = await lend(budgets, 300)
    assert await told(budgets, grant, "b1", WIN, 100) == TAKEN
    assert await told(budgets, grant, "b1", WIN, 100) == DUPLICATE
    assert await books(budgets) == Ledger(lent=300, lent_today=300, wins=1)


async def test_a_bill_may_come_before_its_win(budgets: Budgets) -> None:
    grant = await lend(budgets, 300)
    assert await told(budgets, grant, "b1", BILL, 100, 100) == TAKEN
    assert await told(budgets, grant, "b1", WIN, 100) == TAKEN
    assert await books(budgets) == Ledger(100, 200, 100, 200, wins=1, bills=1)


async def test_a_loss_frees_what_was_reserved_once(budgets: Budgets) -> None:
    grant = await lend(budgets, 300)
    assert await told(budgets, grant, "b1", LOSS, 100) == TAKEN
    assert await told(budgets, grant, "b1", LOSS, 100) == DUPLICATE
    assert await books(budgets) == Ledger(lent=200, lent_today=200, losses=1)


async def test_a_loss_of_what_was_billed_changes_nothing(budgets: Budgets) -> None:
    grant = await lend(budgets, 300)
    await told(budgets, grant, "b1", BILL, 100, 100)
    before = await books(budgets)
    assert await told(budgets, grant, "b1", LOSS, 100) == Settled.contradiction
    assert await books(budgets) == before


async def test_a_bill_of_what_was_lost_is_paid_from_what_is_free(budgets: Budgets) -> None:
    limits = Limits(1, total=100)
    grant = await lend(budgets, 100, limits=limits, least=100)
    await told(budgets, grant, "b1", LOSS, 100)
    assert await told(budgets, grant, "b1", BILL, 100, 70) == TAKEN
    assert await told(budgets, grant, "b1", BILL, 100, 70) == DUPLICATE
    assert (await books(budgets)).spent == 70


async def test_a_bill_of_what_was_lost_is_refused_when_the_money_went_elsewhere(
    budgets: Budgets,
) -> None:
    limits = Limits(1, total=100)
    grant = await lend(budgets, 100, limits=limits, least=100)
    await told(budgets, grant, "b1", LOSS, 100)
    other = await lend(budgets, 100, limits=limits, least=100)
    assert other.amount == 100
    assert await told(budgets, grant, "b1", BILL, 100, 70) == Settled.no_room
    assert await told(budgets, other, "b2", BILL, 100, 100) == TAKEN
    assert (await books(budgets)).spent == 100


@pytest.mark.parametrize(("daily", "total"), [(100, None), (None, 100), (100, 400), (400, 100)])
async def test_no_more_is_lent_than_the_tightest_bound(
    budgets: Budgets, daily: int | None, total: int | None
) -> None:
    limits = Limits(1, daily=daily, total=total)
    lent = [(await lend(budgets, 90, limits=limits, least=10)).amount for _ in range(12)]
    assert sum(lent) <= 100
    assert sum(lent) > 90, "all but less than the least finds its way out"
    assert lent[0] == 50, "towards the end the money is shared out in halves"
    refused = await lend(budgets, 90, limits=limits, least=10)
    assert (refused.amount, refused.refusal) == (0, Refusal.spent)


async def test_without_any_bound_nothing_is_lent(budgets: Budgets) -> None:
    assert (await lend(budgets, 5, limits=Limits(1))).refusal == Refusal.spent


async def test_what_is_done_with_is_free_again_once(budgets: Budgets) -> None:
    grant = await lend(budgets, 300)
    await told(budgets, grant, "b1", BILL, 100, 80)
    done = [(grant.lease, 150)]
    await lend(budgets, 0, done=done)
    assert (await books(budgets)).lent == 50, "of 150 reserved a bid of 100 was billed"
    await lend(budgets, 0, done=done)
    assert (await books(budgets)).lent == 50, "a retry gives nothing back twice"
    assert await told(budgets, grant, "b2", BILL, 50, 50) == TAKEN
    assert await books(budgets) == Ledger(130, 0, 130, 0, bills=2)
    assert await told(budgets, grant, "b2", BILL, 50, 50) == DUPLICATE
    assert await told(budgets, grant, "b3", BILL, 50, 50) == Settled.closed


async def test_a_dead_worker_s_lease_is_free_when_its_last_bid_has_expired(
    budgets: Budgets, clock: FixedClock
) -> None:
    grant = await lend(budgets, 100, limits=Limits(1, total=100), least=100)
    clock.now_ms = grant.close_ms - 1
    assert not (await lend(budgets, 100, clock.now_ms, limits=Limits(1, total=100))).amount
    assert await told(budgets, grant, "b1", BILL, 40, 40) == TAKEN
    clock.now_ms = grant.close_ms
    again = await lend(budgets, 60, clock.now_ms, limits=Limits(1, total=100), least=60)
    assert again.amount == 60
    assert await told(budgets, grant, "b2", BILL, 40, 40) == Settled.late


async def test_a_bill_after_the_bid_has_expired_is_refused(
    budgets: Budgets, clock: FixedClock
) -> None:
    grant = await lend(budgets, 100)
    bill = claim(grant, "b1", BILL, 10, 10, until_ms=NOON + 5)
    clock.now_ms = NOON + 5
    assert await budgets.settle([bill]) == [Settled.late]
    assert (await books(budgets)).spent == 0


async def test_an_unknown_lease_and_one_that_is_overdrawn_are_refused(budgets: Budgets) -> None:
    grant = await lend(budgets, 100)
    wrong = [
        claim(grant, "b1", BILL, 10, 10, lease=grant.lease + 1),
        claim(grant, "b2", BILL, 101, 10),
        claim(grant, "b3", BILL, 10, 11),
        claim(grant, "b4", BILL, 10, -1),
        claim(grant, "b5", BILL, 10, 10, day=TODAY + 1),
        claim(grant, "b6", BILL, 10, 10, campaign="c2"),
    ]
    closed, overdrawn = Settled.closed, Settled.overdrawn
    expected = [closed, overdrawn, overdrawn, overdrawn, overdrawn, closed]
    assert await budgets.settle(wrong) == expected
    assert await books(budgets) == Ledger(lent=100, lent_today=100)


async def test_a_new_day_has_its_own_money_and_old_bids_are_paid_by_their_day(
    budgets: Budgets, clock: FixedClock
) -> None:
    limits = Limits(1, daily=100)
    clock.now_ms = midnight = (TODAY + 1) * DAY_MS - 1
    old = await lend(budgets, 100, midnight, limits=limits, least=100)
    assert old.stop_ms == (TODAY + 1) * DAY_MS, "no bid of today in tomorrow's time"
    clock.advance(1)
    new = await lend(budgets, 100, clock.now_ms, limits=limits, least=100)
    assert (new.amount, new.day) == (100, TODAY + 1)
    assert await told(budgets, old, "b1", BILL, 100, 90) == TAKEN
    assert await told(budgets, new, "b2", BILL, 100, 80) == TAKEN
    assert (await books(budgets, TODAY)).spent_today == 90
    assert (await books(budgets, TODAY + 1)).spent_today == 80
    assert (await books(budgets)).spent == 170


async def test_days_long_gone_are_forgotten_and_the_total_is_not(
    budgets: Budgets, clock: FixedClock
) -> None:
    for _ in range(12):
        grant = await lend(budgets, 5, clock.now_ms)
        await told(budgets, grant, f"b{clock.now_ms}", BILL, 5, 5)
        clock.advance(DAY_MS)
    assert (await books(budgets)).spent == 60


async def test_a_worker_whose_clock_is_days_off_gets_nothing(budgets: Budgets) -> None:
    grant = (await budgets.lease([ask(5)._replace(days=days(NOON + 9 * DAY_MS))]))[0]
    assert (grant.amount, grant.refusal) == (0, Refusal.clock)
    hours_off = (await budgets.lease([ask(5)._replace(days=days(NOON + DAY_MS * 2 // 3))]))[0]
    assert (hours_off.amount, hours_off.day) == (5, TODAY)


async def test_the_newest_version_of_the_limits_counts_whoever_asks(budgets: Budgets) -> None:
    first = await lend(budgets, 400, limits=Limits(1, total=1_000), least=400)
    assert first.amount == 400
    lowered = await lend(budgets, 400, limits=Limits(2, total=500), least=100)
    assert lowered.amount == 100
    stale = await lend(budgets, 400, limits=Limits(1, total=1_000), least=1)
    assert stale.amount == 0, "a worker that has not heard of the change cannot lend against it"
    assert await told(budgets, first, "b1", BILL, 400, 400) == TAKEN
    assert (await books(budgets)).spent <= 500


async def test_the_breaker_trips_on_a_minute_s_spending_and_lets_go(
    budgets: Budgets, clock: FixedClock
) -> None:
    limits = Limits(1, total=10_000, per_minute=100)
    grant = await lend(budgets, 900, limits=limits)
    assert await told(budgets, grant, "b1", BILL, 100, 100) == TAKEN
    assert (await books(budgets)).tripped_until == 0
    assert await told(budgets, grant, "b2", BILL, 1, 1) == TAKEN, "what is owed is paid"
    tripped = (await books(budgets)).tripped_until
    assert tripped == NOON + BREAKER_MS
    assert (await lend(budgets, 5, limits=limits)).refusal == Refusal.tripped
    clock.now_ms = tripped
    assert (await lend(budgets, 5, tripped, limits=limits)).amount == 5


async def test_the_breaker_sees_across_the_turn_of_a_minute(
    budgets: Budgets, clock: FixedClock
) -> None:
    limits = Limits(1, total=10_000, per_minute=100)
    clock.now_ms = NOON + 59_000
    grant = await lend(budgets, 900, clock.now_ms, limits=limits)
    await told(budgets, grant, "b1", BILL, 90, 90)
    clock.now_ms = NOON + 60_000 + 6_000
    await told(budgets, grant, "b2", BILL, 18, 18)
    assert (await books(budgets)).tripped_until == 0, "90 a tenth of a minute ago weigh 81"
    await told(budgets, grant, "b3", BILL, 2, 2)
    assert (await books(budgets)).tripped_until == clock.now_ms + BREAKER_MS


async def test_what_came_of_it_is_counted(budgets: Budgets) -> None:
    await budgets.count("c1", clicks=2)
    await budgets.count("c1", clicks=1, conversions=1, value=5_000_000)
    found = await books(budgets)
    assert (found.clicks, found.conversions, found.value) == (3, 1, 5_000_000)
    await budgets.count("c1")
    assert await books(budgets) == found
    await budgets.count("c1", foretold_clicks=250_000, foretold_conversions=10_000)
    await budgets.count("c1", foretold_clicks=50_000)
    assert await books(budgets) == found._replace(
        foretold_clicks=300_000, foretold_conversions=10_000
    )


async def test_campaigns_do_not_touch_each_other(budgets: Budgets) -> None:
    grants = await budgets.lease([ask(10), ask(20, campaign="c2"), ask(30)])
    assert [grant.amount for grant in grants] == [10, 20, 30]
    lent = [found.lent for found in await budgets.ledgers([("c1", TODAY), ("c2", TODAY)])]
    assert lent == [40, 20]


async def test_amounts_are_exact_to_a_thousand_million_units(budgets: Budgets) -> None:
    most = 1_000_000_000_000_000
    limits = Limits(1, total=most)
    grant = await lend(budgets, most, limits=limits, least=most - 1)
    assert grant.amount == most - 1
    assert await told(budgets, grant, "b1", BILL, most - 1, most - 3) == TAKEN
    assert (await books(budgets))[:2] == (most - 3, 0)


async def test_under_a_mark_it_is_counted_once(budgets: Budgets, clock: FixedClock) -> None:
    until = NOON + 1_000
    assert await budgets.count_once("c1", "cb1", until, clicks=1)
    assert not await budgets.count_once("c1", "cb1", until, clicks=1)
    assert await budgets.count_once("c1", "kb1", until, conversions=1)
    assert await budgets.count_once("c1", "vb1", until, value=5_000_000)
    assert not await budgets.count_once("c1", "vb1", until, value=7)
    found = await books(budgets)
    assert (found.clicks, found.conversions, found.value) == (1, 1, 5_000_000)
    assert (found.wins, found.bills, found.losses) == (0, 0, 0)
    clock.now_ms = until
    assert not await budgets.count_once("c1", "cb1", until, clicks=1), "too late to be sure"
    assert (await books(budgets)).clicks == 1


async def test_marks_of_outcomes_are_not_those_of_notices(budgets: Budgets) -> None:
    grant = await lend(budgets, 100)
    assert await budgets.count_once("c1", "cb1", NOON + 1_000, clicks=1)
    assert await told(budgets, grant, "b1", BILL, 10, 10) == TAKEN
    assert await told(budgets, grant, "cb1", BILL, 10, 10) == TAKEN
    found = await books(budgets)
    assert (found.clicks, found.bills, found.spent) == (1, 2, 20)


async def test_of_many_at_once_one_counts(budgets: Budgets) -> None:
    calls = [budgets.count_once("c1", "cb1", NOON + 1_000, clicks=1) for _ in range(20)]
    assert sum(await asyncio.gather(*calls)) == 1
    assert (await books(budgets)).clicks == 1
