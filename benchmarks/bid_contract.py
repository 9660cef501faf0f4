"""Does the bidder keep the contract? Public requests, invalid ones, and ones drawn from the tables.

Every request goes through the very door an exchange uses, with campaigns that match widely. A
second opinion on the rules (benchmarks.openrtb_rules) reads each answer; what must be refused
is told by the specification's tables. Budgets are large here: rules are what is measured.
"""

import asyncio
import json
import tempfile
from collections.abc import Iterable
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from starlette.types import Message

from benchmarks.harness import Arguments, Outcome, at_least, exactly
from benchmarks.openrtb_campaigns import campaigns, creatives_by_id
from benchmarks.openrtb_rules import broken_rules
from benchmarks.openrtb_tables import Drawer, faults
from domain.clock import FixedClock
from domain.currencies import REFERENCE
from domain.errors import GateFailed
from feature_store.memory import MemoryStore
from feature_store.settings import Home
from service.app import serve_context
from service.bid_settings import BidSettings
from service.dispatch import Dispatcher
from service.routes.table import ROUTES
from service.settings import ServiceSettings

PATH = "/v1/openrtb2/bid"
NOW = 1_790_000_000_000
DRAWN = 3_000
WRONG = 1_500
SEED = 20_261_030
SHOWN = 8
CASES_A_LEASE = 10
"""Requests between two looks after the purses: nobody waits for money here."""
_SLOW = BidSettings(cap_ms=1_000, margin_ms=0)
"""The machine may be busy: how fast answers are is another benchmark's question."""


class Case(NamedTuple):
    """One request: its name, its bytes, and whether it must be refused."""

    name: str
    body: bytes
    refused: bool


async def ask(
    app: Dispatcher, body: bytes, path: str = PATH, method: str = "POST"
) -> tuple[int, bytes]:
    """Send a body to the app, by default a bid request; answer the status and the body."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": method, "path": path, "raw_path": path.encode(),
        "query_string": b"", "headers": [(b"content-type", b"application/json")],
    }  # fmt: skip
    await app(scope, receive, send)
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:])


def cases_of(folder: Path) -> list[Case]:
    """Answer the public requests of a folder; what must be refused is told by the tables."""
    found: list[Case] = []
    for file in sorted(folder.glob("*.json")):
        body = file.read_bytes()
        found.append(Case(file.stem, body, bool(faults("BidRequest", json.loads(body)))))
    return found


def drawn_cases(count: int, wrong: int, seed: int) -> list[Case]:
    """Answer requests drawn from the tables, and as many made wrong in one place."""
    drawer = Drawer(Random(seed))
    found: list[Case] = []
    for number in range(count):
        body = json.dumps(drawer.request()).encode()
        found.append(Case(f"drawn-{number}", body, False))
    for _ in range(wrong):
        what, request = drawer.wrong(drawer.request())
        refused = bool(faults("BidRequest", request))
        found.append(Case(what, json.dumps(request).encode(), refused))
    return found


class Found(NamedTuple):
    """What a set of cases showed. strange: lines for people, each about one case."""

    answered: int
    bids: int
    server_errors: int
    wrong_status: int
    rules_broken: int
    strange: list[str]


async def try_all(app: Dispatcher, cases: Iterable[Case]) -> Found:
    """Ask each case and judge what comes back."""
    creatives = creatives_by_id()
    answered = bids = server_errors = wrong_status = broken = 0
    strange: list[str] = []
    assert app.context is not None
    for number, case in enumerate(cases):
        if not number % CASES_A_LEASE:
            await app.context.money.purses.turn()
        status, body = await ask(app, case.body)
        answered += status in (200, 204)
        bids += status == 200
        server_errors += status >= 500
        due = (400,) if case.refused else (200, 204)
        if status not in due or (status != 200 and body):
            wrong_status += 1
            strange.append(f"{case.name}: status {status}, {len(body)} bytes")
        if status == 200 and not case.refused:
            rules = broken_rules(
                json.loads(case.body), json.loads(body), creatives, REFERENCE.per_euro
            )
            broken += len(rules)
            strange += [f"{case.name}: {rule}" for rule in rules]
    return Found(answered, bids, server_errors, wrong_status, broken, strange)


async def measure(groups: dict[str, list[Case]]) -> dict[str, Found]:
    """Try groups of cases against a door with the wide campaigns."""
    with tempfile.TemporaryDirectory() as home:
        clock = FixedClock(NOW)
        settings = ServiceSettings(bids=_SLOW)
        async with serve_context(
            MemoryStore(clock=clock), Home(Path(home)), settings, clock
        ) as context:
            app = Dispatcher(ROUTES, _nobody)
            app.context = context
            for document in campaigns():
                await _launch(app, dict(document))
            await context.campaigns.look()
            return {name: await try_all(app, cases) for name, cases in groups.items()}


async def _launch(app: Dispatcher, document: dict[str, Any]) -> None:
    path = f"/v1/campaigns/{document.pop('campaign')}"
    status, told = await ask(app, json.dumps(document).encode(), path, "PUT")
    if status != 200:
        raise GateFailed(f"a campaign was refused: {told.decode()}")


async def _nobody(scope: Any, receive: Any, send: Any) -> None:
    raise AssertionError("only the bid route is asked")


def run(arguments: Arguments) -> Outcome:
    """Measure the contract on the public files and on drawn requests."""
    requests = cases_of(arguments.need("openrtb", "requests"))
    invalid = cases_of(arguments.need("openrtb", "invalid"))
    count = arguments.runs or DRAWN
    found = asyncio.run(
        measure(
            {
                "requests": requests,
                "invalid": invalid,
                "drawn": drawn_cases(count, 0, SEED),
                "wrong": drawn_cases(0, count // 2, SEED + 1),
            }
        )
    )
    public, drawn = found["requests"], found["drawn"]
    figures: dict[str, float] = {
        "answered": public.answered / len(requests),
        "bids": public.bids / len(requests),
        "server_errors": sum(part.server_errors for part in found.values()),
        "rules_broken": sum(part.rules_broken for part in found.values()),
        "wrong_status": sum(part.wrong_status for part in found.values()),
        "drawn_requests": count,
        "drawn_bids": drawn.bids / count,
        "refused": sum(case.refused for case in invalid),
    }
    bars = [
        exactly("answered", figures, 1),
        at_least("bids", figures, 0.5),
        exactly("server_errors", figures, 0),
        exactly("rules_broken", figures, 0),
        exactly("wrong_status", figures, 0),
    ]
    strange = [line for part in found.values() for line in part.strange]
    return Outcome(figures, bars, strange[:SHOWN])
