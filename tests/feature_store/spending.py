"""A machine that lends, bids, bills, loses, dies and lets time pass in any order.

What it holds to is written down apart from any implementation: no budget is exceeded, a bill
counts once, and money that nobody may claim any more is free again.
"""

from collections.abc import Coroutine
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from domain.clock import DAY_MS, FixedClock
from feature_store.budgets import Ask, Budgets, Claim, Grant, Limits, Settled, Word
from feature_store.ledgers import MemoryBudgets
from tests.feature_store.lending import HOLD, NOON, TODAY, USABLE, days

WORKERS = 3
_T = TypeVar("_T")
Given = tuple[Grant, str, int, int]
"""A bid: its lease, its id, what it reserved, until when it may be billed."""


def now(made: Coroutine[Any, Any, _T]) -> _T:
    """Run a coroutine that never waits."""
    try:
        made.send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("it waited")


class Spending(RuleBasedStateMachine):
    """Three workers, one campaign."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = FixedClock(NOON)
        self.budgets: Budgets = self.opened()
        self.held: dict[int, list[Any]] = {}
        self.bids: list[Given] = []
        self.billed: dict[str, tuple[int, int]] = {}
        self.lost: set[str] = set()
        self.bounds: dict[int, int] = {}

    def opened(self) -> Budgets:
        return MemoryBudgets(self.clock)

    @initialize(daily=st.integers(0, 400), total=st.integers(0, 900))
    def start(self, daily: int, total: int) -> None:
        self.limits = Limits(1, daily, total)
        self.total_bound = total

    def daily_bound(self, day: int) -> int:
        """Answer the most a day may cost: its limit, or what was out when it was lowered."""
        assert self.limits.daily is not None
        return max(self.bounds.get(day, 0), self.limits.daily)

    @rule(worker=st.integers(0, WORKERS - 1), want=st.integers(1, 300), least=st.integers(1, 40))
    def lease(self, worker: int, want: int, least: int) -> None:
        before = self.held.pop(worker, None)
        done = [(before[0].lease, before[1])] if before else []
        ask = Ask(
            "c1", self.limits, days(self.clock.now_ms), want, least, USABLE, HOLD, done
        )  # fmt: skip
        (grant,) = now(self.budgets.lease([ask]))
        assert grant.amount == 0 or least <= grant.amount <= max(want, least)
        if grant.amount:
            self.held[worker] = [grant, 0]

    @precondition(lambda self: self.held)
    @rule(data=st.data(), amount=st.integers(1, 60), wait=st.integers(1, HOLD))
    def bid(self, data: st.DataObject, amount: int, wait: int) -> None:
        slice_ = self.held[data.draw(st.sampled_from(sorted(self.held)))]
        grant, used = slice_
        if self.clock.now_ms < grant.stop_ms and used + amount <= grant.amount:
            slice_[1] += amount
            until = min(self.clock.now_ms + wait, grant.close_ms)
            self.bids.append((grant, f"b{len(self.bids)}", amount, until))

    def tell(self, word: Word, bid: Given, cost: int = 0) -> Settled:
        grant, name, amount, until = bid
        claim = Claim(word, "c1", name, grant.lease, grant.day, amount, cost, until)
        return now(self.budgets.settle([claim]))[0]

    @precondition(lambda self: self.bids)
    @rule(data=st.data(), share=st.integers(0, 120), times=st.integers(1, 10))
    def bill(self, data: st.DataObject, share: int, times: int) -> None:
        bid = data.draw(st.sampled_from(self.bids))
        cost = bid[2] * share // 100
        answers = [self.tell(Word.bill, bid, cost) for _ in range(times)]
        taken = answers.count(Settled.taken)
        assert taken <= 1
        if taken:
            assert bid[1] not in self.billed, "one bid, one spend"
            assert cost <= bid[2], "never above what was reserved"
            assert self.clock.now_ms < bid[3], "never after it expired"
            self.billed[bid[1]] = (bid[0].day, cost)
        elif bid[1] not in self.billed and cost <= bid[2] and bid[1] not in self.lost:
            assert self.clock.now_ms >= bid[3], "money that was set aside is there to be billed"

    @precondition(lambda self: self.bids)
    @rule(data=st.data())
    def lose(self, data: st.DataObject) -> None:
        bid = data.draw(st.sampled_from(self.bids))
        answer = self.tell(Word.loss, bid)
        if bid[1] in self.billed and self.clock.now_ms < bid[3]:
            assert answer in (Settled.contradiction, Settled.duplicate)
        if answer == Settled.taken:
            self.lost.add(bid[1])

    @precondition(lambda self: self.bids)
    @rule(data=st.data())
    def win(self, data: st.DataObject) -> None:
        spent = now(self.budgets.ledgers([("c1", TODAY)]))[0].spent
        self.tell(Word.win, data.draw(st.sampled_from(self.bids)))
        assert now(self.budgets.ledgers([("c1", TODAY)]))[0].spent == spent

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def kill(self, data: st.DataObject) -> None:
        del self.held[data.draw(st.sampled_from(sorted(self.held)))]

    @rule(ms=st.one_of(st.integers(1, USABLE), st.sampled_from([HOLD, DAY_MS // 2, DAY_MS])))
    def wait(self, ms: int) -> None:
        self.clock.advance(ms)

    @rule(daily=st.integers(0, 400), total=st.integers(0, 900))
    def change(self, daily: int, total: int) -> None:
        self.limits = Limits(self.limits.version + 1, daily, total)
        ask = Ask("c1", self.limits, days(self.clock.now_ms), 0, 1, USABLE, HOLD)
        now(self.budgets.lease([ask]))
        # What was promised before a budget was lowered is honoured, and nothing more.
        for day in {*self.bounds, *(grant.day for grant, _, _, _ in self.bids), self.day()}:
            ledger = now(self.budgets.ledgers([("c1", day)]))[0]
            self.bounds[day] = max(daily, ledger.spent_today + ledger.lent_today)
            self.total_bound = max(total, ledger.spent + ledger.lent)

    def day(self) -> int:
        return self.clock.now_ms // DAY_MS

    @invariant()
    def never_overspent(self) -> None:
        if not hasattr(self, "limits"):
            return
        by_day: dict[int, int] = {}
        for day, cost in self.billed.values():
            by_day[day] = by_day.get(day, 0) + cost
        ledger = now(self.budgets.ledgers([("c1", self.day())]))[0]
        assert ledger.spent == sum(by_day.values())
        assert ledger.spent_today == by_day.get(self.day(), 0)
        assert ledger.lent >= 0
        assert ledger.spent + ledger.lent <= self.total_bound
        for day, spent in by_day.items():
            assert spent <= self.daily_bound(day)

    def teardown(self) -> None:
        if not hasattr(self, "limits"):
            return
        self.clock.advance(USABLE + HOLD)
        now(self.budgets.lease([Ask("c1", self.limits, days(self.clock()), 0, 1, USABLE, HOLD)]))
        assert now(self.budgets.ledgers([("c1", self.day())]))[0].lent == 0
