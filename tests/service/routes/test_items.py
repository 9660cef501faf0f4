"""/v1/items: one and many, listing by cursor, refusals row by row."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from domain.clock import FixedClock
from domain.items import Item
from feature_store.memory import MemoryStore
from feature_store.settings import Home
from feature_store.store import EditItems
from models.bundle import Draft, write_bundle
from models.bundle_pointers import point
from service.app import serve_context
from service.context import Context
from service.cursors import LIFETIME_MS
from service.http import Request
from service.routes.items import delete_items
from service.routes.recommendations import post_recommendations
from service.settings import ServiceSettings
from tests.golden.shop import ITEMS, LEARNED, shop_model
from tests.golden.shop import NOW as SHOP_NOW
from tests.service.serving import NOW, App

WHOLE = {
    "title": "A thing",
    "categories": ["a", "b"],
    "attributes": {"colour": "red", "size": 3, "new": True, "tags": ["x"]},
    "price": 12.34,
    "available": False,
    "hidden": True,
    "expires_at": NOW + 1,
    "created_at": NOW - 5,
}
PLAIN = {
    "title": "", "categories": [], "attributes": {}, "price": None, "available": True,
    "hidden": False, "expires_at": None, "created_at": NOW,
}  # fmt: skip


def test_put_get_delete(app: App) -> None:
    assert app.send("PUT", "/v1/items/whole", WHOLE) == (200, {"item": "whole", **WHOLE})
    assert app.send("GET", "/v1/items/whole") == (200, {"item": "whole", **WHOLE})
    assert app.send("PUT", "/v1/items/whole", {"item": "whole"})[0] == 200
    assert app.send("GET", "/v1/items/whole")[1]["title"] == ""
    assert app.send("DELETE", "/v1/items/whole") == (200, {"deleted": 1, "rejected": []})
    assert app.send("GET", "/v1/items/whole")[0] == 404
    assert app.send("DELETE", "/v1/items/whole")[0] == 404


def test_what_was_answered_may_be_sent_back(app: App) -> None:
    _, item = app.send("PUT", "/v1/items/round", WHOLE)
    assert app.send("PUT", "/v1/items/round", item) == (200, item)


def test_replacing_keeps_when_it_came(app: App) -> None:
    app.send("PUT", "/v1/items/old", {})
    app.clock.advance(1_000)
    try:
        assert app.send("PUT", "/v1/items/old", {})[1]["created_at"] == NOW
        assert app.send("PUT", "/v1/items", [{"item": "old"}])[0] == 200
        assert app.send("GET", "/v1/items/old")[1]["created_at"] == NOW
    finally:
        app.clock.advance(-1_000)


def test_patch_changes_only_what_was_sent(app: App) -> None:
    app.send("PUT", "/v1/items/part", WHOLE)
    changes = {"price": None, "attributes": {"size": None, "weight": 2}, "hidden": False}
    status, item = app.send("PATCH", "/v1/items/part", changes)
    assert status == 200
    assert item == {
        "item": "part",
        **WHOLE,
        "price": None,
        "hidden": False,
        "attributes": {"colour": "red", "new": True, "tags": ["x"], "weight": 2},
    }
    assert app.send("PATCH", "/v1/items/part", {"expires_at": None, "title": "B"})[1] == {
        **item,
        "expires_at": None,
        "title": "B",
    }
    assert app.send("PATCH", "/v1/items/part", {"item": "part", "created_at": 5, "price": "2.50",
        "categories": [], "available": True})[1]["price"] == 2.5  # fmt: skip
    assert app.send("PATCH", "/v1/items/unknown", {"title": "B"})[0] == 404


def test_many_at_once(app: App) -> None:
    rows = [{"item": f"m{n}", "title": str(n)} for n in range(3)]
    assert app.send("PUT", "/v1/items", rows) == (200, {"stored": 3, "rejected": []})
    lines = "\n".join(json.dumps({"item": f"m{n}", "price": n}) for n in range(4)).encode()
    status, reply = app.send("PATCH", "/v1/items", lines, content_type="application/x-ndjson")
    assert (status, reply["stored"]) == (200, 3)
    assert [(bad["index"], bad["code"]) for bad in reply["rejected"]] == [(3, "not_found")]
    assert app.send("GET", "/v1/items/m2")[1] == {
        "item": "m2", **PLAIN, "title": "2", "price": 2.0
    }  # fmt: skip
    names = [{"item": f"m{n}"} for n in range(5)]
    assert app.send("DELETE", "/v1/items", names) == (200, {"deleted": 3, "rejected": []})


def test_a_later_row_builds_on_an_earlier_one(app: App) -> None:
    app.send("PUT", "/v1/items/twice", {})
    rows = [{"item": "twice", "title": "A"}, {"item": "twice", "price": 1}]
    assert app.send("PATCH", "/v1/items", rows)[1]["stored"] == 1
    item = app.send("GET", "/v1/items/twice")[1]
    assert (item["title"], item["price"]) == ("A", 1.0)


BAD: list[tuple[Any, str, str]] = [
    ({"title": 1}, "bad_type", "title"),
    ({"title": "x" * 1_025}, "bad_value", "title"),
    ({"title": "a\x00b"}, "bad_field", "title"),
    ({"categories": "a"}, "bad_type", "categories"),
    ({"categories": ["a"] * 65}, "bad_value", "categories"),
    ({"categories": [" a"]}, "bad_field", "categories"),
    ({"attributes": {"a": None}}, "bad_type", "attributes[...]"),
    ({"price": -1}, "bad_value", "price"),
    ({"price": "-1"}, "bad_value", "price"),
    ({"price": 1e10}, "bad_value", "price"),
    ({"price": "1e3"}, "bad_value", "price"),
    ({"available": "yes"}, "bad_type", "available"),
    ({"expires_at": "soon"}, "bad_field", "expires_at"),
    ({"expires_at": 10**400}, "bad_field", "expires_at"),
    ({"created_at": -1}, "bad_field", "created_at"),
    ({"colour": "red"}, "unknown_field", "colour"),
]


@pytest.mark.parametrize(("fields", "code", "field"), BAD)
def test_bad_items_are_refused_alone(app: App, fields: Any, code: str, field: str) -> None:
    status, reply = app.send("PUT", "/v1/items/bad", fields)
    assert (status, reply["error"]["code"], reply["error"]["field"]) == (400, code, field)
    rows = [{"item": "good-1"}, {"item": "bad", **fields}, {"item": "good-2"}]
    status, reply = app.send("PUT", "/v1/items", rows)
    assert (status, reply["stored"]) == (200, 2)
    [rejected] = reply["rejected"]
    assert (rejected["index"], rejected["code"], rejected["field"]) == (1, code, field)
    assert app.send("GET", "/v1/items/bad")[0] == 404
    if fields != {"attributes": {"a": None}}:
        app.send("PUT", "/v1/items/kept", {})
        assert app.send("PATCH", "/v1/items/kept", fields)[0] == 400
        assert app.send("GET", "/v1/items/kept")[1] == {"item": "kept", **PLAIN}


def test_the_path_and_the_body_may_not_differ(app: App) -> None:
    status, reply = app.send("PUT", "/v1/items/one", {"item": "other"})
    assert (status, reply["error"]["field"]) == (400, "item")


def test_a_bad_id_costs_no_neighbour(app: App) -> None:
    rows = [{"item": " x"}, {"item": "fine"}, {}]
    for method, done in (("PUT", "stored"), ("PATCH", "stored"), ("DELETE", "deleted")):
        status, reply = app.send(method, "/v1/items", rows)
        assert (status, reply[done]) == (200, 1)
        codes = [(bad["index"], bad["code"]) for bad in reply["rejected"]]
        assert codes == [(0, "bad_field"), (2, "missing")]
        assert app.send(method, "/v1/items", {"item": " x"})[0] == 400


def test_attributes_cannot_pile_up(app: App) -> None:
    app.send("PUT", "/v1/items/pile", {"attributes": {f"a{n}": 1 for n in range(40)}})
    more = {"attributes": {f"b{n}": 1 for n in range(40)}}
    status, reply = app.send("PATCH", "/v1/items/pile", more)
    assert (status, reply["error"]["code"]) == (400, "too_many")


def test_the_listing_goes_page_by_page(app: App) -> None:
    app.send("PUT", "/v1/items", [{"item": f"page-{n:02}"} for n in range(25)])
    seen: list[str] = []
    target = "/v1/items?limit=10"
    for _ in range(20):
        status, page = app.send("GET", target)
        assert status == 200
        assert len(page["items"]) <= 10
        seen += [item["item"] for item in page["items"]]
        if not page["cursor"]:
            break
        target = f"/v1/items?limit=10&cursor={page['cursor']}"
    assert len(seen) == len(set(seen))
    assert {f"page-{n:02}" for n in range(25)} <= set(seen)


@pytest.mark.parametrize("query", ["cursor=abc", "cursor=%00", "cursor=" + "A" * 2_000,
                                   "cursor=é", "cursor=AAAAAAAAAAAAAAAAAAAAAAAA"])  # fmt: skip
def test_a_made_up_cursor_is_refused(app: App, query: str) -> None:
    status, reply = app.send("GET", f"/v1/items?{query}")
    assert (status, reply["error"]["code"]) in {(400, "bad_cursor"), (400, "bad_field")}


def test_an_old_cursor_is_refused(app: App) -> None:
    app.send("PUT", "/v1/items", [{"item": "c1"}, {"item": "c2"}])
    cursor = app.send("GET", "/v1/items?limit=1")[1]["cursor"]
    app.clock.advance(LIFETIME_MS + 1)
    try:
        status, reply = app.send("GET", f"/v1/items?cursor={cursor}")
        assert (status, reply["error"]["code"]) == (400, "bad_cursor")
    finally:
        app.clock.advance(-LIFETIME_MS - 1)


@pytest.mark.parametrize("query", ["limit=0", "limit=501", "limit=1.5", "limit=1e9", "limit=-1",
                                   "limit=٣", "limit=1&limit=2", "page=1",
                                   "&".join(["a=1"] * 100), "limit=%ff"])  # fmt: skip
def test_a_bad_query_is_refused(app: App, query: str) -> None:
    assert app.send("GET", f"/v1/items?{query}")[0] == 400


def test_without_the_store_nothing_is_written(app: App) -> None:
    app.store.down = True
    for method in ("PUT", "PATCH"):
        assert app.send(method, "/v1/items", [{"item": "down"}])[0] == 503
        assert app.send(method, "/v1/items/down", {})[0] == 503
    app.store.down = False
    assert app.send("GET", "/v1/items/down")[0] == 404


def test_a_change_by_another_worker_meanwhile_is_kept(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between reading and writing, another worker changes one item and deletes another."""
    app.send("PUT", "/v1/items", [{"item": "raced"}, {"item": "lost"}])
    plain = app.store.edit_items

    async def raced(item_ids: Sequence[str], edit: EditItems) -> Sequence[Item]:
        monkeypatch.undo()
        edit({name: Item(name) for name in item_ids})
        await app.store.put_items([Item("raced", price=5_000_000)])
        await app.store.delete_items(["lost"])
        return await plain(item_ids, edit)

    monkeypatch.setattr(app.store, "edit_items", raced)
    rows = [{"item": "lost", "title": "B"}, {"item": " "}, {"item": "raced", "title": "A"}]
    status, reply = app.send("PATCH", "/v1/items", rows)
    assert (status, reply["stored"]) == (200, 1)
    assert [(bad["index"], bad["code"]) for bad in reply["rejected"]] == [
        (0, "not_found"), (1, "bad_field")
    ]  # fmt: skip
    item = app.send("GET", "/v1/items/raced")[1]
    assert (item["title"], item["price"]) == ("A", 5.0)
    monkeypatch.setattr(app.store, "edit_items", raced)
    app.send("PUT", "/v1/items/lost", {})
    monkeypatch.setattr(app.store, "edit_items", raced)
    assert app.send("PATCH", "/v1/items/lost", {"title": "B"})[0] == 404
    assert app.send("GET", "/v1/items/lost")[0] == 404


