"""Purses: a worker's slices of budgets, from which bids are reserved without asking anybody.

A purse holds one lease at a time and asks for the next before it is empty, in the background; a
bid finds money there or goes without, and never waits. What is left of a lease goes back with
the next call. Also keeps where each campaign stands, for pacing. Knows nothing of auctions.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from domain.calendars import day_number, days_around
from domain.campaigns import Campaign
from domain.clock import Clock, system_clock
from domain.errors import Unavailable
from domain.notices import reserve_for
from feature_store.budgets import Ask, Budgets, Day, Grant, Ledger, Limits, Refusal


@dataclass(slots=True, frozen=True)
class Terms:
    """How money is lent to this deployment's workers, in milliseconds.

    usable: how long bids are reserved in one lease. exp: how long after its auction a bid may
    still be shown (told to the exchange as `exp`). grace: how much later its bill may come.
    patience: how long a campaign without money is left alone before it is asked for again.
    warm: how long after its last bid a campaign keeps a lease at hand.
    """

    usable: int = 10_000
    exp: int = 300_000
    grace: int = 60_000
    patience: int = 500
    warm: int = 60_000

    @property
    def hold(self) -> int:
        """How long after the last bid of a lease its money stays set aside."""
        return self.exp + self.grace


class Reserved(NamedTuple):
    """Money set aside for one bid; goes into its token. until_ms: of the store's clock."""

    lease: int
    day: int
    until_ms: int


_NO_LEDGER = Ledger()


@dataclass(slots=True)
class Purse:
    """One campaign's money in this worker. Times ending in _at are this process's, in ms."""

    campaign: Campaign
    limits: Limits
    least: int
    lease: int = 0
    left: int = 0
    granted: int = 0
    day: int = 0
    taken_at: float = 0.0
    stop_at: float = 0.0
    ahead: float = 0.0
    """What to add to this process's time to get the store's; never more than is true."""
    close_ms: int = 0
    sought_at: float = 0.0
    missed: int = 0
    """The last amount that could not be reserved, 0 when none was."""
    largest: int = 0
    """The most that one bid has set aside: few and dear bids need a slice of many cheap ones."""
    beyond: int = 0
    """An amount known to be more than there is, until `beyond_until`: nobody asks for it."""
    beyond_until: float = 0.0
    want: int = 0
    asked: bool = False
    dry_until: float = 0.0
    still: bool = False
    done: dict[int, int] = field(default_factory=dict[int, int])
    ledger: Ledger = _NO_LEDGER

    def retire(self) -> None:
        """Give back what is left of the lease with the next call."""
        if self.lease:
            self.done[self.lease] = self.granted - self.left
            self.lease = self.left = 0

    def take(self, grant: Grant, sent_at: float, heard_at: float) -> None:
        """Put a lease in place of the one there was.

        It stops counted from when it was asked for, and the store's time is counted from when
        its answer came: both err on the safe side.
        """
        self.retire()
        self.lease, self.day, self.close_ms = grant.lease, grant.day, grant.close_ms
        self.left = self.granted = grant.amount
        self.taken_at = heard_at
        self.stop_at = sent_at + (grant.stop_ms - grant.now_ms)
        self.ahead = grant.now_ms - heard_at
        self.missed = 0

    def refused(self, least: int, why: Refusal, until: float) -> None:
        """Take a refusal of an ask for at least so much; nothing is asked again before `until`."""
        self.missed = 0
        if why == Refusal.spent and least > self.least:
            # One dear bid wants more than there is: the cheap ones may still be served.
            self.beyond, self.beyond_until = least, until
            return
        self.dry_until = until
        if why != Refusal.spent:
            self.still = why == Refusal.tripped


def _milliseconds() -> float:
    return time.monotonic_ns() / 1e6


