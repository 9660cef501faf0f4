"""What the tests of the demo share: a small real HTTP server that answers as it is told to."""

import io
import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from demo.calls import Service
from demo.telling import Teller

Behaviour = Callable[[str, str, Any], tuple[Any, ...]]


class Desk:
    """A server whose behaviour (method, path, body) -> (status, answer, headers) a test sets.

    Headers may be left out.
    """

    def __init__(self) -> None:
        self.behaviour: Behaviour = lambda method, path, body: (404, {})
        self.seen: list[tuple[str, str, Any]] = []
        desk = self

        class Handler(BaseHTTPRequestHandler):
            def _reply(self) -> None:
                size = int(self.headers.get("content-length") or 0)
                body = json.loads(self.rfile.read(size)) if size else None
                desk.seen.append((self.command, self.path, body))
                status, answer, *headers = desk.behaviour(self.command, self.path, body)
                raw = answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("content-length", str(len(raw)))
                for name, value in (headers[0] if headers else {}).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(raw)

            do_GET = do_POST = do_PUT = do_DELETE = _reply

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.base = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = Thread(target=self.server.serve_forever, args=(0.01,))

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def desk() -> Iterator[Desk]:
    made = Desk()
    made.thread.start()
    yield made
    made.close()


@pytest.fixture
def out() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def teller(out: io.StringIO) -> Teller:
    return Teller(out)


@pytest.fixture
def service(desk: Desk, teller: Teller) -> Service:
    return Service(desk.base, teller)
