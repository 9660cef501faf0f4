"""Calls: shown as they are made, statuses as they must be, silence reported as such."""

import io

import pytest

from demo.calls import Service
from demo.telling import DemoFailed, Teller


def test_told_calls_show_command_and_answer(desk, service: Service, out: io.StringIO) -> None:
    desk.behaviour = lambda method, path, body: (202, {"got": body})
    assert service.tell("POST", "/v1/x", {"a": 1}, expect=202) == {"got": {"a": 1}}
    assert desk.seen == [("POST", "/v1/x", {"a": 1})]
    assert "curl -s -X POST" in out.getvalue()
    assert "HTTP 202" in out.getvalue()


def test_another_status_than_due_ends_the_demo(desk, service: Service, out: io.StringIO) -> None:
    desk.behaviour = lambda method, path, body: (503, {"code": "store"})
    with pytest.raises(DemoFailed, match="GET /v1/x answered 503 where 200 was due"):
        service.quietly("GET", "/v1/x")
    assert out.getvalue() == ""


def test_text_is_answered_as_text(desk, service: Service) -> None:
    desk.behaviour = lambda method, path, body: (200, "a_total 1\n")
    answer = service.call("GET", "/metrics")
    assert (answer.status, answer.body) == (200, "a_total 1\n")
    assert answer.ms > 0


def test_items_by_any_id(desk, service: Service) -> None:
    desk.behaviour = lambda method, path, body: (
        (200, {"item": "a/b c", "title": "T"}) if path == "/v1/items/a%2Fb%20c" else (404, {})
    )
    assert service.item("a/b c") == {"item": "a/b c", "title": "T"}
    assert service.item("gone") == {"item": "gone"}


def test_nobody_there(teller: Teller) -> None:
    with pytest.raises(DemoFailed, match="does not answer"):
        Service("http://127.0.0.1:9", teller).call("GET", "/")
