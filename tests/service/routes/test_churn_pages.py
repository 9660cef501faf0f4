"""Pages, files and estimates of a sweep, through the app; and through a real server at the end."""

import asyncio
import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.types import Message

from domain.clock import DAY_MS
from feature_store.sweeps.shelf import clear_old
from feature_store.sweeps.table import TABLE, SweepTable
from models.churn.reach import Terms, reach
from tests.feature_store.sweeps.making import ID, put, scored
from tests.service.serving import Answer, App, app_in_memory, scope_of, serving

N = 1_200


def everybody(n: int = N, seed: int = 0) -> SweepTable:
    rng = np.random.default_rng(seed)
    value = np.where(rng.random(n) < 0.05, np.nan, rng.gamma(1.0, 60.0, n))
    return scored([f"c{k:05d}" for k in range(n)], rng.beta(2, 3, n).tolist(), value.tolist())


@pytest.fixture
def swept(tmp_path: Path) -> Iterator[App]:
    put(tmp_path / "sweeps" / "churn", 1, everybody())
    with app_in_memory(tmp_path) as app:
        yield app


def _page(app: App, query: str = "") -> dict[str, Any]:
    status, page = app.send("GET", "/v1/churn" + query)
    assert status == 200, page
    return page


def _all(app: App, query: str) -> list[dict[str, Any]]:
    page = _page(app, "?" + query)
    users = page["users"]
    while page["cursor"]:
        page = _page(app, f"?{query}&cursor={page['cursor']}")
        assert page["users"]
        users += page["users"]
    assert len(users) == page["matched"]
    return users


def download(app: App, target: str, **headers: str) -> Answer:
    """GET what comes in parts; the caller stays on the line."""

    async def get() -> Answer:
        sent: list[Message] = []
        waiting = [{"type": "http.request", "body": b"", "more_body": False}]

        async def receive() -> Message:
            if waiting:
                return waiting.pop()
            await asyncio.Event().wait()
            raise AssertionError

        async def send(message: Message) -> None:
            sent.append(message)

        pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
        await app.dispatcher(scope_of("GET", target, pairs), receive, send)
        assert not sent[-1].get("more_body")
        names = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        return Answer(sent[0]["status"], b"".join(m.get("body", b"") for m in sent[1:]), names)

    return app.runner.run(get())


def test_pages_neither_repeat_nor_skip(swept: App) -> None:
    for sort, key in (("expected_loss", "expected_loss"), ("probability", "probability"),
                      ("value", "value"), ("user", "user")):  # fmt: skip
        users = _all(swept, f"sort={sort}&limit=500")
        assert sorted(user["user"] for user in users) == [f"c{k:05d}" for k in range(N)]
        column = [user[key] for user in users if user[key] is not None]
        assert column == sorted(column, reverse=sort != "user")


def test_conditions_are_held(swept: App) -> None:
    users = _all(swept, "band=high,medium&min_loss=30&min_probability=0.5&limit=100")
    assert users
    for user in users:
        assert user["band"] in ("high", "medium")
        assert user["expected_loss"] >= 30
        assert user["probability"] >= 0.5
    table = everybody()
    wanted = (table["expected_loss"] >= 30) & (table["probability"] >= 0.5)
    assert len(users) == int(wanted.sum())


def test_the_sweep_says_what_it_is(swept: App) -> None:
    page = _page(swept, "?limit=1")
    assert page["sweep"]["id"] == ID.format(1)
    assert page["sweep"]["users"] == N
    assert sum(page["sweep"]["bands"].values()) == N
    assert page["sweep"]["definition"] == "inactivity"
    assert page["fallback"] is None
    (user,) = page["users"]
    assert user["reasons"][0]["text"] == "no order for 41 days; their usual gap is 9"


def test_a_cursor_stays_with_its_sweep(swept: App, tmp_path: Path) -> None:
    first = _page(swept, "?limit=500")
    root = tmp_path / "sweeps" / "churn"
    put(root, 2, everybody(seed=1))
    second = _page(swept, f"?limit=500&cursor={first['cursor']}")
    assert second["sweep"]["id"] == ID.format(1)
    seen = {user["user"] for user in first["users"]} & {user["user"] for user in second["users"]}
    assert not seen
    assert _page(swept, "?limit=1")["sweep"]["id"] == ID.format(2)
    clear_old(root, keep=1)
    status, error = swept.send("GET", f"/v1/churn?limit=500&cursor={first['cursor']}")
    assert (status, error["error"]["code"]) == (400, "bad_cursor")
    assert "gone" in error["error"]["message"]


def test_a_cursor_is_refused_when_it_is_not_whole_old_or_of_another_question(swept: App) -> None:
    cursor = _page(swept, "?limit=10")["cursor"]
    for query in (
        f"cursor={cursor[:-2]}xx",
        f"cursor={cursor}&sort=user",
        f"cursor={cursor}&band=high",
        "cursor=nonsense",
    ):
        status, error = swept.send("GET", "/v1/churn?limit=10&" + query)
        assert (status, error["error"]["code"]) == (400, "bad_cursor"), query
    swept.clock.advance(DAY_MS + 1)
    status, error = swept.send("GET", f"/v1/churn?limit=10&cursor={cursor}")
    assert (status, error["error"]["code"]) == (400, "bad_cursor")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("band=huge", "band"),
        ("band=high,", "band"),
        ("min_loss=-1", "min_loss"),
        ("min_loss=nan", "min_loss"),
        ("min_loss=1e999", "min_loss"),
        ("min_probability=1.5", "min_probability"),
        ("sort=shoes", "sort"),
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("limit=%C2%B2", "limit"),
        ("format=xlsx", "format"),
        ("format=csv&cursor=x", "cursor"),
        ("threshold=0.5", "query"),
    ],
)
def test_bad_questions_are_refused_by_name(swept: App, query: str, field: str) -> None:
    status, error = swept.send("GET", "/v1/churn?" + query)
    assert (status, error["error"]["field"]) == (400, field)


