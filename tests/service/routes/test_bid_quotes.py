"""POST /v1/bids:decide: the bid for a value, within floor and cap, and why."""

from typing import Any

import pytest

from tests.service.serving import App

PATH = "/v1/bids:decide"


def ask(app: App, **body: Any) -> tuple[int, Any]:
    return app.send("POST", PATH, {"value": 4, **body})


def test_the_standard_bid_while_nothing_is_known(app: App) -> None:
    status, told = ask(app, standard_bid=1.5, floor=0.2, auction="first", site="news.example")
    assert status == 200
    assert told.pop("decision_id")
    assert told == {
        "bid": 1.5, "currency": "USD", "shading": 0.375, "win_probability": None,
        "confidence": 0.0, "propensity": 1.0, "policy": "standard",
        "reasons": ["no_landscape", "standard_bid"],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("body", "bid", "reason"),
    [
        ({}, 4.0, "standard_bid"), ({"standard_bid": 9}, 4.0, "value"), ({"cap": 3}, 3.0, "cap"),
        ({"floor": 4.000001}, None, "floor"), ({"floor": 4}, 4.0, "standard_bid"),
        ({"value": 0}, None, "floor"), ({"value": "0.1", "standard_bid": "0.3"}, 0.1, "value"),
    ],
)  # fmt: skip
def test_within_value_cap_and_floor(
    app: App, body: dict[str, Any], bid: float | None, reason: str
) -> None:
    status, told = ask(app, **body)
    assert (status, told["bid"], told["reasons"][-1]) == (200, bid, reason)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"value": -1}, "value"), ({"value": "much"}, "value"), ({"value": 1e12}, "value"),
        ({"currency": "euro"}, "currency"), ({"auction": "dutch"}, "auction"),
        ({"site": " blank"}, "site"), ({"new": 1}, "new"), ({"floor": None}, "floor"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(app: App, body: dict[str, Any], field: str) -> None:
    status, told = ask(app, **body)
    assert status == 400
    assert told["error"]["field"] == field


def test_a_decision_is_logged_and_a_rehearsal_is_not(app: App) -> None:
    log = app.context.decisions
    held = len(log._waiting)
    assert ask(app, test=True)[0] == 200
    assert len(log._waiting) == held
    _, told = ask(app, floor=1, country="DEU")
    decision = log._waiting[-1]
    assert (decision.decision_id, decision.family) == (told["decision_id"], "bidding")
    assert (decision.items, decision.scores, decision.entity) == (("quote",), (4.0,), "")
    assert '"country":"DEU"' in decision.request
