"""/v1/recommendations: golden answers, degraded answers, hostile questions, freshness."""

import asyncio
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from domain.events import check_event
from models.bundle import Draft, write_bundle
from models.bundle_pointers import point
from tests.golden.shop import ITEMS, shop_model
from tests.golden.shop import NOW as SHOP_NOW
from tests.service.serving import NOW, App, app_in_memory, serving

GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "recommendations"
URL = "/v1/recommendations"
PAST = {
    "baker": [("bread", "purchase")],
    "breakfast": [("coffee", "click"), ("bread", "purchase"), ("butter", "add_to_cart")],
    "refuser": [("bread", "purchase")],
}


def release_shop(home: Path, repeats: bool = False) -> str:
    model = shop_model(repeats)
    bundle = write_bundle(
        home / "bundles", Draft("recommend", SHOP_NOW, model.arrays(), model.params())
    )
    point(home / "bundles" / "recommend", bundle.version, SHOP_NOW)
    return bundle.version


def until(app: App, holds: Any, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        app.runner.run(asyncio.sleep(0.001))


def remember(app: App, user: str, *past: tuple[str, str], session: bool = False) -> None:
    """Let events have happened an hour apart, those of a session a minute earlier."""
    whose = {"session": user} if session else {"user": user}
    last = NOW - 60_000 * session
    events = [
        check_event(now_ms=NOW, item=item, kind=kind, at=last - 3_600_000 * ago, **whose)
        for ago, (item, kind) in zip(range(len(past), 0, -1), past, strict=True)
    ]
    app.runner.run(app.store.append(events, NOW))


@pytest.fixture(scope="module")
def _shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    home = tmp_path_factory.mktemp("shop")
    release_shop(home)
    with app_in_memory(home) as app:
        app.runner.run(app.store.put_items(list(ITEMS)))
        for user, past in PAST.items():
            remember(app, user, *past)
        remember(app, "visit", ("coffee", "click"), session=True)
        remember(app, "known", ("coffee", "click"), session=True)
        remember(app, "regular", ("bread", "purchase"))
        app.runner.run(app.store.identify("known", "regular", NOW))
        app.send("PATCH", "/v1/users/refuser", {"consent": {"personalisation": False}})
        app.send("POST", URL, {})
        yield app


@pytest.fixture
def shop(_shop: App) -> Iterator[App]:
    yield _shop
    _shop.store.down = _shop.store.broken = False
    _shop.context.watch.up = True


def names(reply: Any) -> list[str]:
    return [place["item"] for place in reply["items"]]


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.json")), ids=lambda path: path.stem)
def test_golden_answers(shop: App, path: Path) -> None:
    golden = json.loads(path.read_text())
    method, target = golden.get("method", "POST"), URL + golden.get("query", "")
    status, reply = shop.send(method, target, golden.get("request"))
    reply.pop("decision_id", None)
    if "model" in reply:
        assert reply["model"].startswith("recommend/")
        reply["model"] = "recommend/shop"
    for place in reply.get("items", ()):
        place["score"] = round(place["score"], 4)
    assert {"status": status, "reply": reply} == {
        "status": golden["status"],
        "reply": golden["reply"],
    }


def test_there_are_golden_answers() -> None:
    assert len(list(GOLDEN.glob("*.json"))) >= 12


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"k": 0}, "k", "bad_value"),
        ({"k": 10**9}, "k", "bad_value"),
        ({"k": 10**40}, "k", "bad_value"),
        ({"k": 2.5}, "k", "bad_type"),
        ({"k": "20"}, "k", "bad_type"),
        ({"k": True}, "k", "bad_type"),
        (b'{"k": NaN}', "body", "bad_json"),
        (b'{"diversity": 1e999}', "diversity", "bad_value"),
        ({"diversity": 1.01}, "diversity", "bad_value"),
        ({"user": "a", "session": "b"}, "session", "contradiction"),
        ({"user": "a", "history": []}, "history", "contradiction"),
        ({"user": "a\u0000b"}, "user", "bad_field"),
        ({"user": " a"}, "user", "bad_field"),
        ({"user": "x" * 257}, "user", "bad_field"),
        ({"session": "\u200b"}, "session", "bad_field"),
        ({"context": {"item": "a\nb"}}, "context.item", "bad_field"),
        ({"context": ["bread"]}, "context", "bad_type"),
        ({"history": [{"item": ""}]}, "history[0].item", "bad_field"),
        (
            {"history": [{"item": "a"}, {"item": "b", "kind": "nod"}]},
            "history[1].kind",
            "unknown_kind",
        ),
        ({"history": [{"item": "a", "at": "soon"}]}, "history[0].at", "bad_field"),
        ({"history": [{"item": "a", "at": NOW + 3_600_000}]}, "history[0].at", "in_future"),
        ({"history": [{"item": "a"}] * 1001}, "history", "bad_value"),
        ({"filter": {"price": {"min": 2, "max": 1}}}, "filter.price", "contradiction"),
        ({"filter": {"price": {"min": -1}}}, "filter.price.min", "bad_value"),
        ({"filter": {"allow": []}}, "filter.allow", "contradiction"),
        ({"filter": {"allow": ["a"], "deny": ["b", "a"]}}, "filter.deny", "contradiction"),
        ({"filter": {"deny": ["a"] * 1001}}, "filter.deny", "bad_value"),
        (
            {"filter": {"attributes": {"grams": {"min": 2, "max": 1}}}},
            "filter.attributes.grams",
            "contradiction",
        ),
        ({"filter": {"attributes": {"grams": {}}}}, "filter.attributes.grams", "contradiction"),
        (
            {"filter": {"attributes": {"grams": {"equals": 1, "max": 1}}}},
            "filter.attributes.grams",
            "contradiction",
        ),
        (
            {"rules": [{"field": "category", "value": "x", "bias": -0.5}]},
            "rules[0].bias",
            "bad_field",
        ),
        ({"rules": [{"field": "colour", "value": "x", "bias": 1}]}, "rules[0].field", "bad_field"),
        ({"rules": [{"field": "item", "value": 7, "bias": 1}]}, "rules[0].value", "bad_type"),
        ({"rules": [{"field": "item", "value": [], "bias": 1}]}, "rules[0].value", "bad_value"),
        (
            {"rules": [{"field": "item", "value": "x", "bias": b} for b in (-1, 0)]},
            "rules[0]",
            "contradiction",
        ),
        (b"{", "body", "bad_json"),
        (b"\xff\xfe", "body", "bad_json"),
        (b'{"context":{"page":' + b"[" * 50_000, "body", "too_deep"),
    ],
)
def test_wrong_questions_are_refused_by_field(shop: App, body: Any, field: str, code: str) -> None:
    status, reply = shop.send("POST", URL, body)
    assert (status, reply["error"]["field"], reply["error"]["code"]) == (400, field, code), reply
    assert reply["error"]["message"]


