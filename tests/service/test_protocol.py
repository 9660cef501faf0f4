"""The short way through HTTP: the same answers as uvicorn's own, and nothing else gets through."""

import asyncio
import gzip
import json
import threading
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn

from domain.errors import BadField
from service.app import create_app
from service.context import Context
from service.dispatch import Dispatcher
from service.http import Headers, Reply, Request, Route
from service.protocol import MOST_BODY, QuickProtocol
from service.routes.table import ROUTES as TABLE
from service.settings import ServiceSettings
from tests.service.serving import app_in_memory, free_port

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[Any]]


async def echo(context: Context, request: Request) -> Reply:
    """Answer what was sent, and how."""
    if request.body == b"fault":
        raise RuntimeError("user-4711 must not show")
    if request.body == b"refuse":
        raise BadField("not that", field="body")
    if request.body == b"slow":
        await asyncio.sleep(0.2)
    told = {"query": request.query.decode(), "size": len(request.body), "path": request.path,
            "headers": sorted(name.decode() for name, _ in request.headers)}  # fmt: skip
    return Reply(200, json.dumps(told).encode(), ((b"x-way", b"route"),))


async def nothing(context: Context, request: Request) -> Reply:
    return Reply(204, b"", ((b"x-way", b"route"),))


def turn_away(context: Context, headers: Headers) -> Reply | None:
    return Reply(204, b"", ((b"x-full", b"1"),)) if (b"x-full", b"1") in headers else None


LEFT: list[int] = []
ROUTES = (
    Route("POST", "/echo", echo, "", "t", body_cap=200_000),
    Route("POST", "/small", echo, "", "t", body_cap=100),
    Route("POST", "/nothing", nothing, "", "t", body_cap=100, admit=turn_away,
          leave=lambda context: LEFT.append(1)),
)  # fmt: skip


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    """A real server on the loop it is served on, over a store in memory."""
    with (
        app_in_memory(tmp_path_factory.mktemp("home")) as held,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr("service.app.ROUTES", ROUTES)
        context = held.context
        context.settings = ServiceSettings(body_timeout_s=0.3)

        @asynccontextmanager
        async def opening() -> AsyncGenerator[Context, None]:
            yield context

        port = free_port()
        server = uvicorn.Server(
            uvicorn.Config(create_app(opening), port=port, loop="uvloop", http=QuickProtocol,
                           log_config=None, access_log=False, server_header=False,
                           proxy_headers=False, ws="none")
        )  # fmt: skip
        thread = threading.Thread(target=server.run)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield "127.0.0.1", port
        server.should_exit = True
        thread.join()


def talk(
    address: tuple[str, int], *pieces: bytes, pause: float = 0.02, ends: bool = False
) -> bytes:
    """Send pieces one after the other and answer all that came until it was quiet, or closed."""

    async def run() -> bytes:
        reader, writer = await asyncio.open_connection(*address)
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause)
        found = b""
        while True:
            try:
                chunk = await asyncio.wait_for(
                    reader.read(65_536), 5.0 if ends or not found else 0.4
                )
            except TimeoutError:
                break
            if not chunk:
                break
            found += chunk
        writer.close()
        await writer.wait_closed()
        return found

    return asyncio.run(run())


def posted(path: str, body: bytes = b"{}", *headers: str, length: int | None = None) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: x", *headers]
    lines.append(f"Content-Length: {len(body) if length is None else length}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def read(answer: bytes) -> tuple[int, dict[str, str], bytes]:
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    return int(first.split()[1]), dict(line.split(": ", 1) for line in lines), body


def test_a_whole_request_is_answered(address: tuple[str, int]) -> None:
    status, headers, body = read(talk(address, posted("/echo?a=1&b", b"hello", "X-One: 1")))
    told = json.loads(body)
    assert (status, headers["content-length"]) == (200, str(len(body)))
    assert (headers["content-type"], headers["x-way"]) == ("application/json", "route")
    assert "date" in headers
    assert (told["query"], told["size"], told["path"]) == ("a=1&b", 5, "/echo")
    assert "x-one" in told["headers"]


def test_nothing_has_no_length(address: tuple[str, int]) -> None:
    status, headers, body = read(talk(address, posted("/nothing")))
    assert (status, body) == (204, b"")
    assert not {"content-length", "content-type", "transfer-encoding"} & set(headers)


def test_a_request_may_come_in_pieces(address: tuple[str, int]) -> None:
    whole = posted("/echo", b"abcdef")
    status, _, body = read(talk(address, *[whole[i : i + 9] for i in range(0, len(whole), 9)]))
    assert (status, json.loads(body)["size"]) == (200, 6)


def test_a_connection_is_kept_and_closed_as_it_is_told(address: tuple[str, int]) -> None:
    both = talk(address, posted("/echo", b"1"), posted("/echo", b"22"))
    assert both.count(b"HTTP/1.1 200") == 2
    last = talk(address, posted("/echo", b"1", "Connection: close"), ends=True)
    assert read(last)[1]["connection"] == "close"


def test_pipelined_requests_are_answered_in_order(address: tuple[str, int]) -> None:
    found = talk(
        address, posted("/echo", b"slow") + posted("/echo", b"1") + posted("/nothing"), ends=False
    )
    assert [part[:3] for part in found.split(b"HTTP/1.1 ")[1:]] == [b"200", b"200", b"204"]
    assert found.index(b'"size": 4') < found.index(b'"size": 1')


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (posted("/echo", b"x" * (MOST_BODY + 1)), 200),
        (b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
         b"2\r\n{}\r\n0\r\n\r\n", 200),
        (b"POST /echo HTTP/1.0\r\nContent-Length: 2\r\n\r\n{}", 200),
        (posted("/%65cho"), 200),
        (posted("/echo/"), 200),
        (b"GET /echo HTTP/1.1\r\nHost: x\r\n\r\n", 405),
        (posted("/nowhere"), 404),
        (posted("/small", b"x" * 101), 413),
        (posted("/echo", b"{}", "Content-Encoding: br"), 415),
        (b"POST /echo HTTP/1.1\r\nContent-Length: x\r\n\r\n", 400),
        (b"nonsense\r\n\r\n", 400),
    ],
    ids=["large", "chunked", "1.0", "encoded path", "slash", "method", "path", "cap", "coding",
         "no length", "no http"],
)  # fmt: skip
def test_every_other_way_still_leads_to_an_answer(
    address: tuple[str, int], request_: bytes, status: int
) -> None:
    assert read(talk(address, request_))[0] == status


