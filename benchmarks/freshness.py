"""Freshness: an event changes the next recommendation, for everyone and at once.

For a hundred users of the Beauty log: an answer, an event about an item that was not in it,
and, from its 202 on, the time until a different answer is in hand. Counts changed answers by
their items alone: a new decision_id is not a change.
"""

import http.client
import json
import time

import numpy as np

from benchmarks.beauty import Beauty, beauty_home, refuse_empty
from benchmarks.harness import Arguments, Outcome, at_most, exactly
from benchmarks.servers import Server, our_service

USERS = 100
PATIENCE_S = 1.0
"""Asked again until the answer differs, or so long: late is measured, never is not waited for."""


class _Shopper:
    """One kept-alive connection of an app to the service."""

    def __init__(self, server: Server) -> None:
        self.link = http.client.HTTPConnection(*server.address, timeout=30)

    def _post(self, path: str, body: dict[str, object]) -> tuple[int, dict[str, object]]:
        self.link.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
        answer = self.link.getresponse()
        return answer.status, json.loads(answer.read())

    def slate(self, user: str) -> list[str]:
        """Ask for 20 items."""
        _, answer = self._post("/v1/recommendations", {"user": user, "k": 20})
        places = answer["items"]
        assert isinstance(places, list)
        return [place["item"] for place in places]

    def click(self, user: str, item: str) -> int:
        """Post one event; answer the status."""
        event: dict[str, object] = {"user": user, "kind": "add_to_cart", "item": item}
        return self._post("/v1/events", event)[0]


def _one(shopper: _Shopper, user: str, items: list[str], turn: int) -> float | None:
    """Answer the ms from the event's 202 to a changed answer in hand, None when never."""
    before = shopper.slate(user)
    item = next(item for item in items[turn * 97 % len(items) :] + items if item not in before)
    status = shopper.click(user, item)
    acknowledged = time.perf_counter()
    while status == 202 and time.perf_counter() - acknowledged < PATIENCE_S:
        if shopper.slate(user) != before:
            return (time.perf_counter() - acknowledged) * 1e3
    return None


def _measure(server: Server, beauty: Beauty) -> dict[str, float]:
    shopper = _Shopper(server)
    items = sorted({item for history in beauty.histories.values() for item in history})
    users = beauty.users[:: len(beauty.users) // USERS][:USERS]
    times = [_one(shopper, user, items, turn) for turn, user in enumerate(users)]
    seen = [ms for ms in times if ms is not None]
    p50, p99 = np.percentile(seen, [50, 99]) if seen else (np.nan, np.nan)
    return {"changed": len(seen), "p50_ms": float(p50), "p99_ms": float(p99)}


def run(arguments: Arguments) -> Outcome:
    """Measure a hundred events; raises TooLittleData without the log or over an empty store."""
    with beauty_home(arguments) as beauty, our_service(beauty.home, None) as server:
        refuse_empty(server, beauty)
        figures = _measure(server, beauty)
    bars = [exactly("changed", figures, USERS), at_most("p99_ms", figures, 50.0)]
    return Outcome(figures, bars, [f"{USERS} users of the Beauty log, one event each"])
