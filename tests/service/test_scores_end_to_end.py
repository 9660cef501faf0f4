"""Churn, intent and segments asked of a real process: every answer a 200, every wrong question
a 4xx that says what is wrong, and nothing unexpected in the log."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from domain.clock import DAY_MS, MINUTE_MS, system_clock
from feature_store import keys
from feature_store.settings import Home
from tests.golden.leaving import release_leaving
from tests.golden.visiting import release_visiting
from tests.service.serving import Server, serving

LONG = "x" * 300
DEEP = b'{"users":' + b"[" * 100_000 + b"]" * 100_000 + b"}"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("scores")
    release_leaving(home)
    release_visiting(home)
    with serving(home, "--no-log-writer") as one:
        now = system_clock()
        events = [
            {"user": user, "kind": "purchase", "item": "tea", "value": 20, "at": now - ago * DAY_MS}
            for user, days in {"loyal": (3, 9, 30), "silent": (300,), "torn": (5,)}.items()
            for ago in days
        ]
        events += [
            {"session": "visit", "kind": kind, "item": "tea", "at": now - ago * MINUTE_MS}
            for ago, kind in ((9, "click"), (3, "add_to_cart"))
        ]
        status, body, _ = one.request("POST", "/v1/events", json.dumps(events).encode())
        assert (status, json.loads(body)["accepted"]) == (202, len(events))
        tear(home, "utorn")
        yield one
        nothing_unexpected(one)


def tear(home: Path, entity: str) -> None:
    """Write over the history of an entity what is no history."""
    folder = Home(home).valkey
    # Where a path is too long for a socket, a file tells the place it was given.
    told = folder / "socket.path"
    socket = told.read_text().strip() if told.exists() else next(folder.rglob("*.sock"))
    with redis.Redis(unix_socket_path=str(socket)) as store:
        (key,) = [key for key in store.scan_iter() if key == history_key(entity)]
        store.set(key, b"\x00 not a history \xff")


def history_key(entity: str) -> bytes:
    name = keys.history(keys.bucket(entity, 64), entity)
    return name.encode() if isinstance(name, str) else name


def nothing_unexpected(server: Server) -> None:
    told = server.get("/metrics")[1].decode().splitlines()
    counts = [line for line in told if line.startswith("sanderling_unexpected_errors_total{")]
    assert all(line.endswith(" 0.0") for line in counts), counts


def ask(server: Server, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
    status, told, _ = server.request(method, path, content)
    return status, json.loads(told)


def test_churn_of_the_known_and_the_unknown(server: Server) -> None:
    for user, fallback, reason in (
        ("loyal", None, ""),
        ("silent", None, ""),
        ("nobody", "prevalence", "unknown_user"),
        ("torn", "prevalence", "store_unavailable"),
    ):
        status, told = ask(server, "GET", f"/v1/churn/{user}")
        assert (status, told["user"], told["fallback"], told["reason"]) == (
            200, user, fallback, reason
        )  # fmt: skip
        assert 0 <= told["probability"] <= 1
        assert bool(told["reasons"]) == bool(told["survival"]) == (fallback is None)


def test_one_that_cannot_be_read_marks_its_own_row_only(server: Server) -> None:
    users = ["loyal", "torn", "nobody", "silent", "torn", "estimate"]
    status, told = ask(server, "POST", "/v1/churn", {"users": users})
    assert status == 200
    assert [one["user"] for one in told["users"]] == users
    assert [one["reason"] for one in told["users"]] == [
        "", "store_unavailable", "unknown_user", "", "store_unavailable", "unknown_user"
    ]  # fmt: skip
    alone = ask(server, "GET", "/v1/churn/loyal")[1]
    assert told["users"][0]["probability"] == pytest.approx(alone["probability"], abs=1e-12)


def test_a_thousand_users_are_answered(server: Server) -> None:
    users = [f"stranger {n}" for n in range(999)] + ["loyal"]
    status, told = ask(server, "POST", "/v1/churn", {"users": users})
    assert status == 200
    assert [one["user"] for one in told["users"]] == users
    assert told["users"][-1]["fallback"] is None


def test_intent_of_a_session_a_user_and_events_sent_along(server: Server) -> None:
    status, told = ask(server, "POST", "/v1/intent", {"session": "visit"})
    assert (status, told["events_seen"], told.get("fallback")) == (200, 2, None)
    status, steps = ask(server, "POST", "/v1/intent", {"session": "visit", "trajectory": True})
    assert status == 200
    assert steps["trajectory"][-1]["probability"] == pytest.approx(told["probability"], abs=1e-9)
    status, told = ask(server, "POST", "/v1/intent", {"user": "loyal"})
    assert (status, told["reason"]) == (200, "session_over")
    for user, reason in (("nobody", "unknown"), ("torn", "store_unavailable")):
        status, told = ask(server, "POST", "/v1/intent", {"user": user})
        assert (status, told["fallback"], told["reason"]) == (200, "prevalence", reason)
    events = [{"kind": "click", "item": "tea"}, {"kind": "add_to_cart", "item": "tea"}]
    status, told = ask(server, "POST", "/v1/intent", {"events": events})
    assert (status, told["events_seen"]) == (200, 2)


WRONG: tuple[tuple[str, str, Any], ...] = (
    # ids in the path
    ("GET", "/v1/churn/%00", None),
    ("GET", "/v1/churn/a%0Ab", None),
    ("GET", "/v1/churn/%ff%fe", None),
    ("GET", "/v1/churn/%20", None),
    ("GET", "/v1/churn/" + LONG, None),
    ("GET", "/v1/users/%00/segments", None),
    # churn of many
    ("POST", "/v1/churn", {"users": [f"u{n}" for n in range(1_001)]}),
    ("POST", "/v1/churn", {"users": []}),
    ("POST", "/v1/churn", {}),
    ("POST", "/v1/churn", {"users": "ada"}),
    ("POST", "/v1/churn", {"users": [1]}),
    ("POST", "/v1/churn", {"users": [None]}),
    ("POST", "/v1/churn", {"users": ["a\u0000b"]}),
    ("POST", "/v1/churn", {"users": [LONG]}),
    ("POST", "/v1/churn", {"users": ["ada"], "k": 3}),
    ("POST", "/v1/churn", b'{"users":[NaN]}'),
    ("POST", "/v1/churn", b'{"users":["\\ud800"]}'),
    ("POST", "/v1/churn", b'{"users":["\xff"]}'),
    ("POST", "/v1/churn", b""),
    ("POST", "/v1/churn", b"null"),
    ("POST", "/v1/churn", b"[]"),
    ("POST", "/v1/churn", DEEP),
    ("DELETE", "/v1/churn/ada", None),
    # pages and estimates
    ("GET", "/v1/churn?band=purple", None),
    ("GET", "/v1/churn?min_loss=nan", None),
    ("GET", "/v1/churn?min_loss=inf", None),
    ("GET", "/v1/churn?min_loss=cheap", None),
    ("GET", "/v1/churn?sort=luck", None),
    ("GET", "/v1/churn?cursor=%00%ff", None),
    ("GET", "/v1/churn?cursor=nonsense", None),
    ("GET", "/v1/churn?limit=0", None),
    ("GET", "/v1/churn?limit=1000000", None),
    ("GET", "/v1/churn?limit=1&limit=2", None),
    ("GET", "/v1/churn?what=else", None),
    ("GET", "/v1/churn/estimate?threshold=nan", None),
    ("GET", "/v1/churn/estimate?threshold=2", None),
    ("GET", "/v1/churn/estimate?threshold=0.5&contact_cost=-1", None),
    # intent
    ("POST", "/v1/intent", {}),
    ("POST", "/v1/intent", {"user": "ada", "session": "s"}),
    ("POST", "/v1/intent", {"user": ""}),
    ("POST", "/v1/intent", {"user": "a\nb"}),
    ("POST", "/v1/intent", {"user": 7}),
    ("POST", "/v1/intent", {"user": "ada", "trajectory": "yes"}),
    ("POST", "/v1/intent", {"user": "ada", "colour": "red"}),
    ("POST", "/v1/intent", {"events": [{"kind": "click"}] * 1_001}),
    ("POST", "/v1/intent", {"events": [{"kind": "dance"}]}),
    ("POST", "/v1/intent", {"events": [{}]}),
    ("POST", "/v1/intent", {"events": [{"kind": "click", "at": "yesterday"}]}),
    ("POST", "/v1/intent", {"events": [{"kind": "click", "at": "2190-01-01"}]}),
    ("POST", "/v1/intent", {"events": [{"kind": "click", "at": -5}]}),
    ("POST", "/v1/intent", {"events": [{"kind": "click", "value": 1e300}]}),
    ("POST", "/v1/intent", {"events": [{"kind": "click", "value": "cheap"}]}),
    ("POST", "/v1/intent", {"events": [{"kind": "click", "item": "a\u0000"}]}),
    ("POST", "/v1/intent", b'{"events":[{"kind":"click","value":NaN}]}'),
    ("POST", "/v1/intent", b'{"events":[{"kind":"click","value":Infinity}]}'),
    ("POST", "/v1/intent", b'{"events":' + b"[" * 50_000),
    ("POST", "/v1/intent", b"\x00"),
    ("GET", "/v1/intent", None),
    # segments
    ("PUT", "/v1/segments/%00", {"where": "recency > 30"}),
    ("PUT", "/v1/segments/gone", {"where": "recency >"}),
    ("PUT", "/v1/segments/gone", {"where": "nothing_known > 3"}),
    ("PUT", "/v1/segments/gone", {"where": "recency > nan"}),
    ("PUT", "/v1/segments/gone", {"where": "(" * 5_000 + "recency > 1" + ")" * 5_000}),
    ("PUT", "/v1/segments/gone", {"where": 5}),
    ("PUT", "/v1/segments/gone", b"{"),
    ("GET", "/v1/segments/unheard-of", None),
    ("GET", "/v1/segments/unheard-of/users", None),
    ("DELETE", "/v1/segments/unheard-of", None),
)


@pytest.mark.parametrize("number", range(len(WRONG)))
def test_a_wrong_question_is_refused_and_told_why(server: Server, number: int) -> None:
    method, path, body = WRONG[number]
    status, told = ask(server, method, path, body)
    assert 400 <= status < 500, told
    error = told["error"]
    assert error["code"]
    assert error["message"]


def test_the_process_is_as_well_as_before(server: Server) -> None:
    assert ask(server, "GET", "/v1/churn/loyal")[0] == 200
    nothing_unexpected(server)
