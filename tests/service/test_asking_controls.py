"""From the wire to controls: what each name means, and what is nothing."""

import json

import pytest

from domain.errors import BadField
from models.recommend.controls import NO_CONTROLS, Cap, Controls, Objective, Pin, Task
from service.asking import DEFAULT_K, QUERY, AskIn, ask_of, ask_of_body, ask_of_query
from service.asking_controls import asks_nothing, controls_of, rule_of
from service.http import Request


def body(value) -> AskIn:
    return ask_of_body(Request("POST", "/", body=json.dumps(value).encode()))


def query(text: str) -> AskIn:
    return ask_of_query(Request("GET", "/", text.encode()))


def test_all_controls_are_understood() -> None:
    ask = ask_of(
        body(
            {
                "k": 7, "task": "basket", "objective": "margin", "freshness": 0.5,
                "caps": [{"field": "category", "most": 2}],
                "pinned": [{"item": "a", "place": 7}],
                "repeats": {"after_days": 7, "shown_at_most": 3, "within_days": 2},
                "diversity": "calibrated", "context": {"items": ["x", "y"]},
            }
        )
    )  # fmt: skip
    assert ask.controls == Controls(
        Task.basket, Objective.margin, (Cap("category", 2),), (Pin("a", 7),),
        7, 3, 2, 0.5, True, None, ("x", "y"),
    )  # fmt: skip
    assert (ask.k, ask.diversity) == (7, 0.0)


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"k": 3, "explain": True},
        {"task": "recommend", "objective": "click", "freshness": 0, "caps": [], "pinned": []},
        {"repeats": {}, "explain": True},
        {"context": {"items": [], "item": "x"}},
    ],
)
def test_what_asks_nothing_is_nothing_at_all(value) -> None:
    assert ask_of(body(value)).controls is NO_CONTROLS


def test_whoever_looks_for_controls_finds_each() -> None:
    assert asks_nothing(body({}))
    for value in (
        {"task": "trending"}, {"objective": "purchase"}, {"freshness": 0.1}, {"items": ["a"]},
        {"caps": [{"field": "category", "most": 1}]}, {"pinned": [{"item": "a", "place": 1}]},
        {"repeats": {"after_days": 1}},
    ):  # fmt: skip
        sent = body(value)
        assert not asks_nothing(sent)
        assert controls_of(sent, [], False) is not NO_CONTROLS
    assert controls_of(body({}), [], True) == Controls(calibrated=True)
    assert controls_of(body({}), ["a"], False) == Controls(basket=("a",))


def test_all_candidates_come_back_unless_fewer_are_asked_for() -> None:
    assert ask_of(body({"items": ["a", "b", "c"]})).k == 3
    assert ask_of(body({"items": ["a", "b", "c"], "k": 2})).k == 2
    assert ask_of(body({"objective": "margin"})).k == DEFAULT_K


def test_a_query_says_the_same() -> None:
    sent = query("objective=purchase&freshness=0.5&after_days=7&diversity=calibrated&k=5")
    assert ask_of(sent) == ask_of(
        body(
            {
                "objective": "purchase", "freshness": 0.5, "repeats": {"after_days": 7},
                "diversity": "calibrated", "k": 5,
            }
        )
    )  # fmt: skip
    assert ask_of(query("items=a,b")) == ask_of(body({"items": ["a", "b"]}))
    assert {"objective", "freshness", "after_days", "items"} <= set(QUERY)


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ({"pinned": [{"item": "a\nb", "place": 1}]}, "pinned[0].item"),
        ({"items": ["a", " b"]}, "items[1]"),
        ({"task": "basket", "context": {"items": ["ok", ""]}}, "context.items[1]"),
    ],
)
def test_what_is_no_id_is_refused_by_its_place(value, field) -> None:
    with pytest.raises(BadField) as refused:
        ask_of(body(value))
    assert refused.value.field == field


def test_a_rule_names_its_place() -> None:
    sent = body({"rules": [{"field": "item", "value": "a", "bias": 1}]})
    assert rule_of(0, sent.rules[0]).values == ("a",)
    sent = body({"rules": [{"field": "item", "value": 1, "bias": 1}]})
    with pytest.raises(BadField) as refused:
        rule_of(4, sent.rules[0])
    assert refused.value.field == "rules[4].value"
