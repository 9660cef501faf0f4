"""What a bid costs: the whole decision beside an endpoint that decides nothing, in the same time.

Consent, user and campaigns from Valkey, 200 or 5,000 line items of which ten match, forests,
shading, bandit, reservation, log; 2 KB requests, one worker, 32 connections, against FastAPI with
pydantic and a body of the same size. Then twice as many requests as the worker can answer, on a
fixed schedule: nobody may wait, who cannot be served is told so at once.
"""

import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks import reference
from benchmarks.bid_home import LINES_A_CAMPAIGN, SIZE, VENDOR, bid_home, campaigns, request
from benchmarks.embedded import held_server
from benchmarks.harness import Arguments, Outcome, at_least, at_most, exactly, medians
from benchmarks.latency import Bench
from benchmarks.load import MakeRequest, post
from benchmarks.schedule import Kept, keep
from benchmarks.servers import Server, cores, our_service, pinned, reference_server
from domain.errors import TooLittleData

ROUNDS = 5
REQUESTS = 4_000
"""Different requests, built beforehand: the client is not to be what is measured."""
LINES = (200, 5_000)
PATH = "/v1/openrtb2/bid"
RATIO, P99_MS, RATIO_5000, ANSWER_MS = 1.0, 10.0, 0.8, 25.0
MOST_UNBID = 0.01
"""Answers without a bid, as where a campaign that nobody asked for lately is lent money first."""
SETTINGS = {"SANDERLING_TCF_VENDOR": str(VENDOR)}
PATIENT = {**SETTINGS, "SANDERLING_BID_CAP_MS": "400", "SANDERLING_BID_IN_FLIGHT": "64"}
"""Where throughput is measured every answer is to be a whole decision, however busy the machine."""


@dataclass(slots=True, frozen=True)
class Bidding:
    """A worker that bids, the endpoint it is held against, and the requests."""

    bench: Bench
    make: MakeRequest
    same: MakeRequest
    plain: Server


def fill(server: Server, lines: int) -> None:
    """Put the campaigns, and return when most requests get a bid."""
    for campaign in campaigns(lines):
        body = {name: value for name, value in campaign.items() if name != "campaign"}
        _send(server, f"/v1/campaigns/{campaign['campaign']}", json.dumps(body).encode(), "PUT")


def share_of_bids(server: Server, make: MakeRequest, count: int = 200) -> float:
    """Answer which share of requests gets a bid."""
    bids = 0
    for number in range(count):
        body = make(number).partition(b"\r\n\r\n")[2]
        bids += _send(server, PATH, body, "POST") == 200
    return bids / count


def _send(server: Server, path: str, body: bytes, method: str) -> int:
    headers = {"content-type": "application/json"}
    asked = urllib.request.Request(server.url(path), body, headers, method=method)
    with urllib.request.urlopen(asked, timeout=30) as reply:
        reply.read()
        return int(reply.status)


@contextmanager
def bidding(lines: int, seconds: float, settings: dict[str, str]) -> Iterator[Bidding]:
    """Start a worker over campaigns of so many lines, and the reference; raises TooLittleData
    when it does not bid: there would be nothing to measure."""
    server_core, client_core = cores()
    with (
        bid_home(lines) as home,
        held_server(home.home, client_core),
        our_service(home.home, server_core, settings) as ours,
        reference_server(server_core, "benchmarks.reference_bid:app") as theirs,
        reference_server(server_core) as plain,
        pinned(client_core),
    ):
        bodies = [request(number, home.sites) for number in range(REQUESTS)]
        ask, say = ([post(path, body) for body in bodies] for path in (PATH, "/reference"))

        def make(number: int) -> bytes:
            return ask[number % REQUESTS]

        def same(number: int) -> bytes:
            return say[number % REQUESTS]

        fill(ours, lines)
        share = 0.0
        for _ in range(30):
            share = share_of_bids(ours, make)
            if share > 0.99:
                break
        else:
            raise TooLittleData(f"only {share:.0%} of requests get a bid: nothing to measure")
        yield Bidding(Bench(ours, theirs, seconds), make, same, plain)


def compare(one: Bidding, name: str) -> dict[str, float]:
    """Load both references and the bidder, one after the other; answer all and the ratios."""
    question = post("/reference", reference.body(SIZE))
    bench = one.bench
    theirs = bench.load(bench.theirs, one.same, 200)
    ours = bench.load(bench.ours, one.make, 200, nothing=True)
    plain = bench.load(one.plain, lambda _: question, 200)
    return {
        f"{name}ratio": ours.per_second / theirs.per_second,
        f"{name}ratio_to_plain_body": ours.per_second / plain.per_second,
        f"{name}per_second": ours.per_second,
        f"{name}p50_ms": ours.p50_ms,
        f"{name}p99_ms": ours.p99_ms,
        f"{name}unbid_share": ours.empty / ours.requests,
        f"{name}reference_per_second": theirs.per_second,
        f"{name}reference_p99_ms": theirs.p99_ms,
    }


def overload(one: Bidding, per_second: float) -> Kept:
    """Send twice as many requests as were answered at most, on a schedule."""
    bench = one.bench
    kept = keep(
        bench.ours.address, one.make, rate=2 * per_second, seconds=bench.seconds,
        late_ms=ANSWER_MS, first=bench.sent,
    )  # fmt: skip
    bench.sent = kept.next
    return kept


def run(arguments: Arguments) -> Outcome:
    """Measure; raises TooLittleData when the bidder does not bid."""
    rounds, seconds = arguments.runs or ROUNDS, arguments.seconds or 4.0
    figures: dict[str, float] = {}
    with bidding(LINES[0], seconds, PATIENT) as one:
        figures |= medians([compare(one, "") for _ in range(rounds)])
    with bidding(LINES[0], seconds, SETTINGS) as one:
        kept = [overload(one, figures["per_second"]) for _ in range(rounds)]
    figures |= {
        "late_at_overload": float(sum(each.late for each in kept)),
        "overload_worst_ms": max(each.worst_ms for each in kept),
        "overload_bids_share": sum(each.statuses.get(200, 0) for each in kept)
        / sum(sum(each.statuses.values()) for each in kept),
        "overload_errors": float(
            sum(
                n
                for each in kept
                for status, n in each.statuses.items()
                if status not in (200, 204)
            )
        ),
    }
    with bidding(LINES[1], seconds, PATIENT) as other:
        figures |= medians([compare(other, "many_") for _ in range(rounds)])
    figures["ratio_5000_lines"] = figures["many_ratio"] / figures["ratio"]
    notes = [
        f"{rounds} rounds of {seconds:g} s, reference and bidder alternating on one core, client "
        f"and Valkey on another; {LINES[0]} and {LINES[1]:,} lines, {LINES_A_CAMPAIGN} a campaign",
        f"at twice saturation {figures['overload_bids_share']:.0%} were bid on, the rest shed",
    ]
    bars = [
        at_least("ratio", figures, RATIO),
        at_most("p99_ms", figures, P99_MS),
        at_least("ratio_5000_lines", figures, RATIO_5000),
        at_most("unbid_share", figures, MOST_UNBID),
        at_most("many_unbid_share", figures, MOST_UNBID),
        exactly("late_at_overload", figures, 0),
        exactly("overload_errors", figures, 0),
    ]
    return Outcome(figures, bars, notes)
