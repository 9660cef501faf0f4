"""Who is in a segment: pages, files and cursors, through the app."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from feature_store.sweeps.shelf import clear_old
from feature_store.sweeps.table import SweepTable
from tests.feature_store.sweeps.making import AS_OF, ID, put, scored, with_features
from tests.service.routes.test_churn_pages import download
from tests.service.serving import App, app_in_memory

N = 700
WHERE = "recency > 30 and churn.band in (medium, high)"


def everybody(seed: int = 0) -> SweepTable:
    rng = np.random.default_rng(seed)
    table = scored([f"c{k:05d}" for k in range(N)], rng.beta(2, 3, N).tolist(),
                   rng.gamma(1.0, 60.0, N).tolist())  # fmt: skip
    recency = np.where(rng.random(N) < 0.1, -1.0, rng.exponential(40.0, N))
    return with_features(table, {"rfm.recency": recency.tolist()})


@pytest.fixture
def swept(tmp_path: Path) -> Iterator[App]:
    put(tmp_path / "sweeps" / "churn", 1, everybody())
    with app_in_memory(tmp_path) as app:
        assert app.send("PUT", "/v1/segments/slipping", {"where": WHERE})[0] == 200
        yield app


def wanted() -> set[str]:
    """By hand: bands begin at a loss of 10, see making.by_loss."""
    table = everybody()
    keep = (table["rfm.recency"] > 30) & (table["expected_loss"] >= 10)
    return set(table.names(np.flatnonzero(keep)))


def page(app: App, query: str = "") -> dict[str, Any]:
    status, reply = app.send("GET", "/v1/segments/slipping/users" + query)
    assert status == 200, reply
    return reply


def test_pages_neither_repeat_nor_skip(swept: App) -> None:
    told = page(swept, "?limit=50")
    users = told["users"]
    assert told["unknown"] > 0
    assert (told["sweep"], told["as_of"]) == (ID.format(1), AS_OF)
    assert told["where"] == "rfm.recency > 30 and churn.band in (medium, high)"
    while told["cursor"]:
        told = page(swept, f"?limit=50&cursor={told['cursor']}")
        users += told["users"]
    names = [user["user"] for user in users]
    assert len(names) == len(set(names)) == told["matched"]
    assert set(names) == wanted()
    losses = [user["expected_loss"] for user in users]
    assert losses == sorted(losses, reverse=True)
    assert users[0]["reasons"]


def test_files_hold_everybody(swept: App) -> None:
    answer = download(swept, "/v1/segments/slipping/users?format=ndjson")
    assert {json.loads(line)["user"] for line in answer.body.splitlines()} == wanted()
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert f"slipping-{ID.format(1)}.ndjson" in answer.headers["content-disposition"]
    answer = download(swept, "/v1/segments/slipping/users", accept="text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.body.decode(), newline="")))
    assert {row["user"] for row in rows} == wanted()
    assert rows[0]["reason_1"]
    answer = download(swept, "/v1/segments/slipping/users?format=csv&limit=3")
    assert len(answer.body.splitlines()) == 4
    head = swept.ask("HEAD", "/v1/segments/slipping/users?format=csv")
    assert (head.status, head.body) == (200, b"")


def test_a_cursor_keeps_to_its_sweep_and_its_segment(swept: App, tmp_path: Path) -> None:
    root = tmp_path / "sweeps" / "churn"
    first = page(swept, "?limit=10")
    put(root, 2, everybody(1))
    again = page(swept, f"?limit=10&cursor={first['cursor']}")
    assert again["sweep"] == ID.format(1)
    assert page(swept)["sweep"] == ID.format(2)
    swept.send("PUT", "/v1/segments/other", {"where": WHERE})
    swept.send("PUT", "/v1/segments/slipping", {"where": "recency > 30"})
    for target in ("slipping", "other"):
        status, reply = swept.send("GET", f"/v1/segments/{target}/users?cursor={first['cursor']}")
        assert (status, reply["error"]["code"]) == (400, "bad_cursor")
    mine = page(swept, "?limit=10")["cursor"]
    for number in (3, 4, 5):
        put(root, number, everybody(number))
    clear_old(root, keep=1)
    status, reply = swept.send("GET", f"/v1/segments/slipping/users?cursor={mine}")
    assert (status, reply["error"]["code"]) == (400, "bad_cursor")


def test_before_the_first_sweep_a_page_says_so(tmp_path: Path) -> None:
    with app_in_memory(tmp_path) as app:
        app.send("PUT", "/v1/segments/slipping", {"where": WHERE})
        told = page(app)
        assert (told["fallback"], told["users"], told["sweep"]) == ("no_sweep", [], None)
        assert "sweep churn" in told["message"]
        status, reply = app.send("GET", "/v1/segments/slipping/users?format=csv")
        assert (status, reply["error"]["code"]) == (404, "no_sweep")


@pytest.mark.parametrize(
    ("target", "status", "code"),
    [
        ("nothing/users", 404, "no_segment"),
        ("Bad!/users", 400, "bad_field"),
        ("slipping/users?limit=0", 400, "bad_field"),
        ("slipping/users?limit=501", 400, "bad_field"),
        ("slipping/users?cursor=abc", 400, "bad_cursor"),
        ("slipping/users?format=xml", 400, "bad_field"),
        ("slipping/users?format=csv&cursor=abc", 400, "bad_field"),
        ("slipping/users?band=high", 400, "unknown_field"),
    ],
)
def test_what_is_refused(swept: App, target: str, status: int, code: str) -> None:
    got, reply = swept.send("GET", f"/v1/segments/{target}")
    assert (got, reply["error"]["code"]) == (status, code)
