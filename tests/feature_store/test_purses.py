"""A worker's purses: money at hand, never more than was lent, back when it is done with."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.calendars import day_number, day_start
from domain.campaigns import Budget, Campaign, Flight, LineItem
from domain.clock import FixedClock
from domain.errors import StoreUnavailable
from feature_store.budgets import Ask, Claim, Grant, Ledger, Settled, Word
from feature_store.ledgers import MemoryBudgets
from feature_store.purses import Purses, Reserved, Terms
from tests.feature_store.lending import NOON
from tests.feature_store.spending import now

TODAY = day_number("UTC", NOON)
TERMS = Terms(usable=1_000, exp=4_000, grace=1_000, patience=100, warm=5_000)
CAMPAIGN = Campaign(
    "c1", budget=Budget(daily=1_000), max_bid=20_000, lines=(LineItem("l", 10_000),), version=1
)


class Slow(MemoryBudgets):
    """Budgets out of reach when told so, and that count the calls."""

    down = False
    calls = 0

    async def lease(self, asks: Sequence[Ask]) -> list[Grant]:
        if self.down:
            raise StoreUnavailable("out of reach")
        self.calls += 1
        return await super().lease(asks)


class Bank:
    """A clock that also counts what elapsed, and budgets that tell the time by it."""

    def __init__(self) -> None:
        self.clock = FixedClock(NOON)
        self.budgets = Slow(self.clock)

    def purses(self, off_ms: int = 0) -> Purses:
        """Open a worker whose wall clock is off by so much."""
        return Purses(
            self.budgets, TERMS, lambda: self.clock() + off_ms, lambda: float(self.clock() - NOON)
        )

    def ledger(self, day: int = TODAY) -> Ledger:
        return now(self.budgets.ledgers([("c1", day)]))[0]

    def tell(self, word: Word, bid: str, got: Reserved, reserved: int, cost: int = 0) -> Settled:
        claim = Claim(word, "c1", bid, got.lease, got.day, reserved, cost, got.until_ms)
        return now(self.budgets.settle([claim]))[0]


@pytest.fixture
def bank() -> Bank:
    return Bank()


@pytest.fixture
def purses(bank: Bank) -> Purses:
    made = bank.purses()
    made.put([CAMPAIGN])
    now(made.turn())
    return made


def test_the_first_bid_finds_money(bank: Bank, purses: Purses) -> None:
    got = purses.reserve("c1", 20)
    assert got == Reserved(1, TODAY, NOON + 5_000)
    assert bank.tell(Word.bill, "b", got, 20, 20) == Settled.taken


def test_an_unknown_campaign_has_no_money(purses: Purses) -> None:
    assert purses.reserve("c2", 1) is None
    assert not purses.funded("c2")
    assert purses.ledger("c2") == Ledger()


def test_no_more_is_reserved_than_was_lent(purses: Purses) -> None:
    lent = purses.by_name["c1"].left
    assert purses.reserve("c1", lent + 1) is None
    assert purses.reserve("c1", -1) is None
    assert purses.reserve("c1", lent) is not None
    assert purses.reserve("c1", 1) is None


def test_a_bid_that_goes_without_asks_for_more_and_hurries(bank: Bank, purses: Purses) -> None:
    hurried: list[int] = []
    purses.hungry = lambda: hurried.append(1)
    assert purses.reserve("c1", 200) is None
    assert hurried
    now(purses.turn())
    assert purses.reserve("c1", 200) is not None


def test_few_and_dear_bids_find_money_again_and_again(bank: Bank) -> None:
    """Of out of home, one bid may be for many impressions, and the next comes a lease later."""
    purses = bank.purses()
    purses.put([CAMPAIGN])
    now(purses.turn())
    assert purses.reserve("c1", 100) is None, "nobody knew that bids would be so dear"
    now(purses.turn())
    found = 0
    for _ in range(8):
        found += purses.reserve("c1", 100) is not None
        for _ in range(13):
            bank.clock.advance(100)
            now(purses.turn())
    assert found == 8


def test_a_bid_beyond_all_money_does_not_starve_the_others(bank: Bank, purses: Purses) -> None:
    calls = bank.budgets.calls
    served = 0
    for _ in range(100):
        assert purses.reserve("c1", 5_000) is None, "more than a day's budget"
        now(purses.turn())
        served += purses.reserve("c1", 5) is not None
        now(purses.turn())
        bank.clock.advance(10)
    assert served == 100
    # Asked for now and then, in case there is more by now, not at every request.
    assert bank.budgets.calls - calls < 40


def test_a_dear_bid_is_served_once_there_is_room_for_it(bank: Bank, purses: Purses) -> None:
    got = purses.reserve("c1", 20)
    assert got is not None
    assert purses.reserve("c1", 935) is None
    now(purses.turn())
    assert purses.reserve("c1", 935) is None
    # The other bid is lost, so that what it had set aside is free again.
    assert bank.tell(Word.loss, "b", got, 20) == Settled.taken
    bank.clock.advance(TERMS.patience)
    assert purses.reserve("c1", 935) is None
    now(purses.turn())
    assert purses.reserve("c1", 935) is not None


def test_what_was_not_reserved_goes_back(bank: Bank, purses: Purses) -> None:
    purses.reserve("c1", 20)
    now(purses.give_back())
    assert bank.ledger().lent == 20
    assert purses.reserve("c1", 1) is None


def test_a_lease_ends_by_itself_and_the_next_is_there_before(bank: Bank, purses: Purses) -> None:
    for _ in range(40):
        assert purses.reserve("c1", 1) is not None
        bank.clock.advance(100)
        now(purses.turn())
    now(purses.turn())
    assert bank.ledger().lent <= 40 + purses.by_name["c1"].granted
    bank.clock.advance(1_000)
    assert purses.reserve("c1", 1) is None, "nobody turned: what is over is over"


def test_a_campaign_nobody_bids_for_keeps_no_money(bank: Bank, purses: Purses) -> None:
    for _ in range(80):
        bank.clock.advance(100)
        now(purses.turn())
    calls = bank.budgets.calls
    assert bank.ledger().lent == 0
    now(purses.turn())
    assert bank.budgets.calls == calls, "nothing to do asks nothing"


def test_when_the_money_is_gone_the_store_is_left_alone_for_a_while(bank: Bank) -> None:
    purses = bank.purses()
    purses.put([replace(CAMPAIGN, budget=Budget(daily=5))])
    now(purses.turn())
    assert not purses.funded("c1")
    calls = bank.budgets.calls
    for _ in range(9):
        assert purses.reserve("c1", 20) is None
        bank.clock.advance(10)
        now(purses.turn())
    assert bank.budgets.calls == calls
    bank.clock.advance(20)
    now(purses.turn())
    assert bank.budgets.calls == calls + 1


def test_a_store_out_of_reach_loses_nothing(bank: Bank, purses: Purses) -> None:
    purses.reserve("c1", 20)
    bank.clock.advance(1_000)
    bank.budgets.down = True
    with pytest.raises(StoreUnavailable):
        now(purses.turn())
    now(purses.give_back())
    bank.budgets.down = False
    now(purses.turn())
    assert bank.ledger().lent == 20


def test_a_bid_that_was_never_sent_gives_its_money_back(bank: Bank, purses: Purses) -> None:
    before = purses.by_name["c1"].left
    got = purses.reserve("c1", 20)
    assert got is not None
    purses.unreserve("c1", got, 20)
    purses.unreserve("c1", got._replace(lease=99), 20)
    purses.unreserve("c9", got, 20)
    assert purses.by_name["c1"].left == before


def test_a_lowered_budget_takes_the_lease_back_at_once(bank: Bank, purses: Purses) -> None:
    purses.reserve("c1", 20)
    purses.put([replace(CAMPAIGN, budget=Budget(daily=30), version=2)])
    assert purses.reserve("c1", 1) is None
    now(purses.turn())
    ledger = bank.ledger()
    assert ledger.lent <= 30
    assert purses.reserve("c1", 10) is None, "20 of 30 are promised, the least is 10, halved 5"


def test_a_paused_an_ended_and_a_deleted_campaign_have_no_money(bank: Bank) -> None:
    for gone in (
        replace(CAMPAIGN, active=False), replace(CAMPAIGN, flight=Flight(0, NOON)), None,
    ):  # fmt: skip
        purses = bank.purses()
        purses.put([CAMPAIGN])
        now(purses.turn())
        assert purses.funded("c1")
        purses.put([gone] if gone else [])
        assert purses.reserve("c1", 1) is None
        now(purses.turn())
        assert bank.ledger().lent == 0
        purses.put([CAMPAIGN])
        now(purses.turn())
        assert purses.reserve("c1", 1) is not None
        now(purses.give_back())
        assert bank.ledger().lent <= 1
        bank.clock.advance(10_000)
        now(bank.purses().turn())


async def test_a_lease_that_comes_when_the_campaign_has_left_goes_back() -> None:
    bank = Bank()
    gate = asyncio.Event()

    class Gated(Slow):
        async def lease(self, asks: Sequence[Ask]) -> list[Grant]:
            grants = await super().lease(asks)
            await gate.wait()
            return grants

    bank.budgets = Gated(bank.clock)
    for after in ([], [replace(CAMPAIGN, version=2)]):
        gate.clear()
        purses = bank.purses()
        purses.put([CAMPAIGN])
        turning = asyncio.create_task(purses.turn())
        await asyncio.sleep(0)
        purses.put(after)
        gate.set()
        await turning
        purses.put([])
        await purses.turn()
        assert bank.ledger().lent == 0


def test_a_tripped_breaker_stills_the_campaign_until_it_lets_go(bank: Bank) -> None:
    purses = bank.purses()
    purses.put([replace(CAMPAIGN, budget=Budget(daily=1_000, per_minute=10))])
    now(purses.turn())
    got = purses.reserve("c1", 20)
    assert got is not None
    bank.tell(Word.bill, "b", got, 20, 20)
    now(purses.look())
    assert purses.ledger("c1").spent == 20
    assert purses.reserve("c1", 1) is None
    assert not purses.funded("c1")
    bank.clock.advance(300_000)
    now(purses.look())
    assert purses.reserve("c1", 1) is None
    now(purses.turn())
    assert purses.reserve("c1", 1) is not None


def test_at_midnight_a_purse_has_the_new_day_s_money(bank: Bank) -> None:
    bank.clock.now_ms = day_start("UTC", TODAY + 1) - 50
    purses = bank.purses()
    purses.put([CAMPAIGN])
    now(purses.turn())
    old = purses.reserve("c1", 10)
    assert old is not None
    assert old.day == TODAY
    bank.clock.advance(50)
    assert purses.reserve("c1", 10) is None
    now(purses.turn())
    new = purses.reserve("c1", 10)
    assert new is not None
    assert new.day == TODAY + 1
    now(purses.look())
    assert purses.ledger("c1").lent_today > 0


def test_nothing_to_look_at_asks_nothing(bank: Bank) -> None:
    now(bank.purses().look())


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 2_000), st.sampled_from([0, 3_600_000, -3_600_000]))
def test_workers_that_die_and_clocks_that_are_off_never_overspend(
    seed: int, daily: int, off_ms: int
) -> None:
    random, bank = Random(seed), Bank()
    campaign = replace(CAMPAIGN, budget=Budget(daily=daily))

    def hired(place: int) -> Purses:
        made = bank.purses(off_ms if place else 0)
        made.put([campaign])
        return made

    workers = [hired(place) for place in range(3)]
    bids: list[tuple[str, Reserved, int]] = []
    accepted: set[str] = set()
    spent = 0
    for step in range(300):
        place = random.randrange(3)
        choice = random.random()
        if choice < 0.5:
            amount = random.randint(1, 25)
            got = workers[place].reserve("c1", amount)
            if got is not None:
                bids.append((f"b{step}", got, amount))
        elif choice < 0.7:
            now(workers[place].turn())
        elif choice < 0.73:
            workers[place] = hired(place)
        elif choice < 0.8:
            bank.clock.advance(random.randint(1, 400))
        elif bids:
            name, got, amount = random.choice(bids)
            word = Word.loss if random.random() < 0.2 else Word.bill
            cost = random.randint(0, amount) if word == Word.bill else 0
            answer = bank.tell(word, name, got, amount, cost)
            if word == Word.bill and answer == Settled.taken:
                assert name not in accepted
                accepted.add(name)
                spent += cost
            assert answer not in (Settled.overdrawn,)
            if answer == Settled.closed:
                assert any(got.lease == other[1].lease for other in bids)
        ledger = bank.ledger()
        assert ledger.spent == spent
        assert ledger.spent + ledger.lent <= daily
    bank.clock.advance(20_000)
    now(bank.budgets.lease([Ask("c1", workers[0].by_name["c1"].limits, [], 0, 1, 1, 1)]))
    assert bank.ledger().lent == 0
