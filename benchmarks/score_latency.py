"""Latency of scores: churn and intent beside the reference endpoint, in the same minutes.

`GET /v1/churn/{user}` with reasons and `POST /v1/intent` from stored history, with models of the
sizes that fits make at most, against FastAPI with pydantic: 32 connections, one worker each,
pinned and alternating as in `latency`; medians. Knows nothing of quality.
"""

import json
import urllib.request
from urllib.parse import quote

from benchmarks import reference
from benchmarks.embedded import held_server
from benchmarks.harness import Arguments, Outcome, at_least, medians
from benchmarks.latency import BODY_BYTES, Bench
from benchmarks.load import MakeRequest, post
from benchmarks.scored_home import ScoredHome, scored_home
from benchmarks.servers import Server, cores, our_service, pinned, reference_server
from domain.errors import TooLittleData

ROUNDS = 5
BARS = {"churn": 0.5, "intent": 0.6}
"""Least requests a second, as a ratio to the reference endpoint's."""
_SPREAD = 7_919
"""Users are asked about in an order that is not the file's."""


def churn_request(home: ScoredHome, number: int) -> bytes:
    """Ask for one customer after another."""
    user = home.customers[number * _SPREAD % len(home.customers)]
    return f"GET /v1/churn/{quote(user, safe='')} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


def intent_request(home: ScoredHome, number: int) -> bytes:
    """Ask for one shopper after another, with a body of the reference's size."""
    user = home.shoppers[number * _SPREAD % len(home.shoppers)]
    body = json.dumps({"user": user}).encode()
    return post("/v1/intent", body[:-1] + b" " * (BODY_BYTES - len(body)) + b"}")


def refuse_empty(server: Server, home: ScoredHome) -> None:
    """Raise TooLittleData unless both routes answer by a model, with reasons, from histories."""
    for user in home.customers[:: max(1, len(home.customers) // 50)]:
        with urllib.request.urlopen(server.url(f"/v1/churn/{quote(user, safe='')}")) as reply:
            answer = json.load(reply)
        if answer["fallback"] or not answer["reasons"] or not answer["survival"]:
            raise TooLittleData("churn is not answered by a model: there is nothing to measure")
    for user in home.shoppers[:: max(1, len(home.shoppers) // 50)]:
        asked = urllib.request.Request(
            server.url("/v1/intent"), json.dumps({"user": user}).encode()
        )
        with urllib.request.urlopen(asked) as reply:
            answer = json.load(reply)
        if answer.get("fallback") or not answer["events_seen"]:
            raise TooLittleData("intent is not answered by a model: there is nothing to measure")


def compare(bench: Bench, name: str, make: MakeRequest) -> dict[str, float]:
    """Load the reference and one route of ours, one after the other; answer their ratio."""
    question = post("/reference", reference.body(BODY_BYTES))
    theirs = bench.load(bench.theirs, lambda _: question, 200)
    ours = bench.load(bench.ours, make, 200)
    return {
        f"{name}_ratio": ours.per_second / theirs.per_second,
        f"{name}_p99_ratio": ours.p99_ms / theirs.p99_ms,
        f"{name}_per_second": ours.per_second,
        f"{name}_p50_ms": ours.p50_ms,
        f"{name}_p99_ms": ours.p99_ms,
        f"{name}_reference_per_second": theirs.per_second,
    }


def run(arguments: Arguments) -> Outcome:
    """Measure both routes; raises TooLittleData without the logs or over an empty store."""
    server_core, client_core = cores()
    rounds = arguments.runs or ROUNDS
    figures: dict[str, float] = {}
    with (
        scored_home(arguments) as home,
        held_server(home.home, client_core),
        our_service(home.home, server_core) as ours,
        reference_server(server_core) as theirs,
        pinned(client_core),
    ):
        refuse_empty(ours, home)
        bench = Bench(ours, theirs, arguments.seconds or 4.0)
        makes: dict[str, MakeRequest] = {
            "churn": lambda number: churn_request(home, number),
            "intent": lambda number: intent_request(home, number),
        }
        for name, make in makes.items():
            figures |= medians([compare(bench, name, make) for _ in range(rounds)])
    notes = [
        f"{rounds} rounds, reference and ours alternating; servers on core {server_core}, client "
        f"and Valkey on core {client_core}; {len(home.customers):,} customers and "
        f"{len(home.shoppers):,} shoppers with their histories",
    ]
    bars = [at_least(f"{name}_ratio", figures, bar) for name, bar in BARS.items()]
    return Outcome(figures, bars, notes)
