"""What the document says is what the routes do: its examples pass, what it forbids is refused."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from domain.events import MAX_AT_MS
from service.http import Route
from service.openapi import build_document
from service.routes.table import ROUTES
from tests.service.campaigning import BODY
from tests.service.schemas import Schema, Schemas
from tests.service.serving import App, app_in_memory

DOCUMENT = json.loads(json.dumps(build_document(FastAPI(title="t", version="1"), ROUTES)))
SCHEMAS = Schemas(DOCUMENT)
WITH_BODY = [route for route in ROUTES if route.body_cap]
ASKING = ("campaigns", "recommendations", "intent", "segments")
"""Bodies of these may fit their schema and contradict themselves."""
OWN = [route for route in WITH_BODY if route.tag not in ASKING]
RELAXED = settings(
    deadline=None, max_examples=15, phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow,
                           HealthCheck.filter_too_much, HealthCheck.data_too_large],
)  # fmt: skip


@pytest.fixture(scope="module")
def late(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """An app at the end of all calendars, so that no documented moment is in its future."""
    with app_in_memory(tmp_path_factory.mktemp("home"), MAX_AT_MS) as app:
        yield app


def name(route: Route) -> str:
    return f"{route.method} {route.path}"


def operation(route: Route) -> Schema:
    return DOCUMENT["paths"][route.path][route.method.lower()]


def body_schema(route: Route) -> Schema:
    schema = operation(route)["requestBody"]["content"]["application/json"]["schema"]
    return schema["oneOf"][0] if route.many else schema


def send(app: App, route: Route, body: Any) -> tuple[int, Any]:
    path = route.path.replace("{user}", "someone").replace("{item}", "thing")
    path = path.replace("{campaign}", "spring")
    return app.send(route.method, path, body)


def check_reply(route: Route, status: int, reply: Any) -> None:
    """The status is documented and the body is as the document has it."""
    documented = operation(route)["responses"][str(status)]
    if "content" not in documented:
        assert reply is None
    else:
        assert SCHEMAS.fits(documented["content"]["application/json"]["schema"], reply), reply


@pytest.mark.parametrize("route", OWN, ids=name)
@given(data=st.data())
@RELAXED
def test_what_the_document_allows_is_accepted(late: App, route: Route, data: Any) -> None:
    body = data.draw(SCHEMAS.examples(body_schema(route)))
    if "{item}" in route.path and body.get("item"):
        body["item"] = "thing"
    late.send("PUT", "/v1/items/thing", {})
    if isinstance(body.get("item"), str) and route.method == "PATCH" and body["item"]:
        late.send("PUT", "/v1/items", {"item": body["item"]})
    status, reply = send(late, route, body)
    assert status in {*route.replies, 409}, reply
    check_reply(route, status, reply)
    if route.many:
        status, reply = send(late, route, [body, body])
        assert (status in route.replies, reply["rejected"]) == (True, [])
        check_reply(route, status, reply)


@pytest.mark.parametrize("route", WITH_BODY, ids=name)
@given(data=st.data())
@settings(RELAXED, max_examples=1)
def test_what_the_document_forbids_is_refused(late: App, route: Route, data: Any) -> None:
    schema = body_schema(route)
    good = data.draw(SCHEMAS.examples(schema))
    if isinstance(good.get("item"), str):
        good["item"] = "thing"
    late.send("PUT", "/v1/items/thing", {})
    late.send("PUT", "/v1/campaigns/spring", BODY)
    tried = 0
    for what, body in SCHEMAS.broken(schema, good):
        assert not SCHEMAS.fits(schema, body)
        status, reply = send(late, route, body)
        assert status == 400, what
        check_reply(route, status, reply)
        tried += 1
    assert tried > 5


@pytest.mark.parametrize("route", [route for route in WITH_BODY if route not in OWN], ids=name)
@given(data=st.data())
@RELAXED
def test_questions_that_fit_are_answered_or_contradict_themselves(
    late: App, route: Route, data: Any
) -> None:
    late.send("PUT", "/v1/campaigns/spring", BODY)
    status, reply = send(late, route, data.draw(SCHEMAS.examples(body_schema(route))))
    assert status in {200, 400}, reply
    check_reply(route, status, reply)
    assert status == 200 or reply["error"]["code"] != "unknown_field"


@pytest.mark.parametrize("route", [route for route in ROUTES if not route.body_cap], ids=name)
def test_replies_without_a_body_are_as_documented(late: App, route: Route) -> None:
    late.send("PUT", "/v1/items/thing", {"price": 1, "expires_at": 5})
    late.send("PATCH", "/v1/users/someone", {"attributes": {"a": ["b"]}})
    late.send("POST", "/v1/events", {"kind": "click", "user": "someone", "value": 2})
    for _ in range(2):
        status, reply = send(late, route, None)
        check_reply(route, status, reply)


def test_every_route_is_in_the_document_once() -> None:
    for route in ROUTES:
        assert operation(route)["summary"]
    names = [operation(route)["operationId"] for route in ROUTES]
    assert len(names) == len(set(names))


def test_limits_of_the_body_are_documented() -> None:
    for route in WITH_BODY:
        told = {"400"} if route.refuse is not None else {"400", "413", "415", "500"}
        assert told <= set(operation(route)["responses"])


def test_the_served_document_holds_both_kinds_of_routes(late: App) -> None:
    status, document = late.send("GET", "/openapi.json")
    assert status == 200
    assert document["openapi"].startswith("3.1")
    assert {"/v1/events", "/healthz", "/readyz", "/metrics"} <= set(document["paths"])
    text = json.dumps(document)
    for reference in {part.partition('"')[0] for part in text.split('"$ref": "')[1:]}:
        assert reference.rpartition("/")[2] in document["components"]["schemas"]
