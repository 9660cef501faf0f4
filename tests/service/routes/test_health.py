"""What operators ask: alive, ready, figures, models."""

import json

from tests.service.serving import App


def test_alive(app: App) -> None:
    assert app.send("GET", "/healthz") == (200, {"status": "ok"})
    assert app.ask("HEAD", "/healthz").status == 200


def test_ready_without_a_model(app: App) -> None:
    assert app.send("GET", "/readyz") == (200, {"status": "ready", "store": "up", "models": {}})
    assert app.send("GET", "/v1/models") == (200, [])


def test_ready_but_degraded_without_the_store(app: App) -> None:
    app.store.down = True
    app.runner.run(app.context.watch.look())
    assert app.send("GET", "/readyz")[1]["store"] == "down"
    assert app.send("GET", "/readyz")[0] == 200
    app.store.down = False
    app.runner.run(app.context.watch.look())
    assert app.send("GET", "/readyz")[1]["status"] == "ready"


def test_while_starting_it_is_not_ready(app: App) -> None:
    inner, context = app.dispatcher.inner, app.context
    inner.state.context = app.dispatcher.context = None  # type: ignore[attr-defined]
    try:
        for path in ("/readyz", "/v1/models", "/metrics", "/v1/items"):
            status, reply = app.send("GET", path)
            assert (status, reply["error"]["code"]) == (503, "starting")
        assert app.send("GET", "/healthz")[0] == 200
    finally:
        inner.state.context = app.dispatcher.context = context  # type: ignore[attr-defined]


def test_the_figures_name_routes_not_ids(app: App) -> None:
    app.send("POST", "/v1/events", {"kind": "click", "user": "secret-user", "item": "secret-item"})
    app.send("GET", "/v1/users/secret-user")
    app.send("GET", "/v1/items/secret-item")
    app.send("GET", "/secret-path")
    app.send("BREW", "/v1/items/secret-item")
    answer = app.ask("GET", "/metrics")
    text = answer.body.decode()
    assert answer.status == 200
    assert "secret" not in text
    assert "BREW" not in text
    for line in (
        'sanderling_requests_total{method="POST",route="/v1/events",status="202"}',
        'sanderling_requests_total{method="GET",route="/v1/users/{user}",status="200"}',
        'sanderling_requests_total{method="GET",route="/v1/items/{item}",status="404"}',
        'sanderling_requests_total{method="other",route="/v1/items/{item}",status="405"}',
        'sanderling_events_total{outcome="accepted"}',
        "sanderling_store_up 1.0",
        'sanderling_request_seconds_count{route="/v1/events"}',
    ):
        assert line in text


def test_refused_rows_are_counted_by_code(app: App) -> None:
    app.send("POST", "/v1/events", [{"kind": "clic", "user": "u"}])
    text = app.ask("GET", "/metrics").body.decode()
    assert 'sanderling_rejects_total{code="unknown_kind",route="/v1/events"} 1.0' in text


def test_other_paths_and_methods_are_refused_in_the_one_shape(app: App) -> None:
    for method, path, status in (("GET", "/nothing", 404), ("POST", "/healthz", 405)):
        got, reply = app.send(method, path)
        assert got == status
        assert set(reply["error"]) == {"code", "field", "message"}
    assert json.loads(app.ask("GET", "/healthz/").body or b"{}") in ({}, {"status": "ok"})
