"""A bidder of its own over a real server, for tests that put faults into it."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI

from domain.calendars import day_number
from domain.clock import Clock, system_clock
from feature_store.budgets import Ledger
from feature_store.opening import open_store
from feature_store.settings import Home
from feature_store.store import Store, StoreSettings
from service.app import serve_context
from service.context import Context
from service.dispatch import Dispatcher
from service.routes.table import ROUTES
from service.settings import ServiceSettings
from tests.service.openrtb.making import imp, request
from tests.service.serving import Answer, ask

BID = "/v1/openrtb2/bid"
FLOOR, CAP, STANDARD, TARGET = 0.2, 5.0, 1.0, 2.0
SETTINGS, HASTY = ServiceSettings(patience_s=3.0), ServiceSettings(patience_s=0.3)


class Shop:
    """A bidder of its own over a shared server."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.door = Dispatcher(ROUTES, FastAPI())
        self.door.context = context
        # The machine may be busy: real time stands still for deadlines.
        context.bids.monotonic = lambda: 7.0

    async def send(self, method: str, path: str, body: object = None) -> Answer:
        content = b"" if body is None else body if isinstance(body, bytes) else as_json(body)
        answer = await ask(self.door, method, path, (content,))
        assert answer is not None
        return answer

    async def launch(self, name: str, **changes: Any) -> None:
        body = {
            "max_bid": CAP,
            "budget": {"total": 10},
            "objective": {"aim": "cpm", "target": TARGET},
            "creatives": [
                {"creative": one, "width": 300, "height": 250, "domains": ["brand.example"],
                 "markup": f"<b>{one}</b>", "click": "https://brand.example/"}
                for one in ("cr", "other")
            ],
            "lines": [{"line": "l", "bid": STANDARD, "targeting": {"sites": [f"{name}.example"]}}],
            **changes,
        }  # fmt: skip
        answer = await self.send("PUT", f"/v1/campaigns/{name}", body)
        assert answer.status == 200, answer.body
        await self.context.campaigns.look()
        await self.context.money.purses.turn()
        await self.context.campaigns.look()

    async def bid(self, name: str, **parts: Any) -> Answer:
        """Ask for an impression on the campaign's site; a floor of .2, first price."""
        await self.context.money.purses.turn()
        asked = request(
            imp(bidfloor=FLOOR), **{"at": 1, "site": {"domain": f"{name}.example"}, **parts}
        )
        return await self.send("POST", f"{BID}?exchange=north", asked)

    async def tell(self, word: str, bid: dict[str, Any], price: object = None) -> tuple[int, str]:
        """Tell of a bid; answer the status and what became of it, or the code of the refusal."""
        token = bid["burl"].split("token=")[1].split("&")[0]
        return await self.tell_token(word, token, price)

    async def tell_token(self, word: str, token: str, price: object = None) -> tuple[int, str]:
        told = "" if price is None else f"&price={quote(str(price))}&currency=USD"
        answer = await self.send("GET", f"/v1/openrtb2/{word}?token={token}{told}")
        if answer.status == 204:
            return 204, answer.headers["x-sanderling-notice"]
        return answer.status, json.loads(answer.body)["error"]["code"]

    async def ledger(self, name: str) -> Ledger:
        today = day_number("UTC", system_clock())
        return (await self.context.store.budgets.ledgers([(name, today)]))[0]

    def count(self, name: str, **labels: str) -> float:
        return self.context.metrics.registry.get_sample_value(f"sanderling_{name}", labels) or 0.0

    def total(self, name: str, label: str, value: str) -> float:
        """Sum a counter over all its labels but one."""
        counter = getattr(self.context.metrics, name)
        return sum(
            sample.value
            for metric in counter.collect()
            for sample in metric.samples
            if sample.name.endswith("_total") and sample.labels[label] == value
        )

    @property
    def faults(self) -> float:
        return self.count("unexpected_errors_total", route=BID)


def as_json(value: object) -> bytes:
    return json.dumps(value).encode()


def bids_of(answer: Answer) -> list[dict[str, Any]]:
    if answer.status != 200:
        return []
    return [bid for seat in json.loads(answer.body)["seatbid"] for bid in seat["bid"]]


@asynccontextmanager
async def opened(
    url: str, home: Path, clock: Clock = system_clock, settings: ServiceSettings = SETTINGS
) -> AsyncIterator[Shop]:
    store: Store = await open_store(StoreSettings(buckets=8), url=url, patience=settings.patience_s)
    async with serve_context(store, Home(home), settings, clock) as context:
        yield Shop(context)
    await store.close()
