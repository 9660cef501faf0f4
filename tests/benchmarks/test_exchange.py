"""The simulated exchange keeps honest books: each bill once, refusals apart, retries until told."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import ROUND_HALF_EVEN, Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.exchange import Door, Exchange, _half_even

Respond = Callable[[str, bytes], tuple[int, str, bytes]]
BID = {
    "id": "b", "impid": "1", "price": 100.0, "cid": "c1",
    "nurl": "http://x/win?token=t{}&price=${{AUCTION_PRICE}}",
    "burl": "http://x/bill?token=t{}&price=${{AUCTION_PRICE}}",
    "lurl": "http://x/loss?token=t{}",
}  # fmt: skip


@asynccontextmanager
async def worker(respond: Respond) -> AsyncIterator[int]:
    """Serve HTTP as `respond` says: (path, body) → status, what was told, body."""
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                length = head.lower().partition("content-length: ")[2].partition("\r\n")[0]
                sent = await reader.readexactly(int(length or 0))
                status, told, body = respond(head.split(" ")[1], sent)
                lines = [f"HTTP/1.1 {status} OK"]
                if told:
                    lines.append(f"x-sanderling-notice: {told}")
                if status != 204:
                    lines.append(f"content-length: {len(body)}")
                writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()
    for writer in writers:
        writer.close()
    await asyncio.sleep(0.01)


def bidding(told: Callable[[str], tuple[int, str]]) -> tuple[Respond, list[str]]:
    """Bid on every auction under a token of its own; `told` answers notices."""
    heard: list[str] = []

    def respond(path: str, body: bytes) -> tuple[int, str, bytes]:
        if path.startswith("/v1/openrtb2/bid"):
            number = msgspec.json.decode(body)["id"]
            bid = {
                name: value.format(number) if isinstance(value, str) else value
                for name, value in BID.items()
            }
            return 200, "", msgspec.json.encode({"seatbid": [{"bid": [bid]}]})
        heard.append(path)
        return *told(path), b""

    return respond, heard


@pytest.mark.parametrize("auctions", [1, 40])
async def test_a_bill_is_in_the_books_once_however_often_it_was_told(auctions: int) -> None:
    seen: set[str] = set()

    def told(path: str) -> tuple[int, str]:
        if "token=A" in path or path.count("price=300.0"):
            return 400, ""
        answer = "duplicate" if path in seen else "taken"
        seen.add(path)
        return 204, answer

    respond, heard = bidding(told)
    async with worker(respond) as port:
        exchange = Exchange([Door(port)], ["s.example"], seed=1)
        await exchange.run(auctions, 4, 0.0)
    books = exchange.books
    assert (books.auctions, books.bids, books.wins) == (auctions, auctions, auctions)
    bills = {path for path in heard if path.startswith("/bill") and "token=ta" in path}
    prices = [float(path.rpartition("price=")[2]) for path in bills if "300.0" not in path]
    assert len(prices) == auctions
    assert books.owed["c1"] == sum(_half_even(round(price * 1e6), 1_000) for price in prices)
    assert not books.unpaid


async def test_refused_bills_are_apart_and_a_worker_that_fails_is_asked_again() -> None:
    failed: set[str] = set()

    def told(path: str) -> tuple[int, str]:
        if path not in failed:
            failed.add(path)
            return 503, ""
        return 204, "late"

    respond, _ = bidding(told)
    async with worker(respond) as port:
        exchange = Exchange([Door(port)], ["s.example"], seed=1)
        await exchange.run(5, 2, 0.0)
    assert exchange.books.owed["c1"] == 0
    assert len(exchange.books.unpaid) == 5
    assert exchange.books.told["nurl late"] == 5


async def test_without_a_worker_auctions_go_unanswered() -> None:
    door = Door(1)
    exchange = Exchange([door], ["s.example"], seed=1)
    await exchange.run(2, 1, 0.0)
    door.up = False
    again = Exchange([door], ["s.example"], seed=1)
    await again.run(1, 1, 0.0)
    assert (exchange.books.unanswered, again.books.unanswered) == (2, 1)


@given(st.integers(0, 10**12), st.integers(1, 10**6))
def test_rounding_is_half_to_even(number: int, by: int) -> None:
    exact = (Decimal(number) / by).to_integral_value(rounding=ROUND_HALF_EVEN)
    assert _half_even(number, by) == exact
