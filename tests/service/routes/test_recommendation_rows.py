"""Answers as they are sent, and hostile controls through the whole app."""

from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np
import pytest

from domain.slates import Aimed, Aside, Fallback, Slate, Source, Sources
from feature_store.trends import BLOB_NAME, Trends, pack
from service.routes.recommendation_rows import Answer, AppliedOut, answer_of
from tests.golden.shop import ITEMS
from tests.service.routes.test_recommendations import URL, names, release_shop, remember
from tests.service.serving import NOW, App, app_in_memory

GRAPH = Sources((Source("graph", 1.0),))
SLATE = Slate(("a", "b", "c"), (2.0, 1.0, 0.0), (GRAPH,) * 3, (None,) * 3, (True, True, False))


def sent(answer: Answer) -> Any:
    return msgspec.json.decode(msgspec.json.encode(answer))


def test_a_plain_slate_says_nothing_of_controls() -> None:
    reply = sent(answer_of(SLATE, "recommend/1", 7, ""))
    assert reply.pop("decision_id")
    sources = [{"member": "graph", "share": 1.0}]
    assert reply == {
        "items": [
            {"item": "a", "score": 2.0, "sources": sources},
            {"item": "b", "score": 1.0, "sources": sources},
            {"item": "c", "score": 0.0, "sources": sources, "known": False},
        ],
        "model": "recommend/1",
        "as_of": 7,
    }
    # The same sources, sent again, are what was kept.
    assert sent(answer_of(SLATE, "", 7, ""))["items"] == reply["items"]


def test_what_controls_did_is_told_place_by_place_and_as_a_whole() -> None:
    aside = Aside(
        (1,), (("x", "unknown"),), ("not_showable",), 4, 5, True, True,
        Aimed("margin", "live", "price", 9),
    )  # fmt: skip
    slate = SLATE._replace(aside=aside, fallback=Fallback.popular, unknown_items=2)
    reply = sent(answer_of(slate, "", 7, "few_items"))
    assert [place.get("pinned") for place in reply["items"]] == [None, True, None]
    assert [place.get("unranked") for place in reply["items"]] == [None, None, "not_showable"]
    assert reply["applied"] == {
        "objective": {"name": "margin", "items": 9, "purchases": "live", "margins": "price"},
        "skipped": [{"item": "x", "reason": "unknown"}],
        "passed_over": 4, "held_back": 5, "released": True,
    }  # fmt: skip
    assert (reply["fallback"], reply["reason"], reply["unknown_items"]) == (
        "popular", "few_items", 2,
    )  # fmt: skip
    quiet = answer_of(SLATE._replace(aside=Aside(short=True)), "", 7, "")
    assert quiet.applied is None
    assert AppliedOut() == AppliedOut()


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    home = tmp_path_factory.mktemp("shop")
    release_shop(home)
    with app_in_memory(home) as app:
        app.runner.run(app.store.put_items(list(ITEMS)))
        remember(app, "baker", ("bread", "purchase"))
        yield app


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"task": "bake"}, "task", "bad_value"),
        ({"task": "similar"}, "context.item", "missing"),
        ({"context": {"items": ["a"]}}, "context.items", "contradiction"),
        ({"task": "basket", "context": {"items": ["a"] * 101}}, "context.items", "bad_value"),
        ({"objective": "money"}, "objective", "bad_value"),
        ({"freshness": 2}, "freshness", "bad_value"),
        (b'{"freshness": NaN}', "body", "bad_json"),
        ({"diversity": "wild"}, "diversity", "bad_value"),
        ({"diversity": True}, "diversity", "bad_type"),
        ({"caps": [{"field": "category", "most": 0}]}, "caps[0].most", "bad_value"),
        ({"caps": [{"field": "colour", "most": 1}]}, "caps[0].field", "bad_field"),
        ({"caps": [{"field": "category", "most": 1.5}]}, "caps[0].most", "bad_type"),
        ({"caps": [{"field": "category"}]}, "caps[0].most", "missing"),
        ({"caps": [{"field": "category", "most": 1}] * 2}, "caps", "repeated"),
        ({"pinned": [{"item": "a", "place": 21}]}, "pinned[0].place", "out_of_range"),
        ({"pinned": [{"item": "a", "place": 10**40}]}, "pinned[0].place", "bad_value"),
        ({"pinned": [{"item": "a", "place": n} for n in (1, 2)]}, "pinned", "repeated"),
        (
            {"pinned": [{"item": n, "place": 1} for n in "ab"]},
            "pinned[1].place",
            "contradiction",
        ),
        ({"repeats": {"after_days": -1}}, "repeats.after_days", "bad_value"),
        (b'{"repeats": {"after_days": 1e999}}', "repeats.after_days", "bad_value"),
        ({"repeats": {"shown_at_most": 0}}, "repeats.shown_at_most", "bad_value"),
        ({"repeats": {"afterdays": 1}}, "repeats.afterdays", "unknown_field"),
        (
            {"repeats": {"after_days": 1}, "exclude_seen": True},
            "repeats.after_days",
            "contradiction",
        ),
        ({"items": []}, "items", "bad_value"),
        ({"items": ["a"] * 501}, "items", "bad_value"),
        ({"items": ["a", "a"]}, "items", "repeated"),
        ({"items": ["a", ""]}, "items[1]", "bad_field"),
        ({"items": ["a"], "exclude_seen": True}, "exclude_seen", "contradiction"),
        ({"items": ["a"], "pinned": [{"item": "b", "place": 1}]}, "pinned[0].item",
         "contradiction"),
    ],
)  # fmt: skip
def test_hostile_controls_are_refused_by_field(shop: App, body: Any, field: str, code: str) -> None:
    status, reply = shop.send("POST", URL, body)
    assert (status, reply["error"]["field"], reply["error"]["code"]) == (400, field, code), reply
    assert reply["error"]["message"]


def test_a_million_candidates_are_too_many_to_read(shop: App) -> None:
    items = b",".join(b'"i%d"' % n for n in range(10**6))
    assert shop.send("POST", URL, b'{"items":[' + items + b"]}")[0] == 413


def test_counts_of_clicks_and_purchases_reach_the_objective(shop: App) -> None:
    ask = {"objective": "purchase", "k": 2}
    assert shop.send("POST", URL, ask)[1]["applied"]["objective"]["purchases"] == "unknown"
    counts = np.array([[900.0, 900.0], [9.0, 400.0]])
    trends = Trends(NOW, ("bread", "coffee"), np.zeros((2, 2)), np.zeros(2), {}, counts)
    shop.runner.run(shop.store.put_blob(BLOB_NAME, pack(trends)))
    shop.runner.run(shop.context.trends.look())
    shop.send("POST", URL, {})
    reply = shop.send("POST", URL, ask)[1]
    assert reply["applied"]["objective"] == {"name": "purchase", "items": 2, "purchases": "live"}
    assert names(reply)[0] == "coffee"
    assert names(shop.send("POST", URL, {"k": 2})[1])[0] == "bread"
