"""Freshness: what counts as a change, on a service that answers by a known rule."""

import json
import threading
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any, cast

import pytest

from benchmarks import freshness
from benchmarks.servers import Server

ITEMS = [f"item-{number}" for number in range(60)]


class _Service(BaseHTTPRequestHandler):
    """Answers the first K items not clicked; deaf users change nothing, keen ones reverse."""

    protocol_version = "HTTP/1.1"
    clicked: dict[str, list[str]]

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        user = body["user"]
        clicked = self.clicked.setdefault(user, [])
        if self.path == "/v1/events":
            if user != "deaf":
                clicked.append(body["item"])
            self._answer(202, {})
            return
        items = [item for item in ITEMS if item not in clicked]
        if clicked and user == "keen":
            items.reverse()
        self._answer(200, {"items": [{"item": item} for item in items[: body["k"]]]})

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    _Service.clicked = {}
    with ThreadingHTTPServer(("127.0.0.1", 0), _Service) as running:
        running.daemon_threads = True
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield cast(Server, SimpleNamespace(address=running.server_address))
        running.shutdown()
        thread.join()


def _one(server: Server, user: str, place: int) -> "freshness._Change | None":
    with closing(freshness._Shopper(server)) as shopper:
        return freshness._one(shopper, user, place)


def test_an_answer_without_the_clicked_item_is_changed(server: Server) -> None:
    change = _one(server, "plain", 4)
    assert change is not None
    assert not change.reranked
    assert 0 < change.ms < 1_000


def test_an_answer_in_another_order_is_reranked(server: Server) -> None:
    change = _one(server, "keen", 4)
    assert change is not None
    assert change.reranked


def test_an_answer_that_stays_is_counted_as_never(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(freshness, "PATIENCE_S", 0.05)
    assert _one(server, "deaf", 0) is None
