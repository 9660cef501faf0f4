"""The exchange's own books: what it asked, heard, sold and charged, so that ours can be held
against them.

Money is micros of dollars; each impression is charged to the micro, rounded half to even. Knows
nothing of how auctions are run.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import NamedTuple


@dataclass(slots=True)
class Account:
    """What one campaign did here. charged: micros; shown, clicks: by creative.

    strangers: bids on somebody who may not be known. people: users it was bid for.
    """

    bids: int = 0
    wins: int = 0
    charged: int = 0
    clicks: int = 0
    purchases: int = 0
    strangers: int = 0
    shown: Counter[str] = field(default_factory=Counter[str])
    clicked: Counter[str] = field(default_factory=Counter[str])
    people: set[str] = field(default_factory=set[str])


class Sale(NamedTuple):
    """One bid that won: what a person may want to know of it. Prices are cpm micros."""

    bid: str
    campaign: str
    creative: str
    exchange: str
    offered: int
    paid: int
    to_beat: int
    user: str


@dataclass(slots=True)
class Books:
    """Everything. statuses: answers to requests; reasons: why there was no bid, as told; told:
    what became of notices, by word; broken: rules of a request that a bid broke."""

    auctions: int = 0
    statuses: Counter[int] = field(default_factory=Counter[int])
    reasons: Counter[str] = field(default_factory=Counter[str])
    told: Counter[str] = field(default_factory=Counter[str])
    broken: Counter[str] = field(default_factory=Counter[str])
    late: int = 0
    unanswered: int = 0
    waits: list[float] = field(default_factory=list[float])
    accounts: dict[str, Account] = field(default_factory=lambda: defaultdict[str, Account](Account))
    sales: list[Sale] = field(default_factory=list[Sale])

    @property
    def bids(self) -> int:
        """Bids of all campaigns."""
        return sum(one.bids for one in self.accounts.values())

    @property
    def wins(self) -> int:
        """Wins of all campaigns."""
        return sum(one.wins for one in self.accounts.values())

    def waited(self, share: float) -> float:
        """Answer the milliseconds within which that share of requests was answered."""
        if not self.waits:
            return 0.0
        return sorted(self.waits)[min(int(share * len(self.waits)), len(self.waits) - 1)]


def micros_of(price: int) -> int:
    """Answer what one impression at a price for a thousand costs, in micros, half to even."""
    whole, rest = divmod(price, 1_000)
    return whole + (rest > 500 or (rest == 500 and whole % 2 == 1))
