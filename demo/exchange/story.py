"""The exchange's part of the story: campaigns are put, a day of auctions runs, and it is told.

What is said comes from the service's answers or from the exchange's own books; what is claimed is
checked. Supply and others' bids are simulated and called so. Knows nothing of how bids are made.
"""

import asyncio
import secrets
import time
from collections.abc import Sequence
from pathlib import Path

from demo.calls import Service
from demo.exchange.auctions import Exchange
from demo.exchange.campaigns import EFFECTS, TARGET, Running, put_campaigns, rehearse
from demo.exchange.campaigns import put_segment as put_audience
from demo.exchange.connection import Connections
from demo.exchange.requests import bid_request
from demo.exchange.summary import Ran, accounts, learned, promises, reasons
from demo.exchange.supply import Offer, offers_of, users_of
from demo.exchange.watching import PROBE, Belief, Watch, belief_of, spent_by, wins_in_truth
from demo.telling import Teller
from training.plots import draw

A_SECOND = 200
"""Impressions for sale in a second, in the mean."""
HEAD_START_S = 1.5
"""From putting campaigns to the first auction: every worker knows of them, money is at hand."""
LINES = 10


class ExchangeStory:
    """Tells what happens in an exchange within `seconds`."""

    def __init__(self, service: Service, teller: Teller, seconds: float) -> None:
        self._service, self._teller, self._seconds = service, teller, seconds

    def ran(self, log: Path, events: int, a_second: float = A_SECOND, seed: int = 1) -> Ran:
        """Put campaigns, run the exchange, and tell what happens; raises DemoFailed.

        events: how many somebody must have to be in the audience.
        """
        run, users = secrets.token_hex(2), users_of(log)
        offers = offers_of(round(a_second * self._seconds), self._seconds, users, seed)
        rehearse(self._service, run, bid_request(offers[0], run))
        where = put_audience(self._service, events) if users else ""
        start = time.time() + HEAD_START_S
        flight = int((start - HEAD_START_S) * 1000), int((start + self._seconds) * 1000)
        campaigns = put_campaigns(self._service, run, len(offers), flight, bool(users))
        self._introduce(campaigns, offers, where)
        before = self._asked()
        time.sleep(max(0.0, start - time.time()))
        ran = asyncio.run(self._sold(offers, run, campaigns))
        accounts(self._teller, ran)
        reasons(self._teller, ran.books)
        self._teller.blank()
        self._teller.say("The same question as before the first auction:")
        beliefs = before, self._asked()
        truth = [wins_in_truth(offers, one.bid) for one in beliefs]
        learned(self._teller, ran, beliefs, truth)
        promises(self._teller, ran)
        return ran

    def _asked(self) -> Belief:
        return belief_of(self._service.tell("POST", "/v1/bids:decide", PROBE))

    def _introduce(self, campaigns: Sequence[Running], offers: Sequence[Offer], where: str) -> None:
        wishes = {
            "reach": f"impressions worth {TARGET} a thousand, at dawn alone",
            "clicks": "clicks, with either of two creatives",
            "regulars": f"clicks of an audience: {where}",
        }
        rows = [(one, wishes[one.kind]) for one in campaigns]
        self._teller.table(
            [[one.campaign, f"{one.budget / 1e6:.3f} dollars", wish] for one, wish in rows]
        )
        laws = {law: sum(offer.visitor.law == law for offer in offers) for law in ("gdpr", "coppa")}
        known = sum(offer.visitor.personal for offer in offers)
        self._teller.say(
            f"Simulated: {len(offers):,} impressions, a day of supply in {self._seconds:.0f} "
            "seconds, at two exchanges (dawn sells at the first price and tells the price to beat, "
            "dusk at the second and does not) with five other bidders. Real: requests, answers, "
            f"notices, events, money. {known:,} are seen by users of the log who may be known; "
            f"{laws['gdpr']:,} are under the GDPR without consent, {laws['coppa']:,} are seen by "
            "children: nobody is looked up for those."
        )

    async def _sold(self, offers: Sequence[Offer], run: str, campaigns: Sequence[Running]) -> Ran:
        connections = Connections(self._service.base)
        exchange = Exchange(connections, run, EFFECTS)
        watch = Watch(self._service, self._teller, campaigns, self._seconds)
        self._teller.blank()
        watching = asyncio.create_task(watch.run(exchange.books, self._seconds / LINES))
        try:
            await exchange.sell(offers)
            await watching
        finally:
            watching.cancel()
            await connections.close()
        spent = await asyncio.to_thread(spent_by, self._service, campaigns)
        return Ran(exchange.books, campaigns, spent, watch.moments)


def pictured(folder: Path, ran: Ran, seconds: float) -> Path:
    """Draw spend against plan into the folder; answer the picture's path."""
    lines = {
        one.kind: [moment.spent[place] / one.budget for moment in ran.moments]
        for place, one in enumerate(ran.campaigns)
    }
    at = [moment.at for moment in ran.moments]
    lines["plan"] = [min(1.0, one / seconds) for one in at]
    chart = {"title": "Simulated exchange: share of the budget spent, by second", "labels": at}
    return draw(folder, {"exchange": {**chart, "lines": lines}})["exchange"]