@pytest.mark.parametrize(
    ("body", "field", "hint"),
    [
        ({"categorys": ["x"]}, "categorys", "categories"),
        ({"filter": {"prices": {}}}, "filter.prices", "price"),
        ({"exclude": True}, "exclude", "exclude_seen"),
    ],
)
def test_unknown_fields_get_the_nearest_name(shop: App, body: Any, field: str, hint: str) -> None:
    status, reply = shop.send("POST", URL, body)
    assert (status, reply["error"]["code"], reply["error"]["field"]) == (
        400,
        "unknown_field",
        field,
    )
    assert hint in reply["error"]["message"]


def test_unknown_fields_of_the_context_pass(shop: App) -> None:
    assert shop.send("POST", URL, {"context": {"page": {"deep": [1]}, "item": "tea"}})[0] == 200


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("k=0", "k"),
        ("k=x", "k"),
        ("k=1e9", "k"),
        ("explain=perhaps", "explain"),
        ("diversity=nan", "diversity"),
        ("diversity=2", "diversity"),
        ("colour=red", "query"),
        ("user=a&session=b", "session"),
        ("user=a&user=b", "user"),
        ("price_min=x", "filter.price.min"),
        ("price_min=3&price_max=2", "filter.price"),
        ("item=%00", "context.item"),
    ],
)
def test_wrong_queries_are_refused_by_field(shop: App, query: str, field: str) -> None:
    status, reply = shop.send("GET", f"{URL}?{query}")
    assert (status, reply["error"]["field"]) == (400, field), reply


