"""The thin door: finding routes, errors as JSON, nothing let out, counted and timed."""

import asyncio
import json
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from domain.errors import BundleRefused, NotFound, ScientistError, StoreUnavailable
from service.context import Context
from service.dispatch import DRAIN_BYTES, Dispatcher
from service.http import Reply, Request, Route, json_reply
from tests.service.serving import Answer, App, ask

RAISES: dict[str, Exception] = {
    "notfound": NotFound("no such thing", field="thing"),
    "store": StoreUnavailable("10.0.0.7:6379 refused"),
    "bundle": BundleRefused("secret path"),
    "scientist": ScientistError("secret data"),
    "bug": RuntimeError("user-4711"),
    "recursion": RecursionError("deep"),
}


async def echo(context: Context, request: Request) -> Reply:
    return json_reply(
        {"method": request.method, "param": request.param, "body": request.body.decode()}
    )


async def fail(context: Context, request: Request) -> Reply:
    raise RAISES[request.param]


def route(method: str, path: str, handler: Any = echo, body_cap: int = 0) -> Route:
    return Route(method, path, handler, "", "test", body_cap=body_cap)


async def inner(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["path"] == "/inner/bug":
        raise RuntimeError("user-4711")
    await send({"type": "http.response.start", "status": 418, "headers": []})
    if scope["path"] == "/inner/late":
        raise RuntimeError("user-4711")
    await send({"type": "http.response.body", "body": scope["method"].encode()})


ROUTES = (
    route("GET", "/v1/things"),
    route("POST", "/v1/things", body_cap=10),
    route("GET", "/v1/things/{thing}"),
    route("POST", "/v1/things/{thing}/carry", body_cap=10),
    route("GET", "/v1/fail/{how}", fail),
)


@pytest.fixture
def door(app: App) -> Dispatcher:
    made = Dispatcher(ROUTES, inner)
    made.context = app.context
    return made


async def reply(door: Dispatcher, method: str, target: str, *chunks: bytes) -> Answer:
    answer = await ask(door, method, target, chunks or (b"",))
    assert answer is not None
    return answer


async def test_exact_paths_and_named_ones(door: Dispatcher) -> None:
    for target, param in (
        ("/v1/things", ""),
        ("/v1/things/", ""),
        ("/v1/things/a", "a"),
        ("/v1/things/a/", "a"),
        ("/v1/things/a%2Fb", "a/b"),
        ("/v1/things/a+b", "a+b"),
        ("/v1/things/%252F?x=1", "%2F"),
        ("/v1/things/%F0%9F%90%A6", "\N{BIRD}"),
    ):
        answer = await reply(door, "GET", target)
        assert (answer.status, json.loads(answer.body)["param"]) == (200, param)


@pytest.mark.parametrize(
    "target",
    ["/", "/v1", "/v1/things/a/b", "/v1/things/a/carry/b", "//v1/things", "/v1//things",
     "/v1/things/" + "a" * 4_000, "/v1/things/a/../b"],
)  # fmt: skip
async def test_other_paths_go_inside(door: Dispatcher, target: str) -> None:
    assert (await reply(door, "GET", target)).status == 418


async def test_head_is_get_inside_too(door: Dispatcher) -> None:
    assert (await reply(door, "HEAD", "/elsewhere")).body == b"GET"
    assert (await reply(door, "HEAD", "/v1/things")).status == 200


async def test_wrong_methods_are_told_the_right_ones(door: Dispatcher) -> None:
    answer = await reply(door, "DELETE", "/v1/things")
    assert answer.status == 405
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS, POST"
    answer = await reply(door, "OPTIONS", "/v1/things/a/carry")
    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers["allow"] == "OPTIONS, POST"
    assert (await reply(door, "HEAD", "/v1/things/a/carry")).status == 405


@pytest.mark.parametrize(
    ("how", "status", "code"),
    [("notfound", 404, "not_found"), ("store", 503, "store_unavailable"),
     ("bundle", 503, "unavailable"), ("scientist", 500, "internal"), ("bug", 500, "internal"),
     ("recursion", 500, "internal")],
)  # fmt: skip
async def test_every_error_is_told_in_one_shape(
    door: Dispatcher, how: str, status: int, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await reply(door, "GET", f"/v1/fail/{how}")
    error = json.loads(answer.body)["error"]
    assert (answer.status, error["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/json"
    assert int(answer.headers["content-length"]) == len(answer.body)
    assert ("retry-after" in answer.headers) == (status == 503)
    for secret in ("4711", "secret", "10.0.0.7"):
        assert secret not in answer.body.decode()
        assert secret not in caplog.text


async def test_the_inner_app_lets_nothing_out(
    door: Dispatcher, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await reply(door, "GET", "/inner/bug")
    assert (answer.status, json.loads(answer.body)["error"]["code"]) == (500, "internal")
    assert (await reply(door, "GET", "/inner/late")).status == 418
    assert "4711" not in caplog.text


async def test_a_caller_who_hangs_up_gets_nothing(door: Dispatcher) -> None:
    assert await ask(door, "POST", "/v1/things", (None,)) is None
    assert await ask(door, "POST", "/v1/things", (b"ab", None)) is None


async def test_a_body_in_pieces_is_whole(door: Dispatcher) -> None:
    answer = await reply(door, "POST", "/v1/things", b"ab", b"", b"cd")
    assert json.loads(answer.body)["body"] == "abcd"


async def test_a_cancelled_request_stays_cancelled(app: App) -> None:
    async def forever(context: Context, request: Request) -> Reply:
        await asyncio.Event().wait()
        return Reply(200)

    door = Dispatcher((route("GET", "/wait", forever),), inner)
    door.context = app.context
    task = asyncio.create_task(ask(door, "GET", "/wait"))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_huge_refused_body_closes_the_door(door: Dispatcher) -> None:
    for size, closes in ((11, False), (DRAIN_BYTES + 1, True)):
        headers = [(b"content-length", str(size).encode())]
        answer = await ask(door, "POST", "/v1/things", (b"",), headers)
        assert answer is not None
        assert answer.status == 413
        assert (answer.headers.get("connection") == "close") == closes


async def test_before_the_start_it_says_so(door: Dispatcher) -> None:
    door.context = None
    answer = await reply(door, "GET", "/v1/things")
    assert (answer.status, json.loads(answer.body)["error"]["code"]) == (503, "starting")
    assert (await reply(door, "GET", "/inner/bug")).status == 500


def test_two_routes_for_one_place_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="two routes"):
        Dispatcher((route("GET", "/a"), route("GET", "/a")), inner)


async def test_answers_are_counted_by_route_and_status(app: App, door: Dispatcher) -> None:
    def count(**labels: str) -> float:
        name = "sanderling_requests_total"
        return app.context.metrics.registry.get_sample_value(name, labels) or 0.0

    labels = {"route": "/v1/things/{thing}", "method": "GET", "status": "200"}
    before = count(**labels)
    await reply(door, "GET", "/v1/things/a")
    await reply(door, "GET", "/v1/things/b")
    assert count(**labels) == before + 2


async def nothing(context: Context, request: Request) -> Reply:
    return Reply(204, b"", ((b"x-why", b"nothing to say"),))


OWN_WORDS = (
    Route("POST", "/v1/own", fail, "", "test", body_cap=10,
          refuse=lambda error: Reply(400, b"", ((b"x-code", type(error).__name__.encode()),))),
    route("GET", "/v1/nothing", nothing),
)  # fmt: skip


def test_a_protocol_may_have_its_own_words_for_errors(app: App) -> None:
    made = Dispatcher(OWN_WORDS, inner)
    made.context = app.context
    answer = app.runner.run(ask(made, "POST", "/v1/own", (b"x" * 11,)))
    assert answer is not None
    assert (answer.status, answer.body, answer.headers["x-code"]) == (400, b"", "BadBody")


def test_no_content_has_no_length_and_no_type(app: App) -> None:
    made = Dispatcher(OWN_WORDS, inner)
    made.context = app.context
    answer = app.runner.run(ask(made, "GET", "/v1/nothing"))
    assert answer == Answer(204, b"", {"x-why": "nothing to say"})
