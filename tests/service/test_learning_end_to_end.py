"""Bids, notices and clicks of a real server with two workers: each outcome moves what both
believe within 30 s, and a worker that comes anew stands where the others are."""

import json
import math
import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from feature_store.opening import open_store
from feature_store.settings import Home
from feature_store.store import StoreSettings
from tests.service.openrtb.making import imp, request
from tests.service.routes.test_bids import TEA
from tests.service.serving import Server, serving

WITHIN_S = 30.0
CLICKS, NOTICES, LOCATION = (
    f"sanderling_bid_{name}" for name in ("lore_clicks", "landscape_notices", "landscape_location")
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("learning")
    slow = {"SANDERLING_BID_CAP_MS": "1000", "SANDERLING_BID_MARGIN_MS": "0"}
    with serving(home, "--workers", "2", "--no-log-writer", **slow) as one:
        body = TEA | {"budget": {"total": 100}}
        status, told, _ = one.request("PUT", "/v1/campaigns/tea", json.dumps(body).encode())
        assert status == 200, told
        yield one


def by_worker(server: Server, name: str) -> dict[int, float]:
    """Answer what every worker's gauge says, by its process."""
    text = server.get("/metrics")[1].decode()
    found = re.findall(rf'^{name}\{{pid="(\d+)"\}} (\S+)$', text, re.MULTILINE)
    return {int(pid): float(value) for pid, value in found}


def within(server: Server, holds: Callable[[], bool]) -> float:
    """Wait until it holds, for WITHIN_S at most; answer how long it took."""
    started = time.monotonic()
    server.until(holds, WITHIN_S)
    return time.monotonic() - started


def bid(server: Server) -> dict[str, Any]:
    """Answer a bid, as soon as there is money for one."""
    body = json.dumps(request(imp(), tmax=2_000)).encode()
    made: list[dict[str, Any]] = []

    def asked() -> bool:
        status, told, _ = server.request("POST", "/v1/openrtb2/bid", body)
        assert status in (200, 204), told
        if status == 200:
            made.append(json.loads(told)["seatbid"][0]["bid"][0])
        return bool(made)

    server.until(asked, 30.0)
    return made[0]


def tell(server: Server, url: str, price: float) -> str:
    """Tell a notice as an exchange does; answer what became of it."""
    path = url.partition("/v1/")[2].replace("${AUCTION_PRICE}", f"{price:.4f}")
    path = re.sub(r"\$\{[A-Z_:]+\}", "", path)
    status, told, headers = server.request("GET", f"/v1/{path}")
    assert status == 204, told
    return headers["x-sanderling-notice"]


def test_notices_and_clicks_move_both_workers(server: Server) -> None:
    # One and a half a thousand is the campaign's standard bid: both begin there.
    start = [pytest.approx(math.log(1.5e6))] * 2
    server.until(lambda: list(by_worker(server, LOCATION).values()) == start)
    before = by_worker(server, LOCATION)
    won: list[dict[str, Any]] = []
    for number in range(16):
        won.append(bid(server))
        price = won[-1]["price"] * (0.4 + 0.01 * number)
        assert tell(server, won[-1]["nurl"], price) == "taken"
        assert tell(server, won[-1]["burl"], price) == "taken"

    def moved() -> bool:
        heard, where = by_worker(server, NOTICES), by_worker(server, LOCATION)
        return (
            heard.keys() == where.keys() == before.keys()
            and min(heard.values()) > 15.9
            and all(where[pid] < before[pid] - 0.2 for pid in where)
        )

    assert within(server, moved) < WITHIN_S
    locations = by_worker(server, LOCATION)
    assert max(locations.values()) - min(locations.values()) < 1e-3, "both believe the same"

    click = {"kind": "click", "user": "ada", "event_id": "e1", "decision_id": won[0]["id"]}
    for _ in range(3):
        assert server.request("POST", "/v1/events", json.dumps(click).encode())[0] == 202

    def clicked() -> bool:
        return [round(value) for value in by_worker(server, CLICKS).values()] == [1, 1]

    assert within(server, clicked) < WITHIN_S


async def test_the_click_was_counted_once(server: Server) -> None:
    store = await open_store(StoreSettings(), Home(server.home))
    (ledger,) = await store.budgets.ledgers([("tea", 0)])
    assert (ledger.clicks, ledger.bills, ledger.wins) == (1, 16, 16)
    await store.close()


def test_a_worker_that_comes_anew_stands_where_the_other_is(server: Server) -> None:
    before = by_worker(server, LOCATION)
    dead = min(before)
    os.kill(dead, signal.SIGKILL)

    def replaced() -> bool:
        where, heard = by_worker(server, LOCATION), by_worker(server, NOTICES)
        return len(where) == 2 and dead not in where and min(heard.values()) > 15.9

    server.until(replaced, 60.0)
    where = by_worker(server, LOCATION)
    assert max(where.values()) - min(where.values()) < 1e-2
    assert tell(server, bid(server)["lurl"], 0.0) == "taken"


def test_nothing_unexpected_happened(server: Server) -> None:
    text = server.get("/metrics")[1].decode()
    assert 'bid_lessons_total{outcome="learned"}' in text
    for outcome in ("corrupt", "lost"):
        assert f'bid_lessons_total{{outcome="{outcome}"}}' not in text
    log = (Path(server.home) / "service.stderr").read_text()
    assert "unexpected" not in log, log[-2_000:]
