"""Watching an exchange run: every few seconds a line of how it stands, and the figures kept.

Spend is the service's own answer, so is what it believes; bids and wins are the exchange's books.
Knows nothing of why anything happens.
"""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from demo.calls import Service
from demo.exchange.books import Books
from demo.exchange.campaigns import STANDARD, TARGET, Running
from demo.exchange.requests import H, W
from demo.exchange.supply import Offer
from demo.telling import Teller

SITE = 0
PROBE = {
    "value": TARGET, "standard_bid": STANDARD["reach"], "auction": "first", "exchange": "dawn",
    "site": f"paper{SITE}.example", "size": f"{W}x{H}", "device": "desktop", "country": "USA",
    "test": True,
}  # fmt: skip
"""The question that is asked again and again: what an impression on one paper's page is to be
bid by who thinks it worth TARGET."""


class Belief(NamedTuple):
    """What the service would bid on the probe, the chance to win, and how far it trusts that."""

    bid: float | None
    chance: float | None
    confidence: float

    def __str__(self) -> str:
        bid = "no bid" if self.bid is None else f"{self.bid:.2f}"
        chance = "–" if self.chance is None else f"{self.chance:.0%}"
        return f"{bid} · {chance} · {self.confidence:.2f}"


class Moment(NamedTuple):
    """Seconds since the start, micros that each campaign had spent by then, what was believed."""

    at: float
    spent: tuple[int, ...]
    belief: Belief


def believed(service: Service) -> Belief:
    """Ask the probe."""
    return belief_of(service.quietly("POST", "/v1/bids:decide", PROBE))


def belief_of(found: dict[str, float | None]) -> Belief:
    """Read what was answered to the probe."""
    return Belief(found["bid"], found["win_probability"], found["confidence"] or 0.0)


def wins_in_truth(offers: Sequence[Offer], bid: float | None) -> float | None:
    """Answer how often a bid would have won of the offers that the probe is about; None: of none.

    Those are simulated: what the others bid is known.
    """
    alike = [one for one in offers if one.house.name == "dawn" and one.site == SITE]
    if bid is None or not alike:
        return None
    won = [float(one.others.max()) < bid * 1e6 and one.floor <= bid * 1e6 for one in alike]
    return sum(won) / len(won)


def spent_by(service: Service, campaigns: Sequence[Running]) -> tuple[int, ...]:
    """Answer the micros that each campaign has spent, as the service says."""
    found = [service.quietly("GET", f"/v1/campaigns/{one.campaign}/spend") for one in campaigns]
    return tuple(round(one["spent"] * 1e6) for one in found)


class Watch:
    """Tells a line every `every` seconds of `seconds`; plan: a budget spread evenly over them."""

    def __init__(
        self, service: Service, teller: Teller, campaigns: Sequence[Running], seconds: float
    ) -> None:
        self._service, self._teller = service, teller
        self._campaigns, self._seconds = campaigns, seconds
        self.moments: list[Moment] = []

    async def run(self, books: Books, every: float) -> None:
        """Look again and again until the time is over."""
        names = "".join(f"{one.kind + ' / plan':>20}" for one in self._campaigns)
        self._teller.lines(
            [f"{'time':>5}{'asked':>8}{'bid':>6}{'won':>6}{names}  bid · win · sure"]
        )
        loop = asyncio.get_running_loop()
        began = loop.time()
        for step in range(1, round(self._seconds / every) + 1):
            await asyncio.sleep(began + step * every - loop.time())
            at = loop.time() - began
            # In a thread: the exchange goes on selling meanwhile.
            spent = await asyncio.to_thread(spent_by, self._service, self._campaigns)
            belief = await asyncio.to_thread(believed, self._service)
            self.moments.append(Moment(at, spent, belief))
            self._teller.lines([self._line(self.moments[-1], books)])

    def _line(self, moment: Moment, books: Books) -> str:
        due = min(moment.at / self._seconds, 1.0)
        money = "".join(
            f"{spent / 1e6:>12.3f} / {due * one.budget / 1e6:5.3f}"
            for spent, one in zip(moment.spent, self._campaigns, strict=True)
        )
        bid, won = books.bids / max(books.auctions, 1), books.wins / max(books.bids, 1)
        return (
            f"{moment.at:>4.0f}s{books.auctions:>8,}{bid:>6.0%}{won:>6.0%}{money}  {moment.belief}"
        )
