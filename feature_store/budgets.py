"""Budgets: money is lent to workers in slices, bids are reserved inside a slice, bills settle.

What every implementation promises (redis/budgets.py and ledgers.py; one suite checks both): for
every campaign, at every moment and under any order of calls, retries and deaths,
spent + lent <= budget, of each day and in total. The store's clock is the only clock of money:
a worker learns it with each lease. Knows nothing of auctions, tokens or campaigns' texts.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple, Protocol

BREAKER_MS = 300_000
"""How long the breaker keeps a campaign still once it has tripped."""


class Limits(NamedTuple):
    """A campaign's bounds in micros, None for none; of two versions the higher one counts."""

    version: int
    daily: int | None = None
    total: int | None = None
    per_minute: int | None = None


class Day(NamedTuple):
    """A day of a campaign's zone: when it starts (UTC ms), and its number."""

    starts_at: int
    number: int


class Ask(NamedTuple):
    """A worker asks for a slice of a campaign's budget, and gives back what it is done with.

    days: yesterday, today, tomorrow and the day after, as the worker sees them. want: micros it
    would like; least: less is of no use. usable_ms: how long bids may be reserved in the slice;
    hold_ms: how long after that the last of them may still be billed. done: (lease, micros that
    were reserved in it): the rest of that lease is free again. Repeating it changes nothing.
    """

    campaign: str
    limits: Limits
    days: Sequence[Day]
    want: int
    least: int
    usable_ms: int
    hold_ms: int
    done: Sequence[tuple[int, int]] = ()


class Refusal(StrEnum):
    """Why a lease was not granted."""

    none = ""
    spent = "spent"
    """Not even `least` is left, of the day or in total."""
    tripped = "tripped"
    """The breaker has tripped."""
    clock = "clock"
    """The worker's days are not the store's: its clock is off by more than a day."""


class Grant(NamedTuple):
    """A lease, or amount 0 and why not. Times are the store's, in ms.

    Bids may be reserved in it until `stop_ms` (no later than its day's end) and billed until
    `close_ms`; then whatever is left of it is free again by itself.
    """

    lease: int
    amount: int
    now_ms: int
    stop_ms: int
    close_ms: int
    day: int
    refusal: Refusal = Refusal.none


class Word(StrEnum):
    """What an exchange tells of a bid."""

    win = "win"
    """A price signal; no spend."""
    bill = "bill"
    """Spend."""
    loss = "loss"
    """Not to be billed; the reserved money is free again."""


class Claim(NamedTuple):
    """A notice about one bid, read from its token: all amounts are micros of the campaign's.

    reserved: what the bid set aside in `lease`; cost: what is to be spent (0 but for a bill), at
    most reserved. until_ms: of the store's clock; from then on nothing counts any more.
    """

    word: Word
    campaign: str
    bid: str
    lease: int
    day: int
    reserved: int
    cost: int
    until_ms: int


class Settled(StrEnum):
    """What became of a notice; only `taken` changes anything."""

    taken = "taken"
    duplicate = "duplicate"
    """The same was told before."""
    late = "late"
    """The bid has expired."""
    closed = "closed"
    """The lease is unknown or closed: nothing is set aside for this bid."""
    contradiction = "contradiction"
    """A loss of what was billed."""
    no_room = "no_room"
    """A bill of what was lost before, with nothing left to pay it from."""
    overdrawn = "overdrawn"
    """More than the lease holds, or than the bid reserved."""


class Ledger(NamedTuple):
    """Where a campaign stands; money in micros, lent: in slices and not yet billed or free.

    spent_today, lent_today: of the day asked for. value: of conversions. tripped_until: 0, or
    when the breaker lets go (the store's ms). foretold_clicks, foretold_conversions: how many
    were expected of what was billed, in millionths.
    """

    spent: int = 0
    lent: int = 0
    spent_today: int = 0
    lent_today: int = 0
    wins: int = 0
    bills: int = 0
    losses: int = 0
    clicks: int = 0
    conversions: int = 0
    value: int = 0
    tripped_until: int = 0
    foretold_clicks: int = 0
    foretold_conversions: int = 0


class Budgets(Protocol):
    """The one door to shared money. Every method may raise StoreUnavailable."""

    async def lease(self, asks: Sequence[Ask]) -> list[Grant]:
        """Answer a lease for each ask, in order; atomic a campaign, all in one round trip."""
        ...

    async def settle(self, claims: Sequence[Claim]) -> list[Settled]:
        """Take notices, in order; each atomic and at most once, whoever repeats it."""
        ...

    async def count(
        self, campaign: str, *, clicks: int = 0, conversions: int = 0, value: int = 0,
        foretold_clicks: int = 0, foretold_conversions: int = 0,
    ) -> None:  # fmt: skip
        """Count what came of a campaign, or was foretold; whoever calls sees that it is once."""
        ...

    async def count_once(
        self, campaign: str, mark: str, until_ms: int,
        *, clicks: int = 0, conversions: int = 0, value: int = 0,
    ) -> bool:  # fmt: skip
        """Count what came of a campaign unless it was under this mark; tell whether it was.

        until_ms: of the store's clock; until then the mark is remembered, from then on nothing
        counts under it. Marks begin with another letter than w, b or l.
        """
        ...

    async def ledgers(self, campaigns: Sequence[tuple[str, int]]) -> list[Ledger]:
        """Answer where campaigns stand, each on the day of the given number."""
        ...