class Purses:
    """The purses of one worker; `turn` is called again and again by whoever runs it."""

    def __init__(
        self,
        budgets: Budgets,
        terms: Terms | None = None,
        clock: Clock = system_clock,
        elapsed: Callable[[], float] = _milliseconds,
    ) -> None:
        """clock: for the calendars of zones alone; elapsed: milliseconds that never jump."""
        self._budgets = budgets
        self.terms = terms or Terms()
        self._clock = clock
        self._elapsed = elapsed
        self._by_name: dict[str, Purse] = {}
        self._leaving: dict[str, Purse] = {}
        self._life = self.terms.exp + self.terms.grace
        self._ahead: float | None = None
        self.hungry: Callable[[], None] = _nothing
        """Called when a bid went without money, so that whoever runs the turns may hurry."""

    def put(self, campaigns: Iterable[Campaign]) -> None:
        """Hold purses of these campaigns and of no others; limits and caps as they now are."""
        now_ms = self._clock()
        held = self._by_name
        found: dict[str, Purse] = {}
        for campaign in campaigns:
            if not campaign.lives(now_ms):
                continue
            name = campaign.campaign
            purse = held.get(name) or self._leaving.pop(name, None)
            if purse is None:
                purse = Purse(campaign, limits_of(campaign), _least(campaign))
                # The first bid shall find money: ask before there is one.
                purse.sought_at = self._elapsed()
                found[name] = purse
                continue
            if purse.campaign is not campaign:
                if purse.limits.version != campaign.version:
                    # The lease was granted under other limits: back with it, and ask again.
                    purse.retire()
                    purse.dry_until, purse.largest = 0.0, 0
                purse.campaign, purse.limits = campaign, limits_of(campaign)
                purse.least = _least(campaign)
            found[name] = purse
        for name, purse in held.items():
            if name not in found:
                purse.retire()
                if purse.done:
                    self._leaving[name] = purse
        self._by_name = found

    def reserve(self, campaign: str, amount: int, exp_ms: int | None = None) -> Reserved | None:
        """Set `amount` micros aside for one bid; None when there is no money for it just now.

        exp_ms: how long after its auction the bid may be shown, at most terms.exp.
        """
        purse = self._by_name.get(campaign)
        if purse is None:
            return None
        purse.sought_at = now = self._elapsed()
        if amount > purse.left or now >= purse.stop_at or amount < 0 or purse.still:
            if amount >= purse.beyond and now < purse.beyond_until:
                return None
            purse.missed = amount
            if not purse.asked and now >= purse.dry_until:
                self.hungry()
            return None
        purse.left -= amount
        purse.largest = max(purse.largest, amount)
        life = self._life if exp_ms is None else exp_ms + self.terms.grace
        until = int(now + purse.ahead) + life
        return Reserved(purse.lease, purse.day, min(until, purse.close_ms))

    def unreserve(self, campaign: str, reserved: Reserved, amount: int) -> None:
        """Take back what was reserved for a bid that never left this process."""
        purse = self._by_name.get(campaign)
        if purse is not None and purse.lease == reserved.lease:
            purse.left += amount

    def now(self) -> int:
        """Answer the store's time in ms as far as it is known; before any lease, our clock's."""
        return self._clock() if self._ahead is None else int(self._elapsed() + self._ahead)

    def ledger(self, campaign: str) -> Ledger:
        """Answer where a campaign stood when it was last looked at, seconds ago."""
        purse = self._by_name.get(campaign)
        return _NO_LEDGER if purse is None else purse.ledger

    def funded(self, campaign: str) -> bool:
        """Tell whether it is worth asking for money of a campaign: it has some, or may get some."""
        purse = self._by_name.get(campaign)
        return purse is not None and not purse.still and (
            purse.left > 0 or self._elapsed() >= purse.dry_until
        )  # fmt: skip

    async def turn(self) -> None:
        """Ask for what is running out, give back what is done with; one round trip, or none."""
        now = self._elapsed()
        calls: list[tuple[Purse, Ask]] = []
        for purse in [*self._by_name.values(), *self._leaving.values()]:
            want = 0
            if purse.lease and now >= purse.stop_at:
                purse.want = self._next_want(purse, now)
                purse.retire()
            if self._wanting(purse, now):
                want = self._next_want(purse, now)
            if want or purse.done:
                calls.append((purse, self._ask(purse, want)))
        if not calls:
            return
        sent_at = self._elapsed()
        for purse, ask in calls:
            purse.asked = ask.want > 0
        try:
            grants = await self._budgets.lease([ask for _, ask in calls])
        finally:
            for purse, _ in calls:
                purse.asked = False
        heard_at = self._elapsed()
        self._ahead = grants[-1].now_ms - heard_at
        for (purse, ask), grant in zip(calls, grants, strict=True):
            for lease, _ in ask.done:
                # Another turn may have told the same in the meantime.
                purse.done.pop(lease, None)
            if grant.amount:
                purse.want = ask.want
                purse.take(grant, sent_at, heard_at)
                if self._by_name.get(ask.campaign) is not purse:
                    # It left while the answer was under way: back with it.
                    purse.retire()
                    self._leaving[ask.campaign] = purse
                elif purse.limits.version != ask.limits.version:
                    purse.retire()
            elif ask.want:
                purse.refused(ask.least, grant.refusal, heard_at + self.terms.patience)
        self._leaving = {name: purse for name, purse in self._leaving.items() if purse.done}

    def _wanting(self, purse: Purse, now: float) -> bool:
        """Tell whether a purse should ask: a bid went without, or will before long."""
        if purse.campaign.campaign not in self._by_name or now < purse.dry_until or purse.still:
            return False
        if purse.missed or not purse.lease:
            return now - purse.sought_at < self.terms.warm
        if purse.left == purse.granted:
            return False
        # A quarter of the lease, or of its time, is left.
        return purse.left * 4 < purse.granted or (purse.stop_at - now) * 4 < self.terms.usable

    def _next_want(self, purse: Purse, now: float) -> int:
        """Answer what a whole lease would have used at the pace of this one, and a quarter more."""
        floor = 8 * max(purse.least, purse.largest, purse.missed)
        if not purse.lease:
            return max(purse.want, floor)
        gone = max(now - purse.taken_at, 50.0)
        pace = (purse.granted - purse.left) / gone
        return max(min(int(1.25 * pace * self.terms.usable), 8 * purse.granted), floor)

    def _ask(self, purse: Purse, want: int) -> Ask:
        days = [Day(*day) for day in days_around(purse.campaign.zone, self._clock())]
        least = purse.missed or purse.least
        return Ask(
            *(purse.campaign.campaign, purse.limits, days, want, least),
            *(self.terms.usable, self.terms.hold, list(purse.done.items())),
        )

    async def look(self) -> None:
        """Learn where every campaign stands, and let a tripped one go on when it may."""
        purses = list(self._by_name.values())
        now = self._clock()
        asked = [(one.campaign.campaign, day_number(one.campaign.zone, now)) for one in purses]
        if not asked:
            return
        for purse, ledger in zip(purses, await self._budgets.ledgers(asked), strict=True):
            purse.ledger = ledger
            purse.still = ledger.tripped_until > (
                self._elapsed() + purse.ahead if purse.ahead else now
            )

    async def give_back(self) -> None:
        """Give back everything that was not reserved; for an orderly end."""
        self.put(())
        try:
            await self.turn()
        except Unavailable:
            # It is free again by itself when the leases close.
            return

    @property
    def by_name(self) -> Mapping[str, Purse]:
        """The purses as they stand."""
        return self._by_name


def _nothing() -> None:
    return None


def limits_of(campaign: Campaign) -> Limits:
    """Answer a campaign's bounds, as its account is told of them."""
    budget = campaign.budget
    return Limits(campaign.version, budget.daily, budget.total, campaign.breaker)


def _least(campaign: Campaign) -> int:
    """Answer what the cheapest standard bid sets aside."""
    return max(1, min((reserve_for(line.bid) for line in campaign.lines), default=1))
