"""A simulated exchange: second-price auctions over HTTP, notices repeated, reordered and forged.

Keeps its own books of what it charges, so that ours can be held against them. Retries a notice
that found nobody, as a load balancer would. Knows OpenRTB as far as it needs; nothing of budgets.
"""

import asyncio
import heapq
import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec

from benchmarks.load import post

BID = "/v1/openrtb2/bid?exchange=simulated"
_TELLERS = 24
_MOST_DUE = 2_000
"""Notices that may wait: beyond, auctions wait until they were told, so that none grows old."""
_TRIES = 400
_BROKEN = (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError)
_decode = msgspec.json.decode
_encode = msgspec.json.encode


class Answer(NamedTuple):
    """Status, what became of a notice, body."""

    status: int
    told: str
    body: bytes


class Door:
    """Connections to one worker, kept open and shared."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.up = True
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def ask(self, request: bytes) -> Answer:
        """Send a request; raises one of several errors when nobody answers."""
        if self._idle:
            reader, writer = self._idle.pop()
        else:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            async with asyncio.timeout(20):
                writer.write(request)
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                body = await reader.readexactly(int(_field(head, b"content-length") or 0))
        except BaseException:
            writer.close()
            raise
        self._idle.append((reader, writer))
        return Answer(int(head[9:12]), _field(head, b"x-sanderling-notice").decode(), body)

    def close(self) -> None:
        """Forget every connection: the worker is gone."""
        for _, writer in self._idle:
            writer.close()
        self._idle.clear()


def _field(head: bytes, name: bytes) -> bytes:
    start = head.find(b"\r\n" + name + b": ")
    if start < 0:
        return b""
    start += len(name) + 4
    return head[start : head.index(b"\r\n", start)]


@dataclass(slots=True)
class Books:
    """What the exchange saw. owed: micros a campaign, of bills that were taken; unpaid: campaign
    and micros of a bill that was refused, by its address."""

    auctions: int = 0
    bids: int = 0
    wins: int = 0
    unanswered: int = 0
    owed: dict[str, int] = field(default_factory=lambda: defaultdict[str, int](int))
    unpaid: dict[str, tuple[str, int]] = field(default_factory=dict[str, tuple[str, int]])
    told: Counter[str] = field(default_factory=Counter[str])
    bills: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])


class _Due(NamedTuple):
    at: float
    number: int
    path: str
    word: str
    campaign: str
    micros: int
    tries: int


class Exchange:
    """Runs auctions against workers behind `doors`; `sites` says what is for sale."""

    def __init__(self, doors: Sequence[Door], sites: Sequence[str], seed: int) -> None:
        self.books = Books()
        self._doors = doors
        self._sites = sites
        self._random = random.Random(seed)
        self._due: list[_Due] = []
        self._numbers = 0
        self._settled: set[str] = set()
        self._closing = False
        self._gap = self._began = 0.0

    async def run(self, auctions: int, at_once: int, seconds: float) -> None:
        """Run auctions, evenly over at least so many seconds; then tell every notice due.

        Opportunities come whether or not anybody bids: those of minutes without money are gone.
        """
        self._gap = seconds / auctions
        self._began = asyncio.get_running_loop().time()
        tellers = [asyncio.create_task(self._teller()) for _ in range(_TELLERS)]
        await asyncio.gather(*[self._buyer(auctions) for _ in range(at_once)])
        self._closing = True
        await asyncio.gather(*tellers)
        for door in self._doors:
            door.close()
        # Sockets close in the loop's next turns.
        await asyncio.sleep(0.01)

    def _door(self) -> Door | None:
        up = [door for door in self._doors if door.up]
        return self._random.choice(up) if up else None

    async def _buyer(self, auctions: int) -> None:
        books = self.books
        while books.auctions < auctions:
            if len(self._due) > _MOST_DUE:
                # Notices wait: an exchange would not sell what it cannot settle.
                await asyncio.sleep(0.05)
                continue
            number = books.auctions = books.auctions + 1
            early = self._began + number * self._gap - asyncio.get_running_loop().time()
            if early > 0:
                await asyncio.sleep(early)
            await self._auction(number)

    async def _auction(self, number: int) -> None:
        door, books = self._door(), self.books
        if door is None:
            books.unanswered += 1
            await asyncio.sleep(0.05)
            return
        request = post(BID, _encode(self._request(number)))
        try:
            answer = await door.ask(request)
        except _BROKEN:
            books.unanswered += 1
            return
        if answer.status != 200:
            books.told[f"bid {answer.status}"] += 1
            return
        for seat in _decode(answer.body)["seatbid"]:
            for bid in seat["bid"]:
                books.bids += 1
                self._sell(bid)

    def _request(self, number: int) -> dict[str, Any]:
        return {
            "id": f"a{number}",
            "at": 2,
            "tmax": 2_000,
            "cur": ["USD"],
            "imp": [
                {"id": "1", "banner": {"w": 300, "h": 250}, "bidfloor": 0.01, "secure": 1}
            ],
            "site": {"domain": self._random.choice(self._sites), "page": "https://x.example/"},
            "device": {"devicetype": 2, "ua": "Mozilla/5.0", "ip": "203.0.113.7"},
        }  # fmt: skip

    def _sell(self, bid: dict[str, Any]) -> None:
        """Decide an auction and put its notices on their way, some of them twice or forged."""
        chance = self._random
        market = round(0.6 * chance.lognormvariate(0, 0.5), 4)
        campaign: str = bid["cid"]
        if bid["price"] > market:
            self.books.wins += 1
            micros = _half_even(round(market * 1_000_000), 1_000)
            price = f"{market:.4f}"
            self._tell("nurl", bid, price, campaign, 0)
            for _ in range(chance.choice((1, 1, 2, 3))):
                self._tell("burl", bid, price, campaign, micros)
            if chance.random() < 0.01:
                # A greedy and a forged bill, and a loss that contradicts: none may count.
                self._tell("burl", bid, f"{bid['price'] * 3:.4f}", campaign, 0, "greedy")
                forged = {"burl": bid["burl"].replace("token=", "token=A")}
                self._tell("burl", forged, price, campaign, 0, "forged")
        elif chance.random() < 0.7:
            for _ in range(chance.choice((1, 1, 2))):
                self._tell("lurl", bid, f"{market:.4f}", campaign, 0)

    def _tell(
        self, word: str, bid: dict[str, Any], price: str, campaign: str, micros: int, kind: str = ""
    ) -> None:
        parts = urlsplit(bid[word])
        query = parts.query.replace("${AUCTION_PRICE}", price)
        query = query.replace("${AUCTION_CURRENCY}", "USD").replace("${AUCTION_MIN_TO_WIN}", "")
        query = query.replace("${AUCTION_LOSS}", "102").replace("${AUCTION_MULTIPLIER}", "1")
        delay = self._random.expovariate(1.5)
        self._push(delay, f"{parts.path}?{query}", kind or word, campaign, micros, 0)

    def _push(
        self, delay: float, path: str, word: str, campaign: str, micros: int, tries: int
    ) -> None:
        self._numbers += 1
        at = asyncio.get_running_loop().time() + delay
        heapq.heappush(self._due, _Due(at, self._numbers, path, word, campaign, micros, tries))

    async def _teller(self) -> None:
        loop = asyncio.get_running_loop()
        while self._due or not self._closing:
            if not self._due or self._due[0].at > loop.time():
                await asyncio.sleep(0.01)
                continue
            due = heapq.heappop(self._due)
            await self._deliver(due)

    async def _deliver(self, due: _Due) -> None:
        door = self._door()
        answer: Answer | None = None
        if door is not None:
            request = f"GET {due.path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
            try:
                answer = await door.ask(request)
            except _BROKEN:
                answer = None
        if (answer is None or answer.status >= 500) and due.tries < _TRIES:
            self._push(0.2, *due[2:6], due.tries + 1)
            return
        books = self.books
        told = "nobody" if answer is None else answer.told or str(answer.status)
        books.told[f"{due.word} {told}"] += 1
        if due.word == "burl":
            self._settle(due, told)

    def _settle(self, due: _Due, told: str) -> None:
        """Write a bill into the books, once however often it was told."""
        if due.path in self._settled:
            return
        if told in ("taken", "duplicate"):
            # A duplicate without a taken: its first answer was lost on the way.
            self._settled.add(due.path)
            self.books.owed[due.campaign] += due.micros
            self.books.unpaid.pop(due.path, None)
            if len(self.books.bills) < 1_000:
                self.books.bills.append((due.path, due.campaign))
        else:
            self.books.unpaid[due.path] = (due.campaign, due.micros)


def _half_even(number: int, by: int) -> int:
    whole, rest = divmod(number, by)
    return whole + (2 * rest > by or (2 * rest == by and whole % 2 == 1))
