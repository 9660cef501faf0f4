"""Freshness: an event changes the next recommendation, for everyone and at once.

For a hundred users of the Beauty log, as an app does it: an answer, a click on an item in it,
and, from the click's 202 on, the time until a different answer is in hand. An answer is
different when its items are; `reranked` says how many differ by more than the clicked item.
"""

import http.client
import json
import time
from contextlib import closing
from typing import NamedTuple

import numpy as np

from benchmarks.beauty import Beauty, beauty_home, refuse_empty
from benchmarks.harness import Arguments, Outcome, at_most, exactly
from benchmarks.servers import Server, our_service

USERS = 100
K = 20
PATIENCE_S = 1.0
"""Asked again until the answer differs, or so long: late is measured, never is not waited for."""


class _Shopper:
    """One kept-alive connection of an app to the service."""

    def __init__(self, server: Server) -> None:
        self.link = http.client.HTTPConnection(*server.address, timeout=30)

    def close(self) -> None:
        """Hang up."""
        self.link.close()

    def _post(self, path: str, body: dict[str, object]) -> tuple[int, dict[str, object]]:
        self.link.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
        answer = self.link.getresponse()
        return answer.status, json.loads(answer.read())

    def slate(self, user: str) -> list[str]:
        """Ask for K items."""
        _, answer = self._post("/v1/recommendations", {"user": user, "k": K})
        places = answer["items"]
        assert isinstance(places, list)
        return [place["item"] for place in places]

    def click(self, user: str, item: str) -> int:
        """Post one event; answer the status."""
        event: dict[str, object] = {"user": user, "kind": "click", "item": item}
        return self._post("/v1/events", event)[0]


class _Change(NamedTuple):
    """ms from the event's 202 to a changed answer in hand; whether the rest moved too."""

    ms: float
    reranked: bool


def _one(shopper: _Shopper, user: str, place: int) -> _Change | None:
    """Click the item at `place` of a user's answer; None when the answer never changes."""
    before = shopper.slate(user)
    status = shopper.click(user, before[place])
    acknowledged = time.perf_counter()
    while status == 202 and time.perf_counter() - acknowledged < PATIENCE_S:
        after = shopper.slate(user)
        if after != before:
            ms = (time.perf_counter() - acknowledged) * 1e3
            rest = [item for item in before if item != before[place]]
            return _Change(ms, [item for item in after if item != before[place]][: K - 1] != rest)
    return None


def _measure(server: Server, beauty: Beauty) -> dict[str, float]:
    users = beauty.users[:: len(beauty.users) // USERS][:USERS]
    with closing(_Shopper(server)) as shopper:
        changes = [_one(shopper, user, turn % K) for turn, user in enumerate(users)]
    seen = [change for change in changes if change is not None]
    times = [change.ms for change in seen] or [np.nan]
    return {
        "changed": len(seen),
        "reranked": sum(change.reranked for change in seen),
        "p50_ms": float(np.percentile(times, 50)),
        "p99_ms": float(np.percentile(times, 99)),
    }


def run(arguments: Arguments) -> Outcome:
    """Measure a hundred events; raises TooLittleData without the log or over an empty store."""
    with beauty_home(arguments) as beauty, our_service(beauty.home, None) as server:
        refuse_empty(server, beauty)
        figures = _measure(server, beauty)
    bars = [exactly("changed", figures, USERS), at_most("p99_ms", figures, 50.0)]
    return Outcome(
        figures,
        bars,
        [f"{USERS} users of the Beauty log, one click each on a place of their answer"],
    )
