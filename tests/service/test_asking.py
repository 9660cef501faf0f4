"""From the wire to a checked question: both forms mean the same."""

import json
import math

import pytest

from domain.errors import BadField
from domain.events import Kind
from domain.ids import hash64
from models.recommend.ask import Ask, Origin
from models.recommend.filters import Condition, Filter, Rule
from service.asking import AskIn, ask_of, ask_of_body, ask_of_query, asker_of, entity_of
from service.http import Request
from tests.service.serving import NOW


def body(value) -> AskIn:
    return ask_of_body(Request("POST", "/", body=json.dumps(value).encode()))


def query(text: str) -> AskIn:
    return ask_of_query(Request("GET", "/", text.encode()))


def test_a_question_in_full() -> None:
    sent = body(
        {
            "user": "u", "k": 7, "context": {"item": "here", "page": 3}, "exclude_seen": False,
            "diversity": 0.5, "explain": True,
            "filter": {
                "categories": {"any": ["a", "a"], "all": ["b"]},
                "attributes": {
                    "colour": "red", "size": ["M", 40], "new": True,
                    "weight": {"min": 1}, "made": {"in": ["it"]}, "kind": {"equals": 2},
                },
                "price": {"min": "1.10", "max": 20},
                "available": False, "allow": ["x", "y", "x"], "deny": ["z"],
            },
            "rules": [
                {"field": "category", "value": "c", "bias": -1},
                {"field": "attributes.colour", "value": ["red", True, 1], "bias": 2.5},
            ],
        }
    )  # fmt: skip
    assert entity_of(sent) == (Origin.user, "u")
    assert ask_of(sent) == Ask(
        7, "here", False,
        Filter(
            ("a",), ("b",),
            (
                Condition("colour", ("t:red",)), Condition("size", ("t:M", "n:40.0")),
                Condition("new", ("b:true",)), Condition("weight", (), 1, math.inf),
                Condition("made", ("t:it",)), Condition("kind", ("n:2.0",)),
            ),
            1_100_000, 20_000_000, False, ("x", "y"), ("z",),
        ),
        (
            Rule("category", ("c",), -1.0),
            Rule("attributes.colour", ("t:red", "b:true", "n:1.0"), 2.5),
        ),
        0.5, True,
    )  # fmt: skip


def test_nothing_asked_is_the_default_for_nobody() -> None:
    assert entity_of(AskIn()) == (Origin.nobody, "")
    assert ask_of(AskIn()) == Ask() == ask_of(body({})) == ask_of(query(""))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("user=a%20b&k=3", {"user": "a b", "k": 3}),
        ("session=s&item=x", {"session": "s", "context": {"item": "x"}}),
        ("exclude_seen=true&explain=False", {"exclude_seen": True, "explain": False}),
        ("categories=a,b&available=0", {"filter": {"categories": ["a", "b"], "available": False}}),
        ("price_min=1.5&price_max=2", {"filter": {"price": {"min": 1.5, "max": 2}}}),
        ("diversity=0.25", {"diversity": 0.25}),
    ],
)
def test_a_query_means_what_the_body_means(text, value) -> None:
    assert ask_of(query(text)) == ask_of(body(value))
    assert entity_of(query(text)) == entity_of(body(value))


def test_a_history_is_put_in_order_of_time() -> None:
    sent = body(
        {
            "history": [
                {"item": "b", "at": NOW - 1},
                {"item": "a", "at": (NOW - 5_000) / 1000, "kind": "purchase"},
                {"item": "c"},
                {"item": "d"},
            ]
        }
    )
    assert sent.history is not None
    asker = asker_of(sent.history, NOW)
    assert asker.origin is Origin.history
    assert asker.items.tolist() == [hash64(name) for name in "abcd"]
    assert asker.kinds.tolist() == [Kind.purchase, Kind.click, Kind.click, Kind.click]
    assert asker.ats.tolist() == [NOW - 5_000, NOW - 1, NOW, NOW]


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ({"user": "a", "session": "b"}, "session"),
        ({"session": "a", "history": []}, "history"),
        ({"user": "bad\u0007id"}, "user"),
    ],
)
def test_whose_history_must_be_clear(value, field) -> None:
    with pytest.raises(BadField) as refused:
        entity_of(body(value))
    assert refused.value.field == field


def test_an_empty_id_is_as_if_absent() -> None:
    assert entity_of(body({"user": "", "session": None})) == (Origin.nobody, "")
    assert ask_of(body({"context": {"item": ""}})) == Ask()


def test_where_it_is_shown_is_part_of_the_question() -> None:
    sent = body({"context": {"device": "Phone", "page": "home"}})
    assert ask_of(sent) == Ask(device="Phone", page="home")
    assert ask_of(query("device=Phone&page=home")) == Ask(device="Phone", page="home")
    assert ask_of(body({"context": {"device": 7, "page": ["home"]}})) == Ask()
