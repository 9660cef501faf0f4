"""Budgets in memory: the definition that the server's scripts are held against.

One account a campaign: what is spent, what is lent, the open leases, the bids told of. Knows
nothing of servers; see feature_store.budgets for what is promised.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from domain.clock import MINUTE_MS, Clock, system_clock
from feature_store.budgets import (
    BREAKER_MS,
    Ask,
    Claim,
    Day,
    Grant,
    Ledger,
    Limits,
    Refusal,
    Settled,
    Word,
)

_UNHEARD = Limits(0)


@dataclass(slots=True)
class _Lease:
    granted: int
    left: int
    day: int
    close_ms: int
    sealed: bool = False


@dataclass(slots=True)
class _Account:
    """One campaign's money; `marks` are (word, bid) → until when they are remembered, the word
    "" for what is counted once."""

    limits: Limits = _UNHEARD
    spent: int = 0
    lent: int = 0
    spent_on: dict[int, int] = field(default_factory=lambda: defaultdict[int, int](int))
    lent_on: dict[int, int] = field(default_factory=lambda: defaultdict[int, int](int))
    leases: dict[int, _Lease] = field(default_factory=dict[int, _Lease])
    numbers: int = 0
    marks: dict[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])
    told: dict[Word, int] = field(default_factory=lambda: dict.fromkeys(Word, 0))
    clicks: int = 0
    conversions: int = 0
    value: int = 0
    foretold_clicks: int = 0
    foretold_conversions: int = 0
    minute: int = -1
    this_minute: int = 0
    last_minute: int = 0
    tripped_until: int = 0

    def free(self, lease: _Lease, amount: int) -> None:
        """Take back `amount` of what was lent."""
        lease.left -= amount
        self.lent -= amount
        self.lent_on[lease.day] -= amount

    def room(self, day: int) -> int:
        """Answer what is neither spent nor lent, of the day and in total."""
        daily, total = self.limits.daily, self.limits.total
        rooms: list[int] = []
        if total is not None:
            rooms.append(total - self.spent - self.lent)
        if daily is not None:
            rooms.append(daily - self.spent_on[day] - self.lent_on[day])
        return min(rooms, default=0)

    def sweep(self, now_ms: int) -> None:
        """Free what is left of closed leases; forget bids that no longer count."""
        for number in [n for n, lease in self.leases.items() if lease.close_ms <= now_ms]:
            lease = self.leases.pop(number)
            self.free(lease, lease.left)
        self.marks = {mark: until for mark, until in self.marks.items() if until > now_ms}

    def spend(self, claim: Claim, now_ms: int) -> None:
        """Count a bill; trip the breaker when a minute's spending is beyond it."""
        self.spent += claim.cost
        self.spent_on[claim.day] += claim.cost
        minute = now_ms // MINUTE_MS
        if minute != self.minute:
            self.last_minute = self.this_minute if minute == self.minute + 1 else 0
            self.minute, self.this_minute = minute, 0
        self.this_minute += claim.cost
        bound = self.limits.per_minute
        if bound is not None:
            gone = now_ms % MINUTE_MS
            before = self.last_minute * (MINUTE_MS - gone) // MINUTE_MS
            if self.this_minute + before > bound:
                self.tripped_until = now_ms + BREAKER_MS


