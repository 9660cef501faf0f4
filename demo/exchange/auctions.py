"""Auctions against simulated competitors: asks the service, decides, and tells it what came of it.

A bid wins where it is above the others' best and not below the floor. The winner is told by win
and bill notices, a loser by a loss notice, and clicks and purchases follow as events that quote
the bid. Knows nothing of campaigns but what they are called in bids.
"""

import asyncio
import json
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from demo.exchange.books import Books, Sale, micros_of
from demo.exchange.connection import BROKEN, Connections, Heard
from demo.exchange.requests import TMAX, H, W, bid_request
from demo.exchange.supply import Offer
from training.evaluate.auction.episode import settle
from training.evaluate.auction.market import FIRST_PRICE

BID = "/v1/openrtb2/bid"
WHY = "x-sanderling-why"
HIGHER, BELOW_FLOOR = "102", "100"
"""Loss reasons of the specification's list."""
BILL_AFTER_S = 0.3
PURCHASE_VALUE = 20.0


class Exchange:
    """Runs auctions. effects: what a creative makes of the chance of a click, by its id."""

    def __init__(self, connections: Connections, run: str, effects: Mapping[str, float]) -> None:
        self.books = Books()
        self._connections = connections
        self._run = run
        self._effects = effects
        self._tasks: set[asyncio.Task[None]] = set()

    async def sell(self, offers: Sequence[Offer]) -> None:
        """Offer everything at its time, then wait until all that follows was told."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        for offer in offers:
            early = began + offer.due - loop.time()
            if early > 0:
                await asyncio.sleep(early)
            self._start(self._auction(offer))
        while self._tasks:
            await asyncio.gather(*self._tasks)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _auction(self, offer: Offer) -> None:
        books = self.books
        books.auctions += 1
        body = json.dumps(bid_request(offer, self._run)).encode()
        path = f"{BID}?exchange={offer.house.name}"
        headers = f"content-type: application/json\r\n{WHY}: 1\r\n"
        try:
            heard = await self._connections.ask("POST", path, body, headers)
        except BROKEN:
            books.unanswered += 1
            return
        books.statuses[heard.status] += 1
        books.waits.append(heard.ms)
        if heard.ms > TMAX:
            books.late += 1
        elif heard.status == 200:
            self._decide(offer, json.loads(heard.body)["seatbid"][0]["bid"][0])
        else:
            books.reasons[_cause(heard)] += 1

    def _decide(self, offer: Offer, bid: dict[str, Any]) -> None:
        books, visitor = self.books, offer.visitor
        price, account = round(bid["price"] * 1e6), books.accounts[bid["cid"]]
        account.bids += 1
        if visitor.personal:
            account.people.add(visitor.user)
        else:
            account.strangers += 1
        rule = "floor" if price < offer.floor else "size" if (bid["w"], bid["h"]) != (W, H) else ""
        if rule:
            books.broken[rule] += 1
            self._start(self._lose(bid, "", BELOW_FLOOR, ""))
            return
        won, _, beaten = settle(
            np.array([float(price)]), offer.others[None, :], np.array([float(offer.floor)]),
            offer.house.at,
        )  # fmt: skip
        to_beat = round(float(beaten[0]))
        told = f"{to_beat / 1e6:.6f}" if offer.house.tells else ""
        if not won[0]:
            self._start(self._lose(bid, told, HIGHER, told))
            return
        paid = price if offer.house.at == FIRST_PRICE else min(to_beat, price)
        sale = Sale(
            bid["id"], bid["cid"], bid["crid"], offer.house.name, price, paid, to_beat,
            visitor.user if visitor.personal else "",
        )  # fmt: skip
        account.wins += 1
        account.charged += micros_of(paid)
        account.shown[sale.creative] += 1
        books.sales.append(sale)
        self._start(self._win(bid, paid, told))
        self._start(self._watched(offer, sale))

    async def _lose(self, bid: dict[str, Any], price: str, reason: str, to_win: str) -> None:
        await self._notice(bid["lurl"], price, to_win, reason)

    async def _win(self, bid: dict[str, Any], paid: int, to_win: str) -> None:
        price = f"{paid / 1e6:.6f}"
        await self._notice(bid["nurl"], price, to_win, "")
        await asyncio.sleep(BILL_AFTER_S)
        await self._notice(bid["burl"], price, to_win, "")

    async def _notice(self, url: str, price: str, to_win: str, reason: str) -> None:
        """Fetch a notice's address with the macros replaced."""
        parts = urlsplit(url)
        query = parts.query
        for macro, value in (
            ("PRICE", price), ("CURRENCY", "USD"), ("MIN_TO_WIN", to_win), ("LOSS", reason),
            ("MULTIPLIER", "1"),
        ):  # fmt: skip
            query = query.replace(f"${{AUCTION_{macro}}}", value)
        word = parts.path.rpartition("/")[2]
        try:
            heard = await self._connections.ask("GET", f"{parts.path}?{query}")
        except BROKEN:
            self.books.told[f"{word} unheard"] += 1
            return
        became = heard.headers.get("x-sanderling-notice") or str(heard.status)
        self.books.told[f"{word} {became}"] += 1

    async def _watched(self, offer: Offer, sale: Sale) -> None:
        """Let the impression be clicked, and something be bought, as was drawn beforehand."""
        if offer.luck >= offer.chance * self._effects.get(sale.creative, 1.0):
            return
        account = self.books.accounts[sale.campaign]
        await asyncio.sleep(BILL_AFTER_S + offer.delay)
        account.clicks += 1
        account.clicked[sale.creative] += 1
        await self._event(offer, sale, "click")
        if offer.buys:
            await asyncio.sleep(offer.delay)
            account.purchases += 1
            await self._event(offer, sale, "purchase")

    async def _event(self, offer: Offer, sale: Sale, kind: str) -> None:
        who = {"user": sale.user} if sale.user else {"session": f"{self._run}-{offer.number}"}
        event: dict[str, Any] = {
            **who, "event_id": f"{sale.bid}-{kind}", "kind": kind, "decision_id": sale.bid,
            "campaign": sale.campaign, "channel": "rtb",
        }  # fmt: skip
        if kind == "purchase":
            event["value"] = PURCHASE_VALUE
        headers = "content-type: application/json\r\n"
        try:
            heard = await self._connections.ask(
                "POST", "/v1/events", json.dumps(event).encode(), headers
            )
        except BROKEN:
            self.books.told[f"{kind} unheard"] += 1
            return
        self.books.told[f"{kind} {heard.status}"] += 1


def _cause(heard: Heard) -> str:
    """Answer why there is no bid, as the service tells it."""
    _, found, cause = heard.headers.get(WHY, "").partition("cause=")
    return cause if found else f"status {heard.status}"
