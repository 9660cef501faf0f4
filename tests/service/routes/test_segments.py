"""Saving, counting and asking of one user, through the app."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from domain.condition_text import MAX_CHARS
from domain.ids import user_entity
from domain.scores import Band, Score
from domain.users import Profile
from feature_store.segments import BLOB_NAME
from feature_store.sweeps.attributes import attribute_columns
from feature_store.sweeps.table import SweepTable, table_of
from tests.feature_store.sweeps.making import AS_OF, ID, put, scored, with_features
from tests.golden.leaving import release_leaving
from tests.service.routes.test_churn import until
from tests.service.serving import NOW, App, app_in_memory

GOLDEN = sorted((Path(__file__).parents[2] / "golden" / "segments").glob("*.json"))
DAY = 86_400_000


ATTRIBUTES = [
    {"Plan": "Gold", "postal code": "3011 AB", "age": 31},
    {"plan": "tin", "age": 45, "vip": True},
    {},
    {"plan": "gold", "age": "unsaid"},
]


def people() -> SweepTable:
    """Four users; of one there is neither an order nor a value. Contact keeps bob and loses dan."""
    table = scored(["ann", "bob", "cem", "dan"], [0.75, 0.5, 0.6, 0.1], [120.0, 80.0, np.nan, 50.0])
    features = {
        "rfm.recency": [41.0, 12.0, -1.0, 3.0],
        "rhythm.orders": [5.0, 9.0, 0.0, 2.0],
        "uplift.effect": [0.125, 0.25, 0.0, -0.25],
        "uplift.low": [-0.125, 0.125, -0.5, -0.375],
        "uplift.high": [0.375, 0.375, 0.5, -0.125],
    }
    whole = with_features(table, features)
    action = np.array([0, 1, 0, 2], np.int8)
    columns = {**whole.columns, "uplift.action": action, **attribute_columns(ATTRIBUTES)}
    return table_of(whole.users, columns)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[App]:
    put(tmp_path / "sweeps" / "churn", 1, people())
    with app_in_memory(tmp_path) as app:
        yield app


def save(app: App, name: str, where: str, **more: Any) -> tuple[int, Any]:
    return app.send("PUT", f"/v1/segments/{name}", {"where": where, **more})


def count(app: App, where: str) -> dict[str, Any]:
    status, reply = app.send("POST", "/v1/segments:count", {"where": where})
    assert status == 200, reply
    return reply


@pytest.mark.parametrize("file", GOLDEN, ids=lambda file: file.stem)
def test_golden(shop: App, file: Path) -> None:
    golden = json.loads(file.read_text())
    assert golden["about"]
    for step in golden["steps"]:
        request, wanted = step["request"], step["reply"]
        status, reply = shop.send(request["method"], request["path"], request.get("body"))
        assert status == wanted["status"], reply
        assert reply == wanted["body"]


def test_there_are_golden_files() -> None:
    assert len(GOLDEN) >= 3


def test_counts_are_of_the_sweep(shop: App) -> None:
    told = count(shop, "recency > 30 or orders >= 9")
    assert told["where"] == "rfm.recency > 30 or rhythm.orders >= 9"
    assert (told["users"], told["of"], told["share"], told["unknown"]) == (2, 4, 0.5, 1)
    assert told["value"] == 200.0
    assert told["expected_loss"] == pytest.approx(0.75 * 120 + 40)
    assert (told["sweep"], told["as_of"]) == (ID.format(1), AS_OF)


def test_who_is_unknown_is_neither_in_nor_out(shop: App) -> None:
    assert count(shop, "recency > 0")["users"] == 3
    assert count(shop, "not recency > 0")["users"] == 0
    assert count(shop, "recency is unknown") | {"where": ""} == count(
        shop, "churn.value is unknown"
    ) | {"where": ""}
    nobody = count(shop, "recency is unknown and recency is known")
    assert (nobody["users"], nobody["value"], nobody["unknown"]) == (0, None, 0)


def test_before_the_first_sweep_and_without_features(tmp_path: Path) -> None:
    with app_in_memory(tmp_path) as app:
        status, reply = app.send("POST", "/v1/segments:count", {"where": "recency > 1"})
        assert (status, reply["error"]["code"]) == (404, "no_sweep")
    put(tmp_path / "sweeps" / "churn", 1, scored(["a"], [0.5], [1.0]))
    with app_in_memory(tmp_path) as app:
        status, reply = app.send("POST", "/v1/segments:count", {"where": "recency > 1"})
        assert (status, reply["error"]["code"]) == (404, "no_features")
        assert count(app, "band = low")["users"] == 1


def test_versions_keep_writers_apart(shop: App) -> None:
    status, made = save(shop, "risk", "band = high", about="call them", version=0)
    assert (status, made["version"], made["about"]) == (200, 1, "call them")
    assert made["created_at"] == made["updated_at"] == NOW
    status, refused = save(shop, "risk", "band = low", version=7)
    assert (status, refused["error"]["code"]) == (409, "version_conflict")
    assert save(shop, "risk", "band = low", version=1)[1]["version"] == 2
    assert shop.send("DELETE", "/v1/segments/risk?version=1")[0] == 409
    assert shop.send("DELETE", "/v1/segments/risk?version=x")[0] == 400
    status, gone = shop.send("DELETE", "/v1/segments/risk?version=2")
    assert (status, gone["where"]) == (200, "churn.band = low")
    assert shop.send("GET", "/v1/segments/risk")[0] == 404
    assert shop.send("DELETE", "/v1/segments/risk")[0] == 404


@pytest.mark.parametrize(
    ("name", "body", "field"),
    [
        ("Risk", {"where": "band = high"}, "name"),
        ("a%20b", {"where": "band = high"}, "name"),
        ("a", {"where": "band = huge"}, "where"),
        ("a", {"where": ""}, "where"),
        ("a", {"where": "x" * (MAX_CHARS + 1)}, "where"),
        ("a", {"where": "band = high", "version": -1}, "version"),
        ("a", {"where": 3}, "where"),
        ("a", {"about": "x"}, "where"),
        ("a", {"where": "band = high", "else": 1}, "else"),
    ],
)
def test_what_is_refused(shop: App, name: str, body: dict[str, Any], field: str) -> None:
    status, reply = shop.send("PUT", f"/v1/segments/{name}", body)
    assert status == 400, reply
    assert field in reply["error"]["field"] or field in reply["error"]["message"]
    assert shop.send("GET", "/v1/segments")[1]["segments"] == []


def test_everything_that_may_be_named_can_be_counted(shop: App) -> None:
    status, reply = shop.send("GET", "/v1/segments:columns")
    assert status == 200
    for column in reply["columns"]:
        name = column["name"].replace("*", "anything" if column["free"] else "")
        assert count(shop, f"{name} is known")["of"] == 4
    (band,) = [column for column in reply["columns"] if column["name"] == "churn.band"]
    assert band["words"] == ["low", "medium", "high"]


def test_saved_segments_that_cannot_be_read_are_kept(shop: App) -> None:
    shop.runner.run(shop.store.put_blob(BLOB_NAME, b"rubbish"))
    for method, path in (("GET", "/v1/segments"), ("GET", "/v1/segments/a")):
        assert shop.send(method, path)[0] == 503
    assert save(shop, "a", "band = high")[0] == 503
    assert shop.runner.run(shop.store.get_blob(BLOB_NAME)) == b"rubbish"


def buy(app: App, user: str, days_ago: float) -> None:
    event = {"user": user, "event_id": f"{user}{days_ago}", "kind": "purchase", "item": "x",
             "value": 10, "at": int(NOW - days_ago * DAY)}  # fmt: skip
    status, reply = app.send("POST", "/v1/events", event)
    assert status == 202, reply


def test_one_user_is_asked_as_of_now(shop: App) -> None:
    save(shop, "silent", "recency > 30")
    save(shop, "fresh", "recency < 30")
    save(shop, "risk", "band = high and recency > 30")
    buy(shop, "eve", 45.0)
    status, told = shop.send("GET", "/v1/users/eve/segments")
    assert status == 200
    assert told == {"user": "eve", "segments": ["silent"], "as_of": NOW, "scored_at": None,
                    "fallback": None, "reason": ""}  # fmt: skip
    score = Score(0.9, 0.8, NOW - DAY, "v1", None, Band.high, 100.0, 90.0)
    shop.runner.run(shop.store.put_scores({user_entity("eve"): {"churn": score}}))
    told = shop.send("GET", "/v1/users/eve/segments")[1]
    assert (told["segments"], told["scored_at"]) == (["risk", "silent"], NOW - DAY)
    buy(shop, "eve", 1.0)
    assert shop.send("GET", "/v1/users/eve/segments")[1]["segments"] == ["fresh"]


def test_membership_is_not_told_without_consent_or_knowledge(shop: App) -> None:
    save(shop, "all", "orders >= 0")
    buy(shop, "fay", 2.0)
    refusing = Profile({}, {"analytics": False}, False, NOW)
    shop.runner.run(shop.store.put_profile("fay", refusing))
    told = shop.send("GET", "/v1/users/fay/segments")[1]
    assert (told["segments"], told["fallback"], told["reason"]) == ([], "none", "consent")
    told = shop.send("GET", "/v1/users/nobody/segments")[1]
    assert (told["segments"], told["reason"]) == ([], "unknown_user")
    shop.store.down = True
    told = shop.send("GET", "/v1/users/fay/segments")[1]
    assert (told["fallback"], told["reason"]) == ("none", "store_unavailable")


def test_the_churn_answer_tells_of_segments(tmp_path: Path) -> None:
    release_leaving(tmp_path)
    with app_in_memory(tmp_path) as app:
        until(app, lambda: app.context.churn.current is not None)
        for user, days_ago in (("loyal", 10.0), ("silent", 300.0)):
            buy(app, user, days_ago)
        assert app.send("GET", "/v1/churn/silent")[1]["segments"] == []
        score = app.send("GET", "/v1/churn/silent")[1]["probability"]
        save(app, "silent", f"recency > 30 and churn.probability between {score} and {score}")
        save(app, "seen", "orders >= 1")
        told = app.send("POST", "/v1/churn", {"users": ["loyal", "silent", "nobody"]})[1]["users"]
        assert [one["segments"] for one in told] == [["seen"], ["seen", "silent"], []]
        app.send("PATCH", "/v1/users/silent", {"consent": {"analytics": False}})
        assert app.send("GET", "/v1/churn/silent")[1]["segments"] == []
