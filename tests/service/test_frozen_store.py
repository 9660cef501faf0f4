"""A store that holds still: writes are refused in time, and nothing is lost or done twice."""

import asyncio
import json
import time
from pathlib import Path

from fastapi import FastAPI

from domain.clock import FixedClock
from domain.errors import StoreUnavailable
from feature_store.opening import open_store
from feature_store.settings import Home
from feature_store.store import StoreSettings
from service.app import serve_context
from service.context import Context
from service.dispatch import Dispatcher
from service.routes.table import ROUTES
from service.settings import ServiceSettings
from tests.feature_store.servers import DEADLINE_SECONDS, serving
from tests.service.serving import NOW, Answer, ask

SETTINGS = ServiceSettings(patience_s=0.3)
EVENTS = [
    {"event_id": f"e{n}", "user": f"u{n % 40}", "kind": "click", "at": NOW} for n in range(400)
]
WRITES = [
    ("POST", "/v1/events", EVENTS),
    ("POST", "/v1/events", EVENTS[0] | {"event_id": "alone"}),
    ("POST", "/v1/users/ada/identify", {"session": "cart"}),
    ("PUT", "/v1/users/ada", {"attributes": {"a": 1}}),
    ("PATCH", "/v1/users/ada", {"attributes": {"b": 2}}),
    ("PUT", "/v1/items/tea", {"title": "Tea"}),
    ("PATCH", "/v1/items/pot", {"title": "Pot"}),
    ("PUT", "/v1/items", [{"item": f"i{n}"} for n in range(50)]),
    ("DELETE", "/v1/items/cup", None),
]


async def write(door: Dispatcher, method: str, path: str, sent: object) -> tuple[Answer, float]:
    body = b"" if sent is None else json.dumps(sent).encode()
    started = time.monotonic()
    answer = await ask(door, method, path, (body,))
    assert answer is not None
    return answer, time.monotonic() - started


async def write_all(door: Dispatcher) -> list[tuple[Answer, float]]:
    return await asyncio.gather(*[write(door, *each) for each in WRITES])


async def until_up(context: Context) -> None:
    async with asyncio.timeout(DEADLINE_SECONDS):
        while True:
            try:
                return await context.store.ping()
            except StoreUnavailable:
                await asyncio.sleep(0.02)


async def test_writes_answer_within_a_second_and_may_be_sent_again(tmp_path: Path) -> None:
    with serving(tmp_path / "s") as server:
        store = await open_store(
            StoreSettings(buckets=8), url=server.url, patience=SETTINGS.patience_s
        )
        async with serve_context(store, Home(tmp_path), SETTINGS, FixedClock(NOW)) as context:
            door = Dispatcher(ROUTES, FastAPI())
            door.context = context
            for name in ("pot", "cup"):
                assert (await write(door, "PUT", f"/v1/items/{name}", {}))[0].status == 200
            server.pause()
            refused = await write_all(door)
            server.resume()
            for answer, seconds in refused:
                assert answer.status == 503
                assert json.loads(answer.body)["error"]["code"] == "store_unavailable"
                assert int(answer.headers["retry-after"]) >= 1
                assert seconds < 1.0
            await until_up(context)
            statuses = [answer.status for answer, _ in await write_all(door)]
            assert statuses[:-1] == [202, 202, 200, 200, 200, 200, 200, 200]
            # What was refused may have been done: then there is no cup to delete any more.
            assert statuses[-1] in (200, 404)
            assert await store.get_items(["cup"]) == [None]
            states = (await store.read([f"uu{n}" for n in range(40)])).states
            assert sum(len(state.records) for state in states) == len(EVENTS) + 1
            titles = [item.title for item in await store.get_items(["tea", "pot"]) if item]
            assert titles == ["Tea", "Pot"]
            profile = (await store.read(["uada"])).states[0].profile
            assert profile is not None
            assert profile.attributes == {"a": 1, "b": 2}
        await store.close()
