"""The load generator against a real server: it counts right, and refuses wrong answers."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from benchmarks.load import drive, post
from domain.errors import ScientistError


class _Answering:
    """A server in a thread that answers every request whole, in pieces, or wrongly."""

    def __init__(self, pieces: int, status: str) -> None:
        self.pieces, self.status = pieces, status
        self.requests: list[bytes] = []
        self.ready = threading.Event()
        self.address = ("", 0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().split(b"content-length: ")[1].split(b"\r")[0])
                self.requests.append(await reader.readexactly(length))
                body = b"x" * 1_000
                answer = b"HTTP/1.1 %b\r\ncontent-length: %d\r\n\r\n%b" % (
                    self.status.encode(),
                    len(body),
                    body,
                )
                size = -(-len(answer) // self.pieces)
                for start in range(0, len(answer), size):
                    writer.write(answer[start : start + size])
                    await writer.drain()
                    await asyncio.sleep(0)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def run(self, stop: threading.Event) -> None:
        async def main() -> None:
            server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
            self.address = server.sockets[0].getsockname()[:2]
            self.ready.set()
            await asyncio.to_thread(stop.wait)
            server.close()

        asyncio.run(main())


@contextmanager
def _server(pieces: int = 1, status: str = "200 OK") -> Iterator[_Answering]:
    answering, stop = _Answering(pieces, status), threading.Event()
    thread = threading.Thread(target=answering.run, args=(stop,))
    thread.start()
    assert answering.ready.wait(10)
    try:
        yield answering
    finally:
        stop.set()
        thread.join()


@pytest.mark.parametrize("pieces", [1, 2, 7])
def test_every_request_is_sent_once_and_numbered_without_gaps(pieces: int) -> None:
    with _server(pieces) as server:
        load = drive(
            server.address,
            lambda number: post("/", b"%08d" % number),
            connections=4,
            seconds=0.2,
            warm_seconds=0.05,
            first=100,
        )
        numbers = sorted(int(body) for body in server.requests)
    assert numbers == list(range(100, load.next))
    assert 0 < load.requests <= len(numbers)
    assert load.per_second > 0
    assert 0 < load.p50_ms <= load.p99_ms


def test_another_status_is_refused_with_what_was_answered() -> None:
    with _server(status="503 Busy") as server, pytest.raises(ScientistError, match="503"):
        drive(server.address, lambda _: post("/", b"x"), seconds=0.1, warm_seconds=0.05)


def test_the_expected_status_may_be_another() -> None:
    with _server(status="202 Accepted") as server:
        load = drive(
            server.address,
            lambda _: post("/", b"x"),
            expect=202,
            seconds=0.1,
            warm_seconds=0.05,
        )
    assert load.requests > 0


def test_a_request_says_how_long_it_is() -> None:
    request = post("/v1/events", b'{"a": 1}')
    assert request.startswith(b"POST /v1/events HTTP/1.1\r\n")
    assert b"Content-Length: 8\r\n" in request
    assert request.endswith(b'\r\n\r\n{"a": 1}')
