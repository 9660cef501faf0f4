"""/v1/campaigns: one at a time, listing by cursor, where it stands, and the switches."""

from typing import Any

import pytest

from domain.targeting import Traits
from tests.service.campaigning import BODY, order
from tests.service.serving import App


def path(name: str) -> str:
    return f"/v1/campaigns/{name}"


def matched(app: App) -> set[str]:
    campaigns = app.context.campaigns
    found = campaigns.matching(Traits(exchanges=("north",)), app.clock()).numbers.tolist()
    return {campaigns.board.lines[number].campaign.campaign for number in found}


def test_put_get_patch_delete(app: App) -> None:
    status, made = app.send("PUT", path("whole"), BODY)
    assert status == 200
    assert (made["budget"], made["version"] > 0) == (
        {"daily": None, "total": 1.0, "per_minute": None}, True,
    )  # fmt: skip
    assert app.send("GET", path("whole")) == (200, made)
    status, patched = app.send("PATCH", path("whole"), {"title": "new", "campaign": "whole"})
    assert (status, patched["title"], patched["lines"]) == (200, "new", made["lines"])
    assert patched["version"] > made["version"]
    assert app.send("DELETE", path("whole"))[0] == 200
    assert app.send("GET", path("whole"))[0] == 404
    assert app.send("DELETE", path("whole"))[0] == 404
    assert app.send("PATCH", path("whole"), {"title": "x"})[0] == 404
    assert app.send("PUT", path("whole"), BODY)[1]["version"] > patched["version"]


def test_a_change_counts_on_this_worker_at_once(app: App) -> None:
    app.send("PUT", path("live"), BODY)
    assert "live" in matched(app)
    app.send("PATCH", path("live"), {"active": False})
    assert "live" not in matched(app)
    app.send("PATCH", path("live"), {"active": True})
    assert "live" in matched(app)
    app.send("DELETE", path("live"))
    assert "live" not in matched(app)


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"budget": {}}, "missing", "budget"),
        ({"budget": {"daily": -1}}, "bad_type", "budget.daily"),
        ({"odd": 1}, "unknown_field", "odd"),
        ({"lines": [{"line": "l", "bid": 9}]}, "bad_field", "lines.0.bid"),
        ({"lines": [{"line": "l", "bid": 1, "targeting": {"hours": [168]}}]}, "bad_field",
         "lines.0.targeting.hours"),
        ({"campaign": "other"}, "bad_field", "campaign"),
        ({"pacing": "odd"}, "bad_value", "pacing"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_and_nothing_is_written(
    app: App, changes: dict[str, Any], code: str, field: str
) -> None:
    status, reply = app.send("PUT", path("wrong"), {**BODY, **changes})
    assert status == 400
    assert reply["error"]["field"] == field
    assert reply["error"]["code"] in (code, "bad_field", "bad_value", "bad_type")
    assert app.send("GET", path("wrong"))[0] == 404


def test_a_name_that_is_none_is_refused(app: App) -> None:
    status, reply = app.send("PUT", path("a%20b"), BODY)
    assert (status, reply["error"]["field"]) == (400, "campaign")


def test_a_campaign_keeps_its_currency(app: App) -> None:
    app.send("PUT", path("money"), BODY)
    status, reply = app.send("PATCH", path("money"), {"currency": "EUR"})
    assert (status, reply["error"]["field"]) == (400, "currency")


def test_listing_goes_page_by_page(app: App) -> None:
    for name in ("page-1", "page-2", "page-3"):
        app.send("PUT", path(name), BODY)
    names: list[str] = []
    cursor = ""
    while True:
        status, page = app.send("GET", f"/v1/campaigns?limit=2&cursor={cursor}")
        assert status == 200
        names += [one["campaign"] for one in page["campaigns"]]
        cursor = page["cursor"]
        if not cursor:
            break
    assert [name for name in names if name.startswith("page-")] == ["page-1", "page-2", "page-3"]
    assert names == sorted(names)
    assert app.send("GET", "/v1/campaigns?cursor=made-up")[0] == 400
    assert app.send("GET", "/v1/campaigns?limit=0")[0] == 400
    assert app.send("GET", "/v1/campaigns?odd=1")[0] == 400


def test_a_lowered_budget_holds_at_once_whoever_asks_next(app: App) -> None:
    app.send("PUT", path("low"), BODY)
    app.runner.run(app.context.money.purses.turn())
    token = app.context.money.reserve(order("b", app.context.campaigns.by_name["low"]))
    assert token is not None
    app.send("PATCH", path("low"), {"budget": {"total": 0}})
    app.runner.run(app.context.money.purses.turn())
    assert app.context.money.reserve(order("b", app.context.campaigns.by_name["low"])) is None
    status, spend = app.send("GET", path("low") + "/spend")
    assert (status, spend["lent"], spend["spent"]) == (200, 0.001, 0.0)


def test_spend_of_what_is_not_there(app: App) -> None:
    assert app.send("GET", path("nobody") + "/spend")[0] == 404


def test_switches_are_thrown_and_answered(app: App) -> None:
    app.send("PUT", path("switched"), BODY)
    off = {"everything": False, "campaigns": ["switched"], "exchanges": ["south"],
           "learning": True, "exploration": False, "recommend_learning": True,
           "recommend_exploration": False}  # fmt: skip
    assert app.send("PUT", "/v1/campaigns:switches", off) == (200, off)
    assert app.send("GET", "/v1/campaigns:switches") == (200, off)
    assert "switched" not in matched(app)
    assert app.context.campaigns.switches.learning
    assert app.context.campaigns.switches.recommend_learning
    app.send("PUT", "/v1/campaigns:switches", {"exchanges": [" North"], "exploration": True})
    assert matched(app) == set()
    assert app.send("GET", "/v1/campaigns:switches")[1]["exchanges"] == ["north"]
    status, refused = app.send("PUT", "/v1/campaigns:switches", {"exchanges": ["south", " "]})
    assert (status, refused["error"]["field"]) == (400, "exchanges[1]")
    assert app.send("GET", "/v1/campaigns:switches")[1]["exchanges"] == ["north"]
    assert app.context.campaigns.switches.exploration
    assert not app.context.campaigns.switches.learning
    app.send("PUT", "/v1/campaigns:switches", {"everything": True})
    assert matched(app) == set()
    on = {"everything": False, "campaigns": [], "exchanges": [], "learning": False,
          "exploration": False, "recommend_learning": False,
          "recommend_exploration": False}  # fmt: skip
    assert app.send("PUT", "/v1/campaigns:switches", {}) == (200, on)
    assert "switched" in matched(app)
    assert app.send("PUT", "/v1/campaigns:switches", {"odd": 1})[0] == 400
