"""Similar items, bought together, trending: in memory and through a real server."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from domain.clock import DAY_MS
from domain.users import Profile
from feature_store import segment_trends, segments
from feature_store.trends import BLOB_NAME, Trends, pack
from service.routes.related import ROUTES
from tests.golden.shop import ITEMS
from tests.service.routes.test_recommendations import names, release_shop, remember, until
from tests.service.serving import NOW, App, app_in_memory, serving


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    home = tmp_path_factory.mktemp("shop")
    release_shop(home)
    with app_in_memory(home) as app:
        app.runner.run(app.store.put_items(list(ITEMS)))
        remember(app, "baker", ("milk", "purchase"))
        app.send("GET", "/v1/trending")
        yield app


def get(app: App, path: str) -> Any:
    status, reply = app.send("GET", path)
    assert status == 200, reply
    return reply


def marks(reply: Any) -> list[str | None]:
    return [place.get("fallback") for place in reply["items"]]


def test_what_is_like_an_item(shop: App) -> None:
    reply = get(shop, "/v1/items/coffee/similar?k=2&explain=true")
    assert names(reply) == ["milk", "bread"]
    assert marks(reply) == [None, "popular"]
    assert reply["items"][0]["sources"][0]["text"] == "Goes with Coffee"
    assert (reply["fallback"], reply["reason"]) == ("popular", "few_items")
    assert "milk" not in names(get(shop, "/v1/items/coffee/similar?user=baker"))
    drinks = get(shop, "/v1/items/coffee/similar?categories=drink&price_max=2")
    assert names(drinks) == ["milk"]


def test_what_goes_with_an_item_whichever_came_first(shop: App) -> None:
    reply = get(shop, "/v1/items/jam/bought-together?k=3")
    assert names(reply) == ["bread", "butter", "tea"]
    assert "fallback" not in reply
    assert {place["sources"][0]["member"] for place in reply["items"]} == {"bought_together"}


def test_an_item_nobody_knows_gets_what_everybody_gets(shop: App) -> None:
    for what in ("similar", "bought-together"):
        reply = get(shop, f"/v1/items/no%2Fwhere/{what}?k=2")
        assert names(reply) == ["bread", "milk"]
        assert (reply["fallback"], reply["unknown_items"]) == ("popular", 1)


def crowd(items: tuple[str, ...], people: list[float]) -> Trends:
    """Trends of so many people a click each, just now."""
    told = np.array(people)
    loudest = np.zeros((3, len(items))) + (NOW / np.array([DAY_MS, 7 * DAY_MS, np.inf]))[:, None]
    return Trends(NOW, items, np.stack([told, told]), told, {}, None, told, loudest)


@pytest.fixture(scope="module")
def bakery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """Few of everybody want jam, and most of the bakers; nobody has a history."""
    with app_in_memory(tmp_path_factory.mktemp("bakery")) as app:
        run = app.runner.run
        run(app.store.put_items(list(ITEMS)))
        whole = crowd(("tea", "milk", "jam", "coffee"), [200.0, 100.0, 60.0, 40.0])
        bakers = crowd(("jam", "tea", "invented"), [50.0, 3.0, 90.0])
        run(app.store.put_blob(BLOB_NAME, pack(whole)))
        run(segments.put(app.store, "bakers", 'attributes.job = "baker"', NOW))
        run(segments.put(app.store, "quiet", 'attributes.job = "quiet"', NOW))
        key = f"bakers@{run(segments.load(app.store)).by_name['bakers'].version}"
        run(app.store.put_blob(segment_trends.BLOB_NAME, segment_trends.pack({key: bakers})))
        for user, job, consent in (
            ("ann", "baker", {}), ("ben", "smith", {}), ("cat", "baker", {"analytics": False}),
            ("dan", "baker", {"personalisation": False}),
        ):  # fmt: skip
            run(app.store.put_profile(user, Profile(attributes={"job": job}, consent=consent)))
        for part in (app.context.segments, app.context.trends, app.context.by_segment):
            run(part.look())
        app.send("GET", "/v1/trending")
        yield app


def test_what_a_segment_wants(bakery: App) -> None:
    assert names(get(bakery, "/v1/trending?k=3")) == ["tea", "milk", "jam"]
    reply = get(bakery, "/v1/trending?segment=bakers&k=4&explain=true")
    assert names(reply)[0] == "jam"
    assert set(names(reply)) == {"tea", "milk", "jam", "coffee"}
    assert "fallback" not in reply
    texts = {one["item"]: one["sources"][0]["text"] for one in reply["items"]}
    assert texts["jam"] == "Popular with bakers"
    assert texts["milk"] == "Trending now"
    quiet = get(bakery, "/v1/trending?segment=quiet&k=2")
    assert (names(quiet), quiet["fallback"]) == (["tea", "milk"], "trending")
    assert names(get(bakery, "/v1/trending?segment=bakers&category=sweet&k=1")) == ["jam"]


def test_who_has_no_history_is_answered_by_their_segment(bakery: App) -> None:
    """But not who refuses analytics, or an answer of their own, or is in none."""
    ann = get(bakery, "/v1/recommendations?user=ann&k=2&explain=true")
    assert (names(ann)[0], ann["fallback"]) == ("jam", "segment")
    assert ann["items"][0]["sources"][0] == {
        "member": "segment", "share": 1.0, "because": [], "text": "Popular with bakers",
    }  # fmt: skip
    for other in ("ben", "cat", "dan", "stranger"):
        assert names(get(bakery, f"/v1/recommendations?user={other}&k=1")) == ["tea"]


def test_a_segment_that_nobody_saved_is_refused(bakery: App) -> None:
    for path, status, code in (
        ("/v1/trending?segment=nobodys", 404, "no_segment"),
        ("/v1/trending?segment=../x", 404, "no_segment"),
        ("/v1/recommendations?segment=bakers", 400, "unknown_field"),
    ):
        refused, error = bakery.send("GET", path)
        assert (refused, error["error"]["code"]) == (status, code), path
    refused, error = bakery.send("POST", "/v1/recommendations", {"segment": "bakers"})
    assert (refused, error["error"]["field"]) == (400, "segment")
    asked = {"questions": [{"task": "trending", "segment": "gone"}, {"user": "ann", "k": 1}]}
    status, batch = bakery.send("POST", "/v1/recommendations:batch", asked)
    assert status == 200
    assert batch["answers"][0]["error"]["code"] == "no_segment"
    assert names(batch["answers"][1]["answer"]) == ["jam"]


def test_what_is_in_demand_of_a_category(shop: App) -> None:
    rising, people = np.array([[3.0, 2, 1]] * 2), np.full(3, 9.0)
    trends = Trends(NOW, ("tea", "jam", "milk"), rising, np.zeros(3), {}, None, people)
    shop.runner.run(shop.store.put_blob(BLOB_NAME, pack(trends)))
    shop.runner.run(shop.context.trends.look())
    shop.send("GET", "/v1/trending")
    reply = get(shop, "/v1/trending?k=3")
    assert names(reply) == ["tea", "jam", "milk"]
    assert "fallback" not in reply
    drinks = get(shop, "/v1/trending?category=drink&k=3")
    assert names(drinks) == ["tea", "milk", "coffee"]
    assert marks(drinks) == [None, None, "popular"]
    assert get(shop, "/v1/trending?category=none")["items"] == []
    assert names(get(shop, "/v1/trending?category=drink&user=baker&k=1&exclude_seen=true")) == [
        "tea"
    ]


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/v1/items/a%00b/similar", "item"),
        ("/v1/items/a/similar?k=0", "k"),
        ("/v1/items/a/similar?item=b", "query"),
        ("/v1/items/a/bought-together?objective=x", "objective"),
        ("/v1/trending?category=a&categories=b", "category"),
        ("/v1/trending?items=a,a", "items"),
    ],
)
def test_wrong_questions_are_refused_by_field(shop: App, path: str, field: str) -> None:
    status, reply = shop.send("GET", path)
    assert (status, reply["error"]["field"]) == (400, field), reply


def test_every_short_cut_is_logged_as_the_question_it_stands_for(shop: App) -> None:
    replies = [
        get(shop, "/v1/items/jam/similar?k=2"),
        get(shop, "/v1/items/jam/bought-together?k=2&user=baker"),
        get(shop, "/v1/trending?category=drink"),
    ]

    def logged() -> list[Any]:
        entries = [entry for stream in shop.store.decision_streams.values() for entry in stream]
        found = {one.decision_id: one for entry in entries for one in entry.decisions}
        wanted = [reply["decision_id"] for reply in replies]
        return [found[one] for one in wanted] if set(wanted) <= found.keys() else []

    until(shop, logged)
    decisions = logged()
    assert [json.loads(one.request) for one in decisions] == [
        {"task": "similar", "k": 2, "context": {"item": "jam"}},
        {"task": "bought_together", "k": 2, "context": {"item": "jam"}},
        {"task": "trending", "filter": {"categories": {"all": ["drink"]}}},
    ]
    assert [one.items for one in decisions] == [tuple(names(reply)) for reply in replies]
    assert decisions[1].entity == "ubaker"


def test_posting_the_question_gives_the_same_answer(shop: App) -> None:
    for path, body in (
        ("/v1/items/jam/similar?k=3", {"task": "similar", "context": {"item": "jam"}, "k": 3}),
        ("/v1/trending?k=3", {"task": "trending", "k": 3}),
    ):
        posted = shop.send("POST", "/v1/recommendations", body)[1]
        assert posted["items"] == get(shop, path)["items"]


def test_all_are_documented() -> None:
    assert [route.path.rpartition("/")[2] for route in ROUTES] == [
        "similar", "bought-together", "trending",
    ]  # fmt: skip


def test_through_a_real_server(tmp_path: Path) -> None:
    release_shop(tmp_path)
    with serving(tmp_path) as server:

        def send(method: str, path: str, body: Any = None) -> tuple[int, Any]:
            content = b"" if body is None else json.dumps(body).encode()
            status, text, _ = server.request(method, path, content)
            return status, json.loads(text)

        status, reply = send("GET", "/v1/items/jam/bought-together?k=2")
        assert (status, names(reply)) == (200, ["bread", "butter"])
        status, reply = send("GET", "/v1/items/coffee/similar?k=1")
        assert (status, names(reply)) == (200, ["milk"])
        asked = {
            "history": [{"item": "bread", "kind": "purchase"}], "k": 2,
            "pinned": [{"item": "tea", "place": 1}], "objective": "margin",
        }  # fmt: skip
        status, reply = send("POST", "/v1/recommendations", asked)
        assert (status, names(reply)) == (200, ["tea", "butter"])
        assert reply["items"][0]["pinned"] is True
        both = {"questions": [{"items": ["jam", "butter"]}, {"k": 0}]}
        status, reply = send("POST", "/v1/recommendations:batch", both)
        assert status == 200
        assert sorted(names(reply["answers"][0]["answer"])) == ["butter", "jam"]
        assert reply["answers"][1]["error"]["field"] == "k"
