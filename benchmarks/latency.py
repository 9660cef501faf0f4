"""Latency: our two hottest routes beside the reference endpoint, in the same minutes.

`/v1/recommendations` (k=20, every user of the Beauty log, 12,101 items) and `/v1/events`
(single) against FastAPI with pydantic at the same body size: 32 connections, one worker each.
Server and client are pinned to different cores; reference and ours alternate; medians.

With --catalogue only recommendations are asked for, over so many items: those of the log, or a
synthetic log made of copies of it (see benchmarks.beauty).
"""

import os
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks import reference
from benchmarks.beauty import ITEMS, Beauty, beauty_home, refuse_empty
from benchmarks.embedded import held_server
from benchmarks.harness import Arguments, Bar, Outcome, at_least, at_most, medians
from benchmarks.load import Load, MakeRequest, drive, post
from benchmarks.servers import Server, cores, our_service, pinned, reference_server

CONNECTIONS = 32
ROUNDS = 5
BODY_BYTES = 480
"""Every body of a run has this size: a real event's, and enough for the reference's fields."""


@dataclass(slots=True, frozen=True)
class Route:
    """One route of ours to measure, and its bars."""

    name: str
    path: str
    expect: int
    least_ratio: float
    body: Callable[[Beauty, int], bytes]


def _padded(text: str) -> bytes:
    """Pad an object with blanks, which JSON allows before its last brace."""
    body = text.encode()
    return body[:-1] + b" " * (BODY_BYTES - len(body)) + b"}"


def recommendation_body(beauty: Beauty, number: int) -> bytes:
    """Ask for one user after another, in an order that is not the file's."""
    users = beauty.users
    return _padded(f'{{"user":"{users[number * 7_919 % len(users)]}","k":20}}')


def event_body(beauty: Beauty, number: int) -> bytes:
    """Send a full event, a new one each time, for one user after another."""
    users = beauty.users
    user = users[number * 7_919 % len(users)]
    items = beauty.histories[user]
    return _padded(
        f'{{"event_id":"latency-{number:014d}","user":"{user}","kind":"click",'
        f'"item":"{items[number % len(items)]}","value":12.5,"quantity":1,"channel":"web",'
        f'"campaign":"spring","properties":{{"page":"home","position":{number % 20}}}}}'
    )


ROUTES = (
    Route("recommendations", "/v1/recommendations", 200, 0.5, recommendation_body),
    Route("events", "/v1/events", 202, 0.8, event_body),
)
P99_BAR = 3.0
CATALOGUE_P99_MS = 25.0
MANY_ITEMS = 50_000
"""From so many items on, a fifth of the reference's requests will do; below it, three tenths."""


def catalogue_bars(items: int, figures: dict[str, float]) -> list[Bar]:
    """Answer what recommendations over a catalogue of so many items must hold."""
    least = 0.2 if items >= MANY_ITEMS else 0.3
    return [
        at_least("recommendations_ratio", figures, least),
        at_most("recommendations_p99_ms", figures, CATALOGUE_P99_MS),
    ]


@dataclass(slots=True)
class Bench:
    """The servers under load and how far the numbering of requests has come."""

    ours: Server
    theirs: Server
    seconds: float
    sent: int = 0
    client_cpu: float = 0.0
    client_requests: int = 0

    def load(
        self, server: Server, make: MakeRequest, expect: int, *, nothing: bool = False
    ) -> Load:
        """Load one server for one stretch; nothing: a 204 is an answer as well."""
        before = sum(os.times()[:2])
        load = drive(
            server.address,
            make,
            expect=expect,
            connections=CONNECTIONS,
            seconds=self.seconds,
            first=self.sent,
            nothing=nothing,
        )
        self.client_cpu += sum(os.times()[:2]) - before
        self.client_requests += load.requests
        # Numbers are not used twice: an event sent again would be a cheap duplicate.
        self.sent = load.next
        return load

    def compare(self, route: Route, beauty: Beauty) -> dict[str, float]:
        """Load the reference and our route, one after the other; answer both and their ratios."""
        question = post("/reference", reference.body(BODY_BYTES))
        ours_make = _requests(route, beauty)
        theirs = self.load(self.theirs, lambda _: question, 200)
        ours = self.load(self.ours, ours_make, route.expect)
        name = route.name
        return {
            f"{name}_ratio": ours.per_second / theirs.per_second,
            f"{name}_p99_ratio": ours.p99_ms / theirs.p99_ms,
            f"{name}_per_second": ours.per_second,
            f"{name}_p50_ms": ours.p50_ms,
            f"{name}_p99_ms": ours.p99_ms,
            f"{name}_reference_per_second": theirs.per_second,
            f"{name}_reference_p99_ms": theirs.p99_ms,
        }


def _requests(route: Route, beauty: Beauty) -> MakeRequest:
    return lambda number: post(route.path, route.body(beauty, number))


def run(arguments: Arguments) -> Outcome:
    """Measure both routes; raises TooLittleData without the log or over an empty store."""
    server_core, client_core = cores()
    rounds = arguments.runs or ROUNDS
    figures: dict[str, float] = {}
    routes = ROUTES[:1] if arguments.catalogue else ROUTES
    with (
        beauty_home(arguments) as beauty,
        # Valkey shares the client's core: in production it stands on another machine.
        held_server(beauty.home, client_core),
        our_service(beauty.home, server_core) as ours,
        reference_server(server_core) as theirs,
        pinned(client_core),
    ):
        refuse_empty(ours, beauty)
        bench = Bench(ours, theirs, arguments.seconds or 4.0)
        for route in routes:
            figures |= medians([bench.compare(route, beauty) for _ in range(rounds)])
    figures["client_us_per_request"] = bench.client_cpu / bench.client_requests * 1e6
    if arguments.catalogue:
        items = len({item for history in beauty.histories.values() for item in history})
        figures["catalogue_items"] = items
        bars = catalogue_bars(items, figures)
    else:
        bars = [at_least(f"{route.name}_ratio", figures, route.least_ratio) for route in ROUTES]
        bars += [at_most(f"{route.name}_p99_ratio", figures, P99_BAR) for route in ROUTES]
    notes = [
        f"{rounds} rounds, reference and ours alternating, {CONNECTIONS} connections, bodies of "
        f"{BODY_BYTES} bytes, no access log on either side; medians over the rounds",
        f"servers on core {server_core}; client and Valkey (appendfsync always) on core "
        f"{client_core}; the log writer is not running meanwhile",
    ]
    if figures.get("catalogue_items", 0) > ITEMS:
        notes.append("the catalogue is synthetic: copies of the Beauty log, items renamed")
    return Outcome(figures, bars, notes)