def test_a_body_that_is_too_large_is_refused(shop: App) -> None:
    assert shop.send("POST", URL, b" " * (1 << 20))[0] == 413


def test_an_event_changes_the_next_answer(shop: App) -> None:
    before = shop.send("POST", URL, {"user": "fresh", "k": 3})[1]
    assert before["fallback"] == "popular"
    assert before["reason"] == "no_history"
    shop.send("POST", "/v1/events", {"user": "fresh", "kind": "click", "item": "tea"})
    after = shop.send("POST", URL, {"user": "fresh", "explain": True, "k": 2})[1]
    assert names(after)[0] == "milk"
    assert after["items"][0]["sources"][0]["text"] == "Because you viewed Tea"
    assert after["as_of"] == NOW + 1  # just after the event of this very millisecond


def test_a_refund_undoes_what_a_purchase_changed(shop: App) -> None:
    ask = {"user": "returner", "k": 3, "exclude_seen": True}
    before = shop.send("POST", URL, ask)[1]
    bought = {"user": "returner", "kind": "purchase", "item": "tea", "event_id": "p1"}
    shop.send("POST", "/v1/events", bought)
    owned = shop.send("POST", URL, ask)[1]
    assert names(owned)[0] == "milk"
    assert "tea" not in names(owned)
    undone = {"user": "returner", "kind": "refund", "item": "tea", "properties": {"refunds": "p1"}}
    shop.send("POST", "/v1/events", undone)
    assert names(shop.send("POST", URL, ask)[1]) == names(before)


def test_an_item_changes_the_next_answer(shop: App) -> None:
    ask = {"history": [{"item": "tea", "kind": "purchase"}], "k": 1}
    assert names(shop.send("POST", URL, ask)[1]) == ["milk"]
    milk = next(item for item in ITEMS if item.item == "milk")
    shop.runner.run(shop.store.put_items([replace(milk, hidden=True)]))
    assert names(shop.send("POST", URL, ask)[1]) == ["jam"]
    shop.runner.run(shop.store.delete_items(["jam"]))
    assert names(shop.send("POST", URL, ask)[1]) not in (["milk"], ["jam"])
    shop.runner.run(shop.store.put_items(list(ITEMS)))
    assert names(shop.send("POST", URL, ask)[1]) == ["milk"]


def test_refused_consent_leaves_no_trace_of_the_history(shop: App) -> None:
    reply = shop.send("POST", URL, {"user": "refuser"})[1]
    stranger = shop.send("POST", URL, {"user": "stranger"})[1]
    assert reply["items"] == stranger["items"]
    assert (reply["fallback"], reply["reason"]) == ("newest", "consent")
    assert "bread" in names(reply)


def test_opt_in_needs_a_yes(shop: App) -> None:
    settings = shop.context.settings
    shop.context.settings = replace(settings, unanswered=False)
    try:
        assert shop.send("POST", URL, {"user": "baker"})[1]["reason"] == "consent"
        assert shop.send("POST", URL, {"session": "visit"})[1]["reason"] == "consent"
        shop.send("PATCH", "/v1/users/baker", {"consent": {"personalisation": True}})
        assert shop.send("POST", URL, {"user": "baker", "k": 1})[1].get("fallback") is None
    finally:
        shop.context.settings = settings


@pytest.mark.parametrize("harm", ["down", "broken"])
def test_without_the_store_the_answer_is_what_is_popular(shop: App, harm: str) -> None:
    setattr(shop.store, harm, True)
    status, reply = shop.send("POST", URL, {"user": "baker", "k": 3})
    assert status == 200
    assert names(reply) == ["bread", "milk", "coffee"]
    assert (reply["fallback"], reply["reason"]) == ("popular", "store_unavailable")
    inline = shop.send("POST", URL, {"history": [{"item": "bread"}], "k": 1})[1]
    assert (names(inline), inline["reason"]) == (["butter"], "store_unavailable")
    setattr(shop.store, harm, False)
    assert names(shop.send("POST", URL, {"user": "baker", "k": 1})[1]) == ["butter"]