def test_a_file_holds_everybody_in_order(swept: App) -> None:
    users = _all(swept, "limit=500")
    answer = download(swept, "/v1/churn?format=ndjson")
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert f"churn-{ID.format(1)}.ndjson" in answer.headers["content-disposition"]
    assert [json.loads(line) for line in answer.body.splitlines()] == users
    answer = download(swept, "/v1/churn?format=csv&band=high&limit=7")
    rows = list(csv.DictReader(io.StringIO(answer.body.decode(), newline="")))
    assert [row["user"] for row in rows] == [u["user"] for u in users if u["band"] == "high"][:7]


@pytest.mark.parametrize(
    ("accept", "kind"),
    [("text/csv", "text/csv; charset=utf-8"), ("application/x-ndjson", "application/x-ndjson")],
)
def test_the_accept_header_asks_for_a_file_as_well(swept: App, accept: str, kind: str) -> None:
    assert download(swept, "/v1/churn", accept=accept).headers["content-type"] == kind
    answer = swept.ask("GET", "/v1/churn?format=json", headers=[(b"accept", accept.encode())])
    assert answer.headers["content-type"] == "application/json"


def test_head_makes_no_file(swept: App) -> None:
    answer = swept.ask("HEAD", "/v1/churn?format=csv")
    assert (answer.status, answer.body) == (200, b"")


def test_an_empty_selection_is_an_empty_file(swept: App) -> None:
    assert download(swept, "/v1/churn?format=ndjson&min_loss=1e9").body == b""
    assert download(swept, "/v1/churn?format=csv&min_loss=1e9").body.count(b"\r\n") == 1


def test_an_estimate_is_what_the_formula_says(swept: App) -> None:
    query = "threshold=0.5&contact_cost=2&offer_cost=5&success_rate=0.4&margin=0.5"
    status, told = swept.send("GET", "/v1/churn/estimate?" + query)
    assert status == 200
    table = everybody()
    rows = table["probability"] >= 0.5
    wanted = reach(table["probability"][rows], table["value"][rows], Terms(2.0, 5.0, 0.4, 0.5))
    assert wanted.profit is not None
    assert told["reach"] == int(rows.sum())
    assert told["leavers"] == pytest.approx(wanted.leavers._asdict())
    assert told["profit"] == pytest.approx(wanted.profit._asdict())
    assert told["cost"] == pytest.approx(wanted.cost)
    assert told["unknown_value"] == int(np.isnan(table["value"][rows]).sum())
    assert told["terms"] == {
        "contact_cost": 2.0, "offer_cost": 5.0, "success_rate": 0.4, "margin": 0.5
    }  # fmt: skip
    assert told["share"] == pytest.approx(rows.mean())


def test_an_estimate_of_a_band(swept: App) -> None:
    status, told = swept.send("GET", "/v1/churn/estimate?band=high")
    assert status == 200
    assert told["reach"] == told["sweep"]["bands"]["high"]
    assert told["leavers"]["low"] < told["leavers"]["expected"] < told["leavers"]["high"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("", "threshold"),
        ("threshold=2", "threshold"),
        ("threshold=0.5&success_rate=1.1", "success_rate"),
        ("band=high&contact_cost=-1", "contact_cost"),
        ("band=high&margin=x", "margin"),
        ("min_probability=0.5", "query"),
    ],
)
def test_bad_estimates_are_refused_by_name(swept: App, query: str, field: str) -> None:
    status, error = swept.send("GET", "/v1/churn/estimate?" + query)
    assert (status, error["error"]["field"]) == (400, field)


def test_before_the_first_sweep_it_says_who_must_act(app: App) -> None:
    page = _page(app)
    assert (page["sweep"], page["users"], page["fallback"]) == (None, [], "no_sweep")
    assert "training sweep churn" in page["message"]
    for target in ("/v1/churn?format=csv", "/v1/churn/estimate?threshold=0.5"):
        status, error = app.send("GET", target)
        assert (status, error["error"]["code"]) == (404, "no_sweep")
        assert "training sweep churn" in error["error"]["message"]


def test_a_sweep_that_cannot_be_read_is_no_fault_of_the_caller(tmp_path: Path) -> None:
    put(tmp_path / "sweeps" / "churn", 1, everybody(5))
    (tmp_path / "sweeps" / "churn" / ID.format(1) / TABLE).unlink()
    with app_in_memory(tmp_path) as app:
        status, error = app.send("GET", "/v1/churn")
    assert (status, error["error"]["code"]) == (503, "unavailable")


def test_a_server_sends_a_large_file_whole(tmp_path: Path) -> None:
    put(tmp_path / "sweeps" / "churn", 1, everybody(20_000))
    with serving(tmp_path, "--no-log-writer") as server:
        status, body, headers = server.request("GET", "/v1/churn?format=ndjson")
        assert status == 200
        assert "content-length" not in headers
        lines = body.splitlines()
        assert len(lines) == 20_000
        assert len({json.loads(line)["user"] for line in lines}) == 20_000
        status, body, _ = server.request("GET", "/v1/churn?limit=3&band=high", accept="*/*")
        assert (status, len(json.loads(body)["users"])) == (200, 3)