class MemoryBudgets:
    """The budgets protocol in memory; see feature_store.budgets.Budgets."""

    def __init__(self, clock: Clock = system_clock) -> None:
        self._clock = clock
        self._accounts: dict[str, _Account] = defaultdict(_Account)

    async def lease(self, asks: Sequence[Ask]) -> list[Grant]:
        return [self._lease(ask) for ask in asks]

    def _lease(self, ask: Ask) -> Grant:
        now = self._clock()
        account = self._accounts[ask.campaign]
        account.sweep(now)
        for number, used in ask.done:
            lease = account.leases.get(number)
            if lease is not None and not lease.sealed:
                lease.sealed = True
                account.free(lease, max(0, min(lease.left, lease.granted - used)))
                if not lease.left:
                    del account.leases[number]
        if ask.limits.version > account.limits.version:
            account.limits = ask.limits
        if ask.want <= 0:
            return Grant(0, 0, now, now, now, 0)
        if account.tripped_until > now:
            return Grant(0, 0, now, now, now, 0, Refusal.tripped)
        found = _day_of(ask.days, now)
        if found is None:
            return Grant(0, 0, now, now, now, 0, Refusal.clock)
        day, ends_at = found
        room = account.room(day)
        if room < max(ask.least, 1):
            return Grant(0, 0, now, now, now, day, Refusal.spent)
        # Towards the end nobody takes all: the last money is shared out in halves.
        amount = max(ask.least, min(ask.want, room // 2), 1)
        account.numbers += 1
        stop = min(now + ask.usable_ms, ends_at)
        close = stop + ask.hold_ms
        account.leases[account.numbers] = _Lease(amount, amount, day, close)
        account.lent += amount
        account.lent_on[day] += amount
        return Grant(account.numbers, amount, now, stop, close, day)

    async def settle(self, claims: Sequence[Claim]) -> list[Settled]:
        return [self._settle(claim) for claim in claims]

    def _settle(self, claim: Claim) -> Settled:
        now = self._clock()
        account = self._accounts[claim.campaign]
        account.sweep(now)
        if now >= claim.until_ms:
            return Settled.late
        if (claim.word, claim.bid) in account.marks:
            return Settled.duplicate
        if claim.word != Word.win:
            refused = self._pay(account, claim, now)
            if refused is not Settled.taken:
                return refused
        account.marks[claim.word, claim.bid] = claim.until_ms
        account.told[claim.word] += 1
        return Settled.taken

    def _pay(self, account: _Account, claim: Claim, now_ms: int) -> Settled:
        """Settle a bill or a loss against its lease."""
        if not 0 <= claim.cost <= claim.reserved:
            return Settled.overdrawn
        if claim.word == Word.loss and (Word.bill, claim.bid) in account.marks:
            return Settled.contradiction
        if (Word.loss, claim.bid) in account.marks:
            # What it had set aside was freed: it is paid only if as much is free now.
            if account.room(claim.day) < claim.cost:
                return Settled.no_room
            account.spend(claim, now_ms)
            return Settled.taken
        lease = account.leases.get(claim.lease)
        if lease is None:
            return Settled.closed
        if lease.left < claim.reserved or lease.day != claim.day:
            return Settled.overdrawn
        account.free(lease, claim.reserved)
        if lease.sealed and not lease.left:
            del account.leases[claim.lease]
        if claim.word == Word.bill:
            account.spend(claim, now_ms)
        return Settled.taken

    async def count(
        self, campaign: str, *, clicks: int = 0, conversions: int = 0, value: int = 0,
        foretold_clicks: int = 0, foretold_conversions: int = 0,
    ) -> None:  # fmt: skip
        account = self._accounts[campaign]
        account.clicks += clicks
        account.conversions += conversions
        account.value += value
        account.foretold_clicks += foretold_clicks
        account.foretold_conversions += foretold_conversions

    async def count_once(
        self, campaign: str, mark: str, until_ms: int,
        *, clicks: int = 0, conversions: int = 0, value: int = 0,
    ) -> bool:  # fmt: skip
        now, account = self._clock(), self._accounts[campaign]
        account.sweep(now)
        if now >= until_ms or ("", mark) in account.marks:
            return False
        account.marks["", mark] = until_ms
        await self.count(campaign, clicks=clicks, conversions=conversions, value=value)
        return True

    async def ledgers(self, campaigns: Sequence[tuple[str, int]]) -> list[Ledger]:
        return [self._ledger(self._accounts[name], day) for name, day in campaigns]

    def _ledger(self, account: _Account, day: int) -> Ledger:
        return Ledger(
            account.spent,
            account.lent,
            account.spent_on[day],
            account.lent_on[day],
            account.told[Word.win],
            account.told[Word.bill],
            account.told[Word.loss],
            account.clicks,
            account.conversions,
            account.value,
            account.tripped_until,
            account.foretold_clicks,
            account.foretold_conversions,
        )


def _day_of(days: Sequence[Day], now_ms: int) -> tuple[int, int] | None:
    """Answer the number of the day that `now_ms` lies in, and when it ends."""
    for day, after in pairwise(days):
        if day.starts_at <= now_ms < after.starts_at:
            return day.number, after.starts_at
    return None