def test_headers_without_end_are_cut_off(address: tuple[str, int]) -> None:
    head = b"POST /echo HTTP/1.1\r\nHost: x\r\nX-Long: "
    found = talk(address, head, *[b"y" * 20_000] * 4, ends=True)
    assert read(found)[0] == 400
    assert b"65,536" in found
    # A long body is none of this: whatever comes with its headers is counted by its own cap.
    assert read(talk(address, posted("/echo", b"x" * 150_000)))[0] == 200


def test_who_waits_to_be_asked_for_the_body_is_asked(address: tuple[str, int]) -> None:
    asked = posted("/echo", b"", "Expect: 100-continue", length=2)
    found = talk(address, asked, b"{}", pause=0.2)
    assert found.startswith(b"HTTP/1.1 100 Continue\r\n\r\n")
    assert b"HTTP/1.1 200" in found


def test_gzip_is_undone(address: tuple[str, int]) -> None:
    packed = gzip.compress(b"a" * 5_000)
    status, _, body = read(talk(address, posted("/echo", packed, "Content-Encoding: gzip")))
    assert (status, json.loads(body)["size"]) == (200, 5_000)
    bomb = posted("/small", gzip.compress(b"a" * 5_000), "Content-Encoding: gzip")
    assert read(talk(address, bomb))[0] == 413


def test_errors_are_told_and_faults_are_not(address: tuple[str, int]) -> None:
    status, _, body = read(talk(address, posted("/echo", b"refuse")))
    assert (status, json.loads(body)["error"]["field"]) == (400, "body")
    status, _, body = read(talk(address, posted("/echo", b"fault")))
    assert status == 500
    assert b"4711" not in body


def test_who_is_turned_away_costs_nothing_more(address: tuple[str, int]) -> None:
    LEFT.clear()
    status, headers, _ = read(talk(address, posted("/nothing", b"{}", "X-Full: 1")))
    assert (status, headers.get("x-full"), LEFT) == (204, "1", [])
    assert read(talk(address, posted("/nothing")))[1]["x-way"] == "route"
    # Whoever was let in leaves, also when the body could not be read.
    assert read(talk(address, posted("/nothing", b"x", "Content-Encoding: gzip")))[0] == 400
    assert LEFT == [1, 1]


def test_a_body_that_does_not_come_is_given_up(address: tuple[str, int]) -> None:
    started = time.monotonic()
    status, headers, body = read(talk(address, posted("/echo", b"{", length=50), ends=True))
    assert (status, headers["connection"]) == (408, "close")
    assert json.loads(body)["error"]["code"] == "request_timeout"
    assert time.monotonic() - started < 4


def test_who_hangs_up_leaves_nothing_behind(address: tuple[str, int]) -> None:
    async def leave() -> None:
        for request_ in (posted("/echo", b"{", length=50), posted("/echo", b"slow"), b"POST /ec"):
            _, writer = await asyncio.open_connection(*address)
            writer.write(request_)
            await writer.drain()
            writer.transport.abort()
        await asyncio.sleep(0.4)

    asyncio.run(leave())
    assert read(talk(address, posted("/nothing")))[0] == 204


def test_only_routes_that_answer_in_one_piece_go_the_short_way() -> None:
    async def inner(*_: Any) -> None:
        raise AssertionError

    quick = Dispatcher(TABLE, inner).quick_routes()
    assert (b"POST", b"/v1/openrtb2/bid") in quick
    assert {method for method, _ in quick} == {b"POST"}
    assert not [path for _, path in quick if b"{" in path]