def test_a_store_that_hangs_is_not_waited_for(shop: App, monkeypatch: pytest.MonkeyPatch) -> None:
    async def hang(entities: Any) -> Any:
        await asyncio.Event().wait()

    monkeypatch.setattr(shop.store, "read", hang)
    started = time.monotonic()
    status, reply = shop.send("POST", URL, {"user": "baker"})
    assert (status, reply["reason"]) == (200, "store_unavailable")
    assert time.monotonic() - started < 5
    shop.context.watch.up = False
    assert shop.send("POST", URL, {"user": "baker"})[1]["items"]


def test_the_decision_says_what_was_answered(shop: App) -> None:
    ask = {"session": "known", "k": 2, "filter": {"deny": ["jam"]}, "explain": True}
    reply = shop.send("POST", URL, ask)[1]

    def logged() -> list[Any]:
        entries = [entry for stream in shop.store.decision_streams.values() for entry in stream]
        found = [one for entry in entries for one in entry.decisions]
        return [one for one in found if one.decision_id == reply["decision_id"]]

    until(shop, logged)
    (decision,) = logged()
    assert decision.entity == "uregular"
    assert decision.items == tuple(names(reply))
    assert decision.model == reply["model"]
    assert decision.as_of == reply["as_of"]
    assert json.loads(decision.request) == {key: ask[key] for key in ("k", "filter", "explain")}
    assert decision.propensities == (1.0, 1.0)
    assert decision.family == "recommend"


def test_new_models_are_taken_without_a_failed_answer(tmp_path: Path) -> None:
    with app_in_memory(tmp_path) as app:
        app.runner.run(app.store.put_items(list(ITEMS)))
        remember(app, "baker", ("bread", "purchase"))
        first = app.send("POST", URL, {"user": "baker", "k": 1})[1]
        assert (first["model"], first["fallback"], first["reason"]) == (None, "similar", "no_model")
        versions = [release_shop(tmp_path), release_shop(tmp_path, repeats=True)]
        for version in versions:
            point(tmp_path / "bundles" / "recommend", version, SHOP_NOW + versions.index(version))
            app.runner.run(app.context.bundles.look())

            def taken(version: str = version) -> bool:
                status, reply = app.send("POST", URL, {"user": "baker", "k": 1})
                assert status == 200
                assert reply["items"]
                return reply["model"] == f"recommend/{version}"

            until(app, taken)
        seen = names(app.send("POST", URL, {"user": "baker", "k": 50})[1])
        assert "bread" in seen
        assert "honey" in seen


def test_trends_reach_those_without_a_history(tmp_path: Path) -> None:
    import numpy as np

    from feature_store.trends import BLOB_NAME, Trends, pack

    sums = np.array([[2.0, 1.0]] * 2)
    trends = Trends(NOW, ("jam", "met"), sums, sums[0], {}, None, np.array([3.0, 4.0]))
    with app_in_memory(tmp_path) as app:
        app.runner.run(app.store.put_blob(BLOB_NAME, pack(trends)))
        app.runner.run(app.context.trends.look())
        reply = app.send("GET", URL)[1]
        assert names(reply) == ["jam", "met"]
        assert {place["fallback"] for place in reply["items"]} == {"trending"}
        assert {place["known"] for place in reply["items"]} == {False}


def test_through_a_real_server_an_event_changes_the_next_answer(tmp_path: Path) -> None:
    version = release_shop(tmp_path)
    with serving(tmp_path) as server:

        def send(method: str, path: str, body: Any) -> tuple[int, Any]:
            status, content, _ = server.request(method, path, json.dumps(body).encode())
            return status, json.loads(content)

        before = send("POST", URL, {"user": "anna", "k": 2})[1]
        assert (before["model"], before["fallback"]) == (f"recommend/{version}", "popular")
        for bought, follows in (("bread", "butter"), ("butter", "jam"), ("coffee", "milk")):
            event = {"user": "anna", "kind": "purchase", "item": bought}
            assert send("POST", "/v1/events", event)[0] == 202
            after = send("POST", URL, {"user": "anna", "k": 1})[1]
            assert names(after) == [follows]
            assert "fallback" not in after
        assert send("PUT", "/v1/items/milk", {"hidden": True})[0] < 300
        assert names(send("POST", URL, {"user": "anna", "k": 1})[1]) == ["jam"]