async def _answered(context: Context) -> list[str]:
    reply = await post_recommendations(context, Request("POST", "", body=b'{"k":20}'))
    return [place["item"] for place in json.loads(reply.body)["items"]]


async def test_what_was_deleted_stays_away_after_a_restart(tmp_path: Path) -> None:
    """A model knows the item, and the feed of changes has long forgotten that it was deleted."""
    model, store, home = shop_model(), MemoryStore(), Home(tmp_path)
    bundle = write_bundle(
        home.bundles, Draft("recommend", SHOP_NOW, model.arrays(), model.params())
    )
    point(home.bundles / "recommend", bundle.version, SHOP_NOW)
    await store.put_items([*ITEMS, Item("candle")])
    clock = FixedClock(SHOP_NOW)
    async with serve_context(store, home, ServiceSettings(), clock) as context:
        assert {"bread", "candle"} <= set(await _answered(context))
        gone = [{"item": "bread"}, {"item": "candle"}]
        reply = await delete_items(context, Request("DELETE", "", body=json.dumps(gone).encode()))
        assert json.loads(reply.body)["deleted"] == 2
        left = set(await _answered(context))
        assert left == {"butter", "jam", "coffee", "milk", "tea", "honey", "cocoa"}
    for start in range(0, 9_000, 1_000):
        await store.put_items([Item(f"x{n}", hidden=True) for n in range(start, start + 1_000)])
    async with serve_context(store, home, ServiceSettings(), clock) as context:
        assert context.catalogue.desk.catalogue.ids[: len(LEARNED)] == list(LEARNED)
        assert set(await _answered(context)) == left
