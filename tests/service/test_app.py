"""The composition root: pages, one error shape for all, parts started and stopped in order."""

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from domain.clock import FixedClock
from feature_store.settings import Home
from service.app import create_app, serve_context
from service.context import Context
from service.settings import ServiceSettings
from tests.service.serving import NOW, App, SwitchedStore, ask


def test_the_page_asks_no_other_host(app: App) -> None:
    answer = app.ask("GET", "/docs")
    page = answer.body.decode()
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert "connect-src 'self'" in answer.headers["content-security-policy"]
    assert not re.search(r"(?i)(https?:)?//[a-z0-9]|<link|<img|<iframe|@import|src=", page)
    assert "openapi.json" in page


def test_the_root_leads_to_the_page(app: App) -> None:
    answer = app.ask("GET", "/")
    assert (answer.status, answer.headers["location"]) == (307, "/docs")


async def test_a_start_that_fails_stops_what_had_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = asyncio.all_tasks()

    async def fail(_: object) -> None:
        raise RuntimeError("no catalogue")

    monkeypatch.setattr("service.live_catalogue.LiveCatalogue.start", fail)
    opening = serve_context(SwitchedStore(), Home(tmp_path), ServiceSettings(), FixedClock(NOW))
    with pytest.raises(RuntimeError, match="no catalogue"):
        async with opening:
            pass
    assert asyncio.all_tasks() == before


async def test_a_start_that_fails_is_told_to_the_server() -> None:
    @asynccontextmanager
    async def opening() -> AsyncGenerator[Context, None]:
        raise RuntimeError("no store")
        yield

    told: list[str] = []

    async def receive() -> dict[str, str]:
        return {"type": "lifespan.startup"}

    async def send(message: dict[str, str]) -> None:
        told.append(message["type"])

    app = create_app(opening)
    with pytest.raises(RuntimeError, match="no store"):
        await app({"type": "lifespan"}, receive, send)  # type: ignore[arg-type]
    assert told == ["lifespan.startup.failed"]
    answer = await ask(app, "GET", "/v1/items")
    assert answer is not None
    assert answer.status == 503
