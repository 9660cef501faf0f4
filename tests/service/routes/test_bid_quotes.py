"""POST /v1/bids:decide: the bid for a value, within floor and cap, and why."""

import math
from typing import Any

import numpy as np
import pytest

from domain.decisions import Decision
from feature_store.switches import Switches
from models.bidding.landscape import FIELDS, Landscape, columns_of
from models.bidding.laws import LOGISTIC
from models.bidding.market import confidence_at
from tests.service.serving import App

PATH = "/v1/bids:decide"


def ask(app: App, **body: Any) -> tuple[int, Any]:
    return app.send("POST", PATH, {"value": 4, **body})


@pytest.fixture
def known(app: App, monkeypatch: pytest.MonkeyPatch) -> Landscape:
    """Let the app know prices: log-logistic about 1 a thousand, P(win) = b / (b + 1)."""
    d = columns_of(16) + 1
    weights = np.zeros(d)
    weights[0] = math.log(1e6)
    made = Landscape(LOGISTIC, weights, np.eye(d) * 1e-4, 16)
    learning = app.context.learning
    monkeypatch.setattr(type(learning), "landscape", property(lambda _: made))
    monkeypatch.setattr(
        learning, "landscape_confidence", lambda places: confidence_at(made, tuple(places))
    )
    return made


def test_the_standard_bid_while_nothing_is_known(app: App) -> None:
    status, told = ask(app, standard_bid=1.5, floor=0.2, auction="first", site="news.example")
    assert status == 200
    assert told.pop("decision_id")
    assert told.pop("confidence") < 0.5
    assert told.pop("win_probability") is None or told["bid"]
    assert told == {
        "bid": 1.5, "currency": "USD", "shading": 0.375, "propensity": 1.0, "policy": "quote/1",
        "reasons": told["reasons"],
    }  # fmt: skip
    assert told["reasons"][-1] == "standard_bid"


@pytest.mark.usefixtures("known")
def test_a_value_is_shaded_by_what_is_known_of_prices(app: App) -> None:
    context = {
        "exchange": "north", "site": "news.example", "size": "300x250", "device": "phone",
        "country": "DEU", "hour": 7,
    }  # fmt: skip
    status, told = ask(app, value=8, auction="first", standard_bid=1, **context)
    best = math.sqrt(1 + 8) - 1
    assert status == 200
    assert told["bid"] == pytest.approx(best, rel=1e-5)
    assert told["shading"] == pytest.approx(best / 8, rel=1e-5)
    assert told["win_probability"] == pytest.approx(best / (best + 1), rel=1e-4)
    assert told["confidence"] > 0.9
    assert told["reasons"] == ["shaded"]
    _, second = ask(app, value=8, auction="second", standard_bid=1, **context)
    assert (second["bid"], second["shading"], second["reasons"]) == (8.0, 1.0, ["value"])
    assert second["win_probability"] == pytest.approx(8 / 9, rel=1e-5)


@pytest.mark.usefixtures("known")
def test_the_switch_of_learning_leaves_standard_bids(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app.context.campaigns, "switches", Switches(learning=True))
    _, told = ask(app, value=8, auction="first", standard_bid=1)
    assert (told["bid"], told["confidence"], told["win_probability"]) == (1.0, 0.0, None)
    assert told["reasons"] == ["learning_off", "standard_bid"]


def test_every_word_of_the_context_is_heard(app: App, known: Landscape) -> None:
    for name, word in (
        ("exchange", "north"), ("site", "news.example"), ("size", "728x90"),
        ("device", "tablet"), ("country", "FRA"), ("hour", 3),
    ):  # fmt: skip
        said = f"{word:02d}" if isinstance(word, int) else word
        place = known.places({name: said})[1 + FIELDS.index(name)]
        _, before = ask(app, value=8, auction="first", **{name: word})
        known.weights[place] += 0.5
        _, after = ask(app, value=8, auction="first", **{name: word})
        known.weights[place] -= 0.5
        assert after["bid"] > before["bid"], name


@pytest.mark.parametrize(
    ("body", "bid", "reason"),
    [
        ({}, 4.0, "value"), ({"cap": 3}, 3.0, "cap"), ({"floor": 4}, 4.0, "value"),
        ({"floor": 4.000001}, None, "floor"), ({"value": 0}, None, "floor"),
        ({"auction": "first"}, 4.0, "standard_bid"),
        ({"auction": "first", "standard_bid": 9}, 4.0, "value"),
        ({"auction": "first", "cap": 3}, 3.0, "cap"),
        ({"auction": "first", "value": "0.1", "standard_bid": "0.3"}, 0.1, "value"),
        ({"auction": "first", "standard_bid": 1, "floor": 2}, None, "floor"),
        ({"auction": "first", "currency": "XTS", "standard_bid": 2}, 2.0, "standard_bid"),
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
        ({"size": "wide"}, "size"), ({"device": "abacus"}, "device"), ({"hour": 24}, "hour"),
        ({"country": "germany"}, "country"), ({"floor": -1}, "floor"), ({"cap": "NaN"}, "cap"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(app: App, body: dict[str, Any], field: str) -> None:
    status, told = ask(app, **body)
    assert status == 400
    assert told["error"]["field"] == field


def test_a_decision_is_logged_and_a_rehearsal_is_not(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    put: list[Decision] = []
    monkeypatch.setattr(app.context.decisions, "put", put.append)
    assert ask(app, test=True)[0] == 200
    assert put == []
    _, told = ask(app, floor=1, country="DEU")
    (decision,) = put
    assert (decision.decision_id, decision.family) == (told["decision_id"], "bidding")
    assert (decision.items, decision.scores, decision.entity) == (("quote",), (4.0,), "")
    assert '"country":"DEU"' in decision.request
